// What the things of a store take in memory, roughly: what limits and budgets count.

import type { Row } from "./row-layout.js";
import type { Rows } from "./rows.js";

/**
 * What a version takes besides its bytes: the head of its row, 24 bytes and up to 32 more, and its
 * share of the index of keys, about 26.
 */
const VERSION_OVERHEAD_BYTES = 64;

/** What a change takes in the list of commits. */
export const CHANGE_BYTES = 16;

/** A key that is attached to a lease is in its set, too: 35 bytes were measured. */
const ATTACHED_BYTES = 50;

/** The weight of a version. */
export function rowBytes(rows: Rows, row: Row): number {
  const bytes = rows.payloadOf(row) + VERSION_OVERHEAD_BYTES;
  return rows.isLeased(row) ? bytes + ATTACHED_BYTES : bytes;
}

/** The same before there is a row. */
export function versionBytesOf(of: {
  readonly key: number;
  readonly value: number;
  readonly leased: boolean;
}): number {
  return of.key + of.value + VERSION_OVERHEAD_BYTES + (of.leased ? ATTACHED_BYTES : 0);
}
