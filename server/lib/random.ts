// Randomness for names: of stores, of leases, of what begins a record.

import { randomBytes } from "node:crypto";
import type { HashSeed } from "./half-sip-hash.js";

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

/** Of the hash of keys in memory. */
export function randomHashSeed(): HashSeed {
  return [randomUint32(), randomUint32()];
}

/** From 1 to 2^32 - 1. */
export function randomUint32(): number {
  return randomBytes(4).readUInt32BE() || 1;
}
