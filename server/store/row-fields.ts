// What stands in rows, read where they lie. Rows (rows.ts) adds and removes them.

import { type DeleteReason, type LeaseId, NO_LEASE, type Revision } from "../kv/types.js";
import type { ViewedBytes } from "../lib/viewed-bytes.js";
import type { RowCursor } from "./row-cursor.js";
import {
  COUNTED,
  COUNTS_BYTES,
  DELETES,
  DROPPED,
  FIRST_DELETE,
  HEAD_BYTES,
  headOf,
  LEASE_ID_BYTES,
  LEASED,
  LINKED,
  lengthOf,
  NO_ROW,
  OFFSET_BITS,
  OFFSET_MASK,
  PUT,
  type Row,
  type Segment,
  START,
} from "./row-layout.js";

/** An entry as it is shown to somebody who looks at once. */
export interface ShownRow {
  source: ViewedBytes;
  valueStart: number;
  valueEnd: number;
  createRevision: Revision;
  modRevision: Revision;
  version: number;
  leaseId: LeaseId;
}

export class RowFields {
  /** By number; what is let go leaves its place to others. */
  protected readonly segments: Segment[] = [];

  /** The row that was appended after this one; NO_ROW at the end. */
  after(row: Row): Row {
    const index = row >>> OFFSET_BITS;
    const segment = this.segments[index] as Segment;
    const end = (row & OFFSET_MASK) * 8 + this.lengthOf(row);
    if (end < segment.used) return row + this.lengthOf(row) / 8;
    return segment.next < 0 ? NO_ROW : segment.next * 2 ** OFFSET_BITS + START / 8;
  }

  /** What a row takes. */
  lengthOf(row: Row): number {
    const { words } = this.segments[row >>> OFFSET_BITS] as Segment;
    const at = (row & OFFSET_MASK) * 2;
    const word = words[at + 1] as number;
    return lengthOf(word & 0xffff, words[at] as number, word >>> 24);
  }

  revisionOf(row: Row): Revision {
    const { numbers } = this.segments[row >>> OFFSET_BITS] as Segment;
    return numbers[(row & OFFSET_MASK) + 2] as number;
  }

  placeOf(row: Row): number {
    const { words } = this.segments[row >>> OFFSET_BITS] as Segment;
    return words[(row & OFFSET_MASK) * 2 + 2] as number;
  }

  /** The row before it of its key; NO_ROW when there is none, or compaction took it. */
  previousOf(row: Row): Row {
    const { words } = this.segments[row >>> OFFSET_BITS] as Segment;
    return words[(row & OFFSET_MASK) * 2 + 3] as number;
  }

  setPrevious(row: Row, previous: Row): void {
    const { words } = this.segments[row >>> OFFSET_BITS] as Segment;
    words[(row & OFFSET_MASK) * 2 + 3] = previous;
  }

  isPut(row: Row): boolean {
    return this.#kindOf(row) === PUT;
  }

