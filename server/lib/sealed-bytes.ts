// The end that etcd's clients want of a snapshot: zeros up to a multiple of 512 bytes, and the
// SHA-256 of everything before.

const UNIT_BYTES = 512;

export const SEAL_HASH_BYTES = 32;

/** The zeros that belong behind so many bytes: none behind a multiple. */
export function paddingBehind(bytes: number): number {
  return (UNIT_BYTES - (bytes % UNIT_BYTES)) % UNIT_BYTES;
}
