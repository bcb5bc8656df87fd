// Rows: the versions of keys as bytes, one behind the other, in segments of memory. No object, text
// or buffer of JavaScript belongs to a row, so the garbage collector has nothing to walk.
//
// Commits append at the tail, and the rows of a commit follow each other. Rows that compaction has
// left alone in a segment are moved to other segments, so that it can go. What was given out as a
// view stays as it was: memory is let go, never written again behind somebody's back.

import { KvdError } from "../kv/errors.js";
import type { Revision } from "../kv/types.js";
import { RowFields } from "./row-fields.js";
import {
  DROPPED,
  flagsOf,
  LINKED,
  lengthOf,
  type NewRow,
  OFFSET_BITS,
  OFFSET_MASK,
  type Row,
  type RowLink,
  Segment,
  START,
  writeLink,
  writeRow,
} from "./row-layout.js";

const SEGMENTS_MAX = 2 ** (32 - OFFSET_BITS);
/** Of those, what puts leave to others: a store that is full can still delete. */
const NOT_FOR_PUTS = 64;
/** And what deletes leave: rows are moved there, which gives segments back. */
const NOT_FOR_DELETES = 8;
const FIRST_SEGMENT_BYTES = 16 * 1024;
/** A row that is longer has a segment of its own: none begins behind these bytes. */
const SEGMENT_BYTES = 2 ** (OFFSET_BITS + 3);
const NO_SEGMENT = new Segment(START);

export class Rows extends RowFields {
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
    super();
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
    const segment = this.segments[this.#tail] as Segment;
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
    const segment = this.segments[index] as Segment;
    for (let after = segment.next; after >= 0; ) {
      const { next, used } = this.segments[after] as Segment;
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

  /** Says that nothing points to a row any more; true when most of its segment is like that. */
  drop(row: Row): boolean {
    const segment = this.segments[row >>> OFFSET_BITS] as Segment;
    const length = this.lengthOf(row);
    const at = (row & OFFSET_MASK) * 2 + 1;
    segment.words[at] = (segment.words[at] as number) | (DROPPED << 24);
    segment.garbage += length;
    this.#garbageBytes += length;
    return this.isSparse(row >>> OFFSET_BITS);
  }

  /** Nothing points to most of a segment any more. */
  isSparse(segment: number): boolean {
    const { garbage, used } = this.segments[segment] as Segment;
    return garbage * 2 >= used - START;
  }

  /** Whatever is left in a segment can be moved. */
  get canMove(): boolean {
    return this.#segmentsLeft * 2 >= NOT_FOR_DELETES;
  }

  /** Whether the rows of a segment can be moved: none is appended there, or of `revision` on. */
  isSettled(segment: number, revision: Revision): boolean {
    if (segment === this.#tail || segment === this.#moved) return false;
    return (this.segments[segment] as Segment).lastRevision < revision;
  }

  /** A segment has nothing that is pointed to. */
  isEmpty(segment: number): boolean {
    const { garbage, used } = this.segments[segment] as Segment;
    return garbage === used - START;
  }

  /** Copies a row away from its segment, where it is left as garbage. */
  move(row: Row): Row {
    const from = this.segments[row >>> OFFSET_BITS] as Segment;
    const length = this.lengthOf(row);
    const at = (row & OFFSET_MASK) * 8;
    this.#moved = this.#roomIn(this.#moved, length, 0);
    const segment = this.segments[this.#moved] as Segment;
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
    const { garbage, used } = this.segments[segment] as Segment;
    this.#garbageBytes -= garbage;
    this.#usedBytes -= used - START;
    this.#release(segment);
  }

  #release(index: number): void {
    this.segments[index] = NO_SEGMENT;
    this.#free.push(index);
  }

  get #segmentsLeft(): number {
    return this.#segmentsMax - this.segments.length + this.#free.length;
  }

  /** The segment `index` if it has room for so much, or a new one behind it. */
  #roomIn(index: number, length: number, spared: number): number {
    const segment = this.segments[index];
    if (segment === undefined) return this.#addSegment(START + length, spared);
    const { used, bytes } = segment;
    // A large one is for one row, also when that has been taken back.
    if (used + length <= bytes.length && bytes.length <= this.#segmentBytes) return index;
    if (used === START) {
      // Whatever was in it has been taken back, and what goes on there, goes on in the new one.
      this.segments[index] = this.#newSegment(START + length);
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
    const index = this.#free.pop() ?? this.segments.length;
    this.segments[index] = segment;
    return index;
  }

  #newSegment(least: number): Segment {
    const segment = new Segment(Math.max(least, this.#nextBytes));
    this.#nextBytes = Math.min(this.#segmentBytes, this.#nextBytes * 2);
    return segment;
  }
}