  /** Why the key went; undefined for a put. */
  deletedOf(row: Row): DeleteReason | undefined {
    return DELETES[this.#kindOf(row) - FIRST_DELETE];
  }

  /** 0 for a tombstone. */
  createRevisionOf(row: Row): Revision {
    if (!this.isPut(row)) return 0;
    if ((this.#flagsOf(row) & COUNTED) === 0) return this.revisionOf(row);
    const { numbers } = this.segments[row >>> OFFSET_BITS] as Segment;
    return numbers[(row & OFFSET_MASK) + HEAD_BYTES / 8] as number;
  }

  /** 0 for a tombstone. */
  versionOf(row: Row): number {
    if (!this.isPut(row)) return 0;
    if ((this.#flagsOf(row) & COUNTED) === 0) return 1;
    const { numbers } = this.segments[row >>> OFFSET_BITS] as Segment;
    return numbers[(row & OFFSET_MASK) + HEAD_BYTES / 8 + 1] as number;
  }

  /** How many rows of its key there were before it. */
  depthOf(row: Row): number {
    const at = this.#linkOf(row);
    if (at === 0) return 0;
    const { words } = this.segments[row >>> OFFSET_BITS] as Segment;
    return words[at * 2 + 1] as number;
  }

  /** NO_ROW when it has no link. */
  jumpOf(row: Row): Row {
    const at = this.#linkOf(row);
    if (at === 0) return NO_ROW;
    const { words } = this.segments[row >>> OFFSET_BITS] as Segment;
    return words[at * 2] as number;
  }

  /** 0 when it has no link. */
  jumpRevisionOf(row: Row): Revision {
    const at = this.#linkOf(row);
    if (at === 0) return 0;
    const { numbers } = this.segments[row >>> OFFSET_BITS] as Segment;
    return numbers[at + 1] as number;
  }

  leaseIdOf(row: Row): LeaseId {
    const flags = this.#flagsOf(row);
    if ((flags & LEASED) === 0) return NO_LEASE;
    const { words } = this.segments[row >>> OFFSET_BITS] as Segment;
    const at = (row & OFFSET_MASK) * 2 + (headOf(flags) - LEASE_ID_BYTES) / 4;
    const high = BigInt(words[at + 1] as number);
    return BigInt.asIntN(64, (high << 32n) | BigInt(words[at] as number));
  }

  isLeased(row: Row): boolean {
    return (this.#flagsOf(row) & LEASED) !== 0;
  }

  keyLengthOf(row: Row): number {
    const { words } = this.segments[row >>> OFFSET_BITS] as Segment;
    return (words[(row & OFFSET_MASK) * 2 + 1] as number) & 0xffff;
  }

  valueLengthOf(row: Row): number {
    const { words } = this.segments[row >>> OFFSET_BITS] as Segment;
    return words[(row & OFFSET_MASK) * 2] as number;
  }

  /** The lengths of key and value together. */
  payloadOf(row: Row): number {
    const { words } = this.segments[row >>> OFFSET_BITS] as Segment;
    const at = (row & OFFSET_MASK) * 2;
    return ((words[at + 1] as number) & 0xffff) + (words[at] as number);
  }

  /** The memory that a row lies in; keyStartOf() and the lengths say where. */
  bytesOf(row: Row): Uint8Array {
    return (this.segments[row >>> OFFSET_BITS] as Segment).bytes;
  }

  /** The same with a view of it. */
  sourceOf(row: Row): ViewedBytes {
    return this.segments[row >>> OFFSET_BITS] as Segment;
  }

  /** All that there is to tell of a put, in one go. (bench: batch-memory.) */
  show(row: Row, to: ShownRow): void {
    const segment = this.segments[row >>> OFFSET_BITS] as Segment;
    const offset = row & OFFSET_MASK;
    const word = segment.words[offset * 2 + 1] as number;
    const flags = word >>> 24;
    const revision = segment.numbers[offset + 2] as number;
    const isCounted = (flags & COUNTED) !== 0;
    to.source = segment;
    to.valueStart = offset * 8 + headOf(flags) + (word & 0xffff);
    to.valueEnd = to.valueStart + (segment.words[offset * 2] as number);
    to.modRevision = revision;
    to.createRevision = isCounted ? (segment.numbers[offset + 3] as number) : revision;
    to.version = isCounted ? (segment.numbers[offset + 4] as number) : 1;
    to.leaseId = (flags & LEASED) === 0 ? NO_LEASE : this.leaseIdOf(row);
  }

  /** All of a version, in memory that stays as it is. (bench: start, long-work.) */
  read(row: Row, to: RowCursor): void {
    const segment = this.segments[row >>> OFFSET_BITS] as Segment;
    const offset = row & OFFSET_MASK;
    const { words, numbers } = segment;
    const word = words[offset * 2 + 1] as number;
    const flags = word >>> 24;
    const valueLength = words[offset * 2] as number;
    const revision = numbers[offset + 2] as number;
    to.revision = revision;
    to.place = words[offset * 2 + 2] as number;
    to.lieIn(segment, offset * 8 + headOf(flags), word & 0xffff, valueLength);
    const deleted = DELETES[((word >>> 16) & 0xff) - FIRST_DELETE];
    if (deleted !== undefined) to.setTombstone(deleted);
    else {
      const isCounted = (flags & COUNTED) !== 0;
      to.setPut(
        isCounted ? (numbers[offset + 3] as number) : revision,
        isCounted ? (numbers[offset + 4] as number) : 1,
        (flags & LEASED) === 0 ? NO_LEASE : this.leaseIdOf(row),
      );
    }
  }

  /** Where in bytesOf() its key begins; the value follows. */
  keyStartOf(row: Row): number {
    return (row & OFFSET_MASK) * 8 + headOf(this.#flagsOf(row));
  }

  /** Below, equal to or above 0, as its key is below, equal to or above bytes[start, end). */
  compareKey(row: Row, bytes: Uint8Array, start: number, end: number): number {
    const own = this.bytesOf(row);
    const at = this.keyStartOf(row);
    const ownLength = this.keyLengthOf(row);
    const length = Math.min(ownLength, end - start);
    for (let index = 0; index < length; index += 1) {
      const difference = (own[at + index] as number) - (bytes[start + index] as number);
      if (difference !== 0) return difference;
    }
    return ownLength - (end - start);
  }

  /** A view. */
  keyOf(row: Row): Uint8Array {
    const start = this.keyStartOf(row);
    return this.bytesOf(row).subarray(start, start + this.keyLengthOf(row));
  }

  /** A view. */
  valueOf(row: Row): Uint8Array {
    const start = this.keyStartOf(row) + this.keyLengthOf(row);
    return this.bytesOf(row).subarray(start, start + this.valueLengthOf(row));
  }

  isDropped(row: Row): boolean {
    return (this.#flagsOf(row) & DROPPED) !== 0;
  }

  segmentOf(row: Row): number {
    return row >>> OFFSET_BITS;
  }

  firstOf(segment: number): Row {
    return segment * 2 ** OFFSET_BITS + START / 8;
  }

  /** The row behind it in the same segment; NO_ROW at its end. */
  behind(row: Row): Row {
    const { used } = this.segments[row >>> OFFSET_BITS] as Segment;
    const end = (row & OFFSET_MASK) * 8 + this.lengthOf(row);
    return end < used ? row + this.lengthOf(row) / 8 : NO_ROW;
  }

  #kindOf(row: Row): number {
    const { words } = this.segments[row >>> OFFSET_BITS] as Segment;
    return ((words[(row & OFFSET_MASK) * 2 + 1] as number) >>> 16) & 0xff;
  }

  #flagsOf(row: Row): number {
    const { words } = this.segments[row >>> OFFSET_BITS] as Segment;
    return (words[(row & OFFSET_MASK) * 2 + 1] as number) >>> 24;
  }

  /** Where its link is, in units of 8 bytes; 0 when it has none. */
  #linkOf(row: Row): number {
    const flags = this.#flagsOf(row);
    if ((flags & LINKED) === 0) return 0;
    return (row & OFFSET_MASK) + HEAD_BYTES / 8 + (flags & COUNTED ? COUNTS_BYTES / 8 : 0);
  }
}
