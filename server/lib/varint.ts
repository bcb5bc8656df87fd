// Protobuf's varints, written by hand where there is no object for a message: seven bits a byte,
// the lowest first.

/** How many bytes a number from 0 up to 2^53 takes. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  let bytes = 5;
  for (let rest = value / 2 ** 35; rest >= 1; rest /= 128) bytes += 1;
  return bytes;
}

/**
 * Writes a number from 0 up to 2^53 where there is room for it, and gives where it ends. Without a
 * loop for those below 2^28, which lengths and most revisions are. (bench: batch.)
 */
export function writeVarint(out: Uint8Array, at: number, value: number): number {
  if (value < 0x80) {
    out[at] = value;
    return at + 1;
  }
  out[at] = (value & 0x7f) | 0x80;
  if (value < 0x4000) {
    out[at + 1] = value >>> 7;
    return at + 2;
  }
  if (value >= 0x1000_0000) return writeLong(out, at, value);
  out[at + 1] = ((value >>> 7) & 0x7f) | 0x80;
  if (value < 0x20_0000) {
    out[at + 2] = value >>> 14;
    return at + 3;
  }
  out[at + 2] = ((value >>> 14) & 0x7f) | 0x80;
  out[at + 3] = value >>> 21;
  return at + 4;
}

function writeLong(out: Uint8Array, at: number, value: number): number {
  let rest = value;
  let place = at;
  while (rest >= 0x80) {
    out[place] = (rest & 0x7f) | 0x80;
    place += 1;
    // Shifts know 32 bits only.
    rest = rest > MAX_INT32 ? Math.floor(rest / 128) : rest >>> 7;
  }
  out[place] = rest;
  return place + 1;
}

const MAX_INT32 = 2 ** 31 - 1;

/** The same of an int64: ten bytes for those below 0. */
export function int64Bytes(value: bigint): number {
  let bytes = 1;
  for (let rest = BigInt.asUintN(64, value) >> 7n; rest > 0n; rest >>= 7n) bytes += 1;
  return bytes;
}

export function writeInt64(out: Uint8Array, at: number, value: bigint): number {
  let rest = BigInt.asUintN(64, value);
  let place = at;
  while (rest >= 0x80n) {
    out[place] = Number(rest & 0x7fn) | 0x80;
    place += 1;
    rest >>= 7n;
  }
  out[place] = Number(rest);
  return place + 1;
}
