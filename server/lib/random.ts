// Randomness for names: store ids and lease ids.

import { randomBytes } from "node:crypto";

/** 128 random bits as 32 hexadecimal digits. */
export function randomStoreId(): string {
  return randomBytes(16).toString("hex");
}

/** A random positive int64. */
export function randomPositiveInt64(): bigint {
  for (;;) {
    const id = randomBytes(8).readBigUInt64BE() & 0x7fff_ffff_ffff_ffffn;
    if (id !== 0n) return id;
  }
}
