// How a version lies in memory, as a row of a segment.

import { type DeleteReason, type LeaseId, NO_LEASE, type Revision } from "../kv/types.js";
import { copyViewed } from "../lib/viewed-bytes.js";

/** What the head of a row has room for, and that of the log. */
export const KEY_MAX_BYTES = 0xffff;

/** Where a row begins: its segment and, in units of 8 bytes, its offset there. 0: no row. */
export type Row = number;

export const NO_ROW: Row = 0;

/** The lower bits of a row are its offset. */
export const OFFSET_BITS = 21;
export const OFFSET_MASK = 2 ** OFFSET_BITS - 1;

/** A version, to be a row. */
export interface NewRow {
  readonly revision: Revision;
  readonly place: number;
  /** Undefined: a put. */
  readonly deleted: DeleteReason | undefined;
  /** bytes[keyStart, keyEnd) is the key. */
  readonly key: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly value: Uint8Array;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly createRevision: Revision;
  readonly version: number;
  readonly leaseId: LeaseId;
  /** Of both `key` and `value`, when those are the same bytes: short ones are copied through it. */
  readonly view: DataView | undefined;
}

/** How a row's chain is walked fast. */
export interface RowLink {
  readonly jump: Row;
  readonly depth: number;
  readonly jumpRevision: Revision;
}

/** No row is at 0. */
export const START = 8;

// A row, with its numbers of 8 bytes as doubles:
//
//   word 0   length of the value          word 2        place among the changes of its commit
//   word 1   length of the key (16 bits), word 3        the row before it of its key; 0: none
//            kind (8), flags (8)          bytes 16..23  revision
//   COUNTED: createRevision, version (8 bytes each); else it is version 1, created here
//   LINKED:  jump, depth (4 each), revision of the jump (8): see row-chain.ts
//   LEASED:  lease id (8)
//   key, value, what it takes up to a multiple of 8
export const HEAD_BYTES = 24;
export const COUNTS_BYTES = 16;
const LINK_BYTES = 16;
export const LEASE_ID_BYTES = 8;

export const COUNTED = 1;
export const LINKED = 2;
export const LEASED = 4;
/** Nothing points to it any more. */
export const DROPPED = 8;

export const PUT = 1;
/** By their place: 2, 3, 4. */
export const DELETES: readonly DeleteReason[] = ["deleted", "expired", "revoked"];
export const FIRST_DELETE = 2;

/** Shorter ones are copied byte by byte: that costs less than a view (bench: batch). */
const VIEW_BYTES = 48;

/** A stretch of memory with rows. */
export class Segment {
  readonly words: Uint32Array;
  readonly numbers: Float64Array;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  used = START;
  /** Bytes of rows that nothing points to any more. */
  garbage = 0;
  /** No row in it is of a later one. */
  lastRevision: Revision = 0;
  /** Where the commits go on; -1: nowhere yet. */
  next = -1;

  constructor(length: number) {
    const memory = new ArrayBuffer(length);
    this.words = new Uint32Array(memory);
    this.numbers = new Float64Array(memory);
    this.bytes = new Uint8Array(memory);
    this.view = new DataView(memory);
  }
}

export function flagsOf(row: NewRow): number {
  const isFirst = row.version === 1 && row.createRevision === row.revision;
  const isCounted = row.deleted === undefined && !isFirst;
  return (isCounted ? COUNTED : 0) | (row.leaseId === NO_LEASE ? 0 : LEASED);
}

/** What stands before the key of a row. */
export function headOf(flags: number): number {
  return (
    HEAD_BYTES +
    (flags & COUNTED ? COUNTS_BYTES : 0) +
    (flags & LINKED ? LINK_BYTES : 0) +
    (flags & LEASED ? LEASE_ID_BYTES : 0)
  );
}

/** What a row takes. */
export function lengthOf(keyLength: number, valueLength: number, flags: number): number {
  return Math.ceil((headOf(flags) + keyLength + valueLength) / 8) * 8;
}

/** Writes all of a row but what it is chained to. */
export function writeRow(segment: Segment, start: number, row: NewRow, flags: number): void {
  const { words, numbers, bytes } = segment;
  const keyLength = row.keyEnd - row.keyStart;
  const kind = row.deleted === undefined ? PUT : FIRST_DELETE + DELETES.indexOf(row.deleted);
  const at = start / 4;
  words[at] = row.valueEnd - row.valueStart;
  words[at + 1] = keyLength | (kind << 16) | (flags << 24);
  words[at + 2] = row.place;
  let next = start / 8 + 2;
  numbers[next++] = row.revision;
  if (flags & COUNTED) {
    numbers[next++] = row.createRevision;
    numbers[next++] = row.version;
  }
  if (flags & LINKED) next += LINK_BYTES / 8;
  if (flags & LEASED) {
    words[next * 2] = Number(row.leaseId & 0xffff_ffffn);
    words[next * 2 + 1] = Number((row.leaseId >> 32n) & 0xffff_ffffn);
    next += 1;
  }
  const keyAt = next * 8;
  if (row.view === undefined) {
    copy(row.key, row.keyStart, row.keyEnd, bytes, keyAt);
    copy(row.value, row.valueStart, row.valueEnd, bytes, keyAt + keyLength);
  } else {
    const source = { bytes: row.key, view: row.view };
    copyViewed(segment, keyAt, source, row.keyStart, row.keyEnd);
    copyViewed(segment, keyAt + keyLength, source, row.valueStart, row.valueEnd);
  }
}

export function writeLink(
  { words, numbers }: Segment,
  start: number,
  link: RowLink,
  flags: number,
): void {
  const at = (start + HEAD_BYTES + (flags & COUNTED ? COUNTS_BYTES : 0)) / 8;
  words[at * 2] = link.jump;
  words[at * 2 + 1] = link.depth;
  numbers[at + 1] = link.jumpRevision;
}

/** (bench: batch.) */
function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > VIEW_BYTES) {
    to.set(from.subarray(start, end), at);
    return;
  }
  for (let index = start; index < end; index += 1) to[at + index - start] = from[index] as number;
}
