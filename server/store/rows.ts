// Rows: the versions of keys as bytes, one behind the other, in segments of memory. No object, text
// or buffer of JavaScript belongs to a row, so the garbage collector has nothing to walk.
//
// Commits append at the tail, and the rows of a commit follow each other. Rows that compaction has
// left alone in a segment are moved to other segments, so that it can go. What was given out as a
// view stays as it was: memory is let go, never written again behind somebody's back.

import { KvdError } from "../kv/errors.js";
import { type DeleteReason, type LeaseId, NO_LEASE, type Revision } from "../kv/types.js";
import type { ViewedBytes } from "../lib/viewed-bytes.js";
import type { RowCursor } from "./row-cursor.js";
import {
  COUNTED,
  COUNTS_BYTES,
  DELETES,
  DROPPED,
  FIRST_DELETE,
  flagsOf,
  HEAD_BYTES,
  headOf,
  LEASE_ID_BYTES,
  LEASED,
  LINKED,
  lengthOf,
  type NewRow,
  NO_ROW,
  PUT,
  type Row,
  type RowLink,
  Segment,
  START,
  writeLink,
  writeRow,
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

const OFFSET_BITS = 21;
const OFFSET_MASK = 2 ** OFFSET_BITS - 1;
const SEGMENTS_MAX = 2 ** (32 - OFFSET_BITS);
/** Of those, what puts leave to others: a store that is full can still delete. */
const NOT_FOR_PUTS = 64;
/** And what deletes leave: rows are moved there, which gives segments back. */
const NOT_FOR_DELETES = 8;
const FIRST_SEGMENT_BYTES = 16 * 1024;
/** A row that is longer has a segment of its own: none begins behind these bytes. */
const SEGMENT_BYTES = 2 ** (OFFSET_BITS + 3);
const NO_SEGMENT = new Segment(START);

export class Rows {
  readonly #segments: Segment[] = [];
  readonly #free: number[] = [];
  /** Where commits append, and where moved rows go. */
  #tail = -1;
  #moved = -1;
  #nextBytes: number;
  #usedBytes = 0;
  #garbageBytes = 0;
  readonly #segmentBytes: number;
  readonly #segmentsMax: number;

  /** Segments may be smaller or fewer than there is room for. */
  constructor({
    segmentBytes = SEGMENT_BYTES,
    segmentsMax = SEGMENTS_MAX,
  }: {
    readonly segmentBytes?: number;
    readonly segmentsMax?: number;
  } = {}) {
    this.#segmentBytes = segmentBytes;
    this.#segmentsMax = segmentsMax;
    this.#nextBytes = Math.min(FIRST_SEGMENT_BYTES, segmentBytes);
  }

  /** What rows take, those included that nothing points to any more. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  get garbageBytes(): number {
    return this.#garbageBytes;
  }

  /** @throws KvdError STORE_FULL, and nothing has changed. */
  append(row: NewRow, previous: Row, link: RowLink | undefined): Row {
    const flags = flagsOf(row) | (link === undefined ? 0 : LINKED);
    const length = lengthOf(row.keyEnd - row.keyStart, row.valueEnd - row.valueStart, flags);
    const spared = row.deleted === undefined ? NOT_FOR_PUTS : NOT_FOR_DELETES;
    this.#tail = this.#roomIn(this.#tail, length, spared);
    const segment = this.#segments[this.#tail] as Segment;
    const at = segment.used;
    segment.used += length;
    segment.lastRevision = row.revision;
    this.#usedBytes += length;
    writeRow(segment, at, row, flags);
    segment.words[at / 4 + 3] = previous;
    if (link !== undefined) writeLink(segment, at, link, flags);
    return this.#tail * 2 ** OFFSET_BITS + at / 8;
  }

  /** Takes back everything from a row on: appended last, and pointed to by nothing. */
  truncate(row: Row): void {
    const index = row >>> OFFSET_BITS;
    const segment = this.#segments[index] as Segment;
    for (let after = segment.next; after >= 0; ) {
      const { next, used } = this.#segments[after] as Segment;
      this.#usedBytes -= used - START;
      this.#release(after);
      after = next;
    }
    const at = (row & OFFSET_MASK) * 8;
    this.#usedBytes -= segment.used - at;
    segment.used = at;
    segment.next = -1;
    this.#tail = index;
  }

  /** The row that was appended after this one; NO_ROW at the end. */
  after(row: Row): Row {
    const index = row >>> OFFSET_BITS;
    const segment = this.#segments[index] as Segment;
    const end = (row & OFFSET_MASK) * 8 + this.lengthOf(row);
    if (end < segment.used) return row + this.lengthOf(row) / 8;
    return segment.next < 0 ? NO_ROW : segment.next * 2 ** OFFSET_BITS + START / 8;
  }

  /** What a row takes. */
  lengthOf(row: Row): number {
    const { words } = this.#segments[row >>> OFFSET_BITS] as Segment;
    const at = (row & OFFSET_MASK) * 2;
    const word = words[at + 1] as number;
    return lengthOf(word & 0xffff, words[at] as number, word >>> 24);
  }

  revisionOf(row: Row): Revision {
    const { numbers } = this.#segments[row >>> OFFSET_BITS] as Segment;
    return numbers[(row & OFFSET_MASK) + 2] as number;
  }

  placeOf(row: Row): number {
    const { words } = this.#segments[row >>> OFFSET_BITS] as Segment;
    return words[(row & OFFSET_MASK) * 2 + 2] as number;
  }

  /** The row before it of its key; NO_ROW when there is none, or compaction took it. */
  previousOf(row: Row): Row {
    const { words } = this.#segments[row >>> OFFSET_BITS] as Segment;
    return words[(row & OFFSET_MASK) * 2 + 3] as number;
  }

  setPrevious(row: Row, previous: Row): void {
    const { words } = this.#segments[row >>> OFFSET_BITS] as Segment;
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
    const { numbers } = this.#segments[row >>> OFFSET_BITS] as Segment;
    return numbers[(row & OFFSET_MASK) + HEAD_BYTES / 8] as number;
  }

  /** 0 for a tombstone. */
  versionOf(row: Row): number {
    if (!this.isPut(row)) return 0;
    if ((this.#flagsOf(row) & COUNTED) === 0) return 1;
    const { numbers } = this.#segments[row >>> OFFSET_BITS] as Segment;
    return numbers[(row & OFFSET_MASK) + HEAD_BYTES / 8 + 1] as number;
  }

  /** How many rows of its key there were before it. */
  depthOf(row: Row): number {
    const at = this.#linkOf(row);
    if (at === 0) return 0;
    const { words } = this.#segments[row >>> OFFSET_BITS] as Segment;
    return words[at * 2 + 1] as number;
  }

  /** NO_ROW when it has no link. */
  jumpOf(row: Row): Row {
    const at = this.#linkOf(row);
    if (at === 0) return NO_ROW;
    const { words } = this.#segments[row >>> OFFSET_BITS] as Segment;
    return words[at * 2] as number;
  }

  /** 0 when it has no link. */
  jumpRevisionOf(row: Row): Revision {
    const at = this.#linkOf(row);
    if (at === 0) return 0;
    const { numbers } = this.#segments[row >>> OFFSET_BITS] as Segment;
    return numbers[at + 1] as number;
  }

  leaseIdOf(row: Row): LeaseId {
    const flags = this.#flagsOf(row);
    if ((flags & LEASED) === 0) return NO_LEASE;
    const { words } = this.#segments[row >>> OFFSET_BITS] as Segment;
    const at = (row & OFFSET_MASK) * 2 + (headOf(flags) - LEASE_ID_BYTES) / 4;
    const high = BigInt(words[at + 1] as number);
    return BigInt.asIntN(64, (high << 32n) | BigInt(words[at] as number));
  }

  isLeased(row: Row): boolean {
    return (this.#flagsOf(row) & LEASED) !== 0;
  }

  keyLengthOf(row: Row): number {
    const { words } = this.#segments[row >>> OFFSET_BITS] as Segment;
    return (words[(row & OFFSET_MASK) * 2 + 1] as number) & 0xffff;
  }

  valueLengthOf(row: Row): number {
    const { words } = this.#segments[row >>> OFFSET_BITS] as Segment;
    return words[(row & OFFSET_MASK) * 2] as number;
  }

  /** The lengths of key and value together. */
  payloadOf(row: Row): number {
    const { words } = this.#segments[row >>> OFFSET_BITS] as Segment;
    const at = (row & OFFSET_MASK) * 2;
    return ((words[at + 1] as number) & 0xffff) + (words[at] as number);
  }

  /** The memory that a row lies in; keyStartOf() and the lengths say where. */
  bytesOf(row: Row): Uint8Array {
    return (this.#segments[row >>> OFFSET_BITS] as Segment).bytes;
  }

  /** The same with a view of it. */
  sourceOf(row: Row): ViewedBytes {
    return this.#segments[row >>> OFFSET_BITS] as Segment;
  }

  /** All that there is to tell of a put, in one go. (bench: batch-memory.) */
  show(row: Row, to: ShownRow): void {
    const segment = this.#segments[row >>> OFFSET_BITS] as Segment;
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
    const segment = this.#segments[row >>> OFFSET_BITS] as Segment;
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

  /** Says that nothing points to a row any more; true when most of its segment is like that. */
  drop(row: Row): boolean {
    const segment = this.#segments[row >>> OFFSET_BITS] as Segment;
    const length = this.lengthOf(row);
    const at = (row & OFFSET_MASK) * 2 + 1;
    segment.words[at] = (segment.words[at] as number) | (DROPPED << 24);
    segment.garbage += length;
    this.#garbageBytes += length;
    return this.isSparse(row >>> OFFSET_BITS);
  }

  /** Nothing points to most of a segment any more. */
  isSparse(segment: number): boolean {
    const { garbage, used } = this.#segments[segment] as Segment;
    return garbage * 2 >= used - START;
  }

  /** Whatever is left in a segment can be moved. */
  get canMove(): boolean {
    return this.#segmentsLeft * 2 >= NOT_FOR_DELETES;
  }

  isDropped(row: Row): boolean {
    return (this.#flagsOf(row) & DROPPED) !== 0;
  }

  segmentOf(row: Row): number {
    return row >>> OFFSET_BITS;
  }

  /** Whether the rows of a segment can be moved: none is appended there, or of `revision` on. */
  isSettled(segment: number, revision: Revision): boolean {
    if (segment === this.#tail || segment === this.#moved) return false;
    return (this.#segments[segment] as Segment).lastRevision < revision;
  }

  firstOf(segment: number): Row {
    return segment * 2 ** OFFSET_BITS + START / 8;
  }

  /** The row behind it in the same segment; NO_ROW at its end. */
  behind(row: Row): Row {
    const { used } = this.#segments[row >>> OFFSET_BITS] as Segment;
    const end = (row & OFFSET_MASK) * 8 + this.lengthOf(row);
    return end < used ? row + this.lengthOf(row) / 8 : NO_ROW;
  }

  /** A segment has nothing that is pointed to. */
  isEmpty(segment: number): boolean {
    const { garbage, used } = this.#segments[segment] as Segment;
    return garbage === used - START;
  }

  /** Copies a row away from its segment, where it is left as garbage. */
  move(row: Row): Row {
    const from = this.#segments[row >>> OFFSET_BITS] as Segment;
    const length = this.lengthOf(row);
    const at = (row & OFFSET_MASK) * 8;
    this.#moved = this.#roomIn(this.#moved, length, 0);
    const segment = this.#segments[this.#moved] as Segment;
    const to = segment.used;
    segment.bytes.set(from.bytes.subarray(at, at + length), to);
    segment.used += length;
    segment.lastRevision = Math.max(segment.lastRevision, this.revisionOf(row));
    this.#usedBytes += length;
    this.drop(row);
    return this.#moved * 2 ** OFFSET_BITS + to / 8;
  }

  /** Lets the memory of a segment go, to whose rows nothing points any more. */
  release(segment: number): void {
    const { garbage, used } = this.#segments[segment] as Segment;
    this.#garbageBytes -= garbage;
    this.#usedBytes -= used - START;
    this.#release(segment);
  }

  #release(index: number): void {
    this.#segments[index] = NO_SEGMENT;
    this.#free.push(index);
  }

  #kindOf(row: Row): number {
    const { words } = this.#segments[row >>> OFFSET_BITS] as Segment;
    return ((words[(row & OFFSET_MASK) * 2 + 1] as number) >>> 16) & 0xff;
  }

  #flagsOf(row: Row): number {
    const { words } = this.#segments[row >>> OFFSET_BITS] as Segment;
    return (words[(row & OFFSET_MASK) * 2 + 1] as number) >>> 24;
  }

  /** Where its link is, in units of 8 bytes; 0 when it has none. */
  #linkOf(row: Row): number {
    const flags = this.#flagsOf(row);
    if ((flags & LINKED) === 0) return 0;
    return (row & OFFSET_MASK) + HEAD_BYTES / 8 + (flags & COUNTED ? COUNTS_BYTES / 8 : 0);
  }

  get #segmentsLeft(): number {
    return this.#segmentsMax - this.#segments.length + this.#free.length;
  }

  /** The segment `index` if it has room for so much, or a new one behind it. */
  #roomIn(index: number, length: number, spared: number): number {
    const segment = this.#segments[index];
    if (segment === undefined) return this.#addSegment(START + length, spared);
    const { used, bytes } = segment;
    // A large one is for one row, also when that has been taken back.
    if (used + length <= bytes.length && bytes.length <= this.#segmentBytes) return index;
    if (used === START) {
      // Whatever was in it has been taken back, and what goes on there, goes on in the new one.
      this.#segments[index] = this.#newSegment(START + length);
      return index;
    }
    const isTail = index === this.#tail;
    const made = this.#addSegment(START + length, spared);
    if (isTail) segment.next = made;
    return made;
  }

  #addSegment(least: number, spared: number): number {
    if (this.#segmentsLeft <= spared) {
      const text = `rows take all of ${this.#segmentsMax} segments of memory`;
      throw new KvdError("STORE_FULL", text);
    }
    const segment = this.#newSegment(least);
    const index = this.#free.pop() ?? this.#segments.length;
    this.#segments[index] = segment;
    return index;
  }

  #newSegment(least: number): Segment {
    const segment = new Segment(Math.max(least, this.#nextBytes));
    this.#nextBytes = Math.min(this.#segmentBytes, this.#nextBytes * 2);
    return segment;
  }
}
