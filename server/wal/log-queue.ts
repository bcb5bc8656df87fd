// What is appended to a log and not durable yet, in batches: one fills, those before it are sealed,
// and the first of them is on its way to the disk.
//
// Two points move through it: the head, behind the newest record, and the durable one. Knows
// nothing of files.

import type { KvdError } from "../kv/errors.js";
import { randomUint32 } from "../lib/random.js";
import type { LogRecord, Position } from "../store/backend.js";
import { LogBatch, type LogPoint } from "./log-batch.js";
import { SEGMENT_HEADER_BYTES } from "./log-format.js";

export interface LogQueueOptions {
  readonly storeId: string;
  /** A segment that has reached it is followed by another. */
  readonly segmentMaxBytes: number;
  /** A batch is synced when it is written. */
  readonly syncsEach: boolean;
}

const NOWHERE: LogPoint = {
  position: 0,
  revision: 0,
  segment: 0,
  keys: { syncWord: 0, salt: 0 },
  offset: 0,
  crc: 0,
};

export class LogQueue {
  readonly #options: LogQueueOptions;
  /** Behind the newest record, but for those of the batch that fills. */
  #head: LogPoint = NOWHERE;
  #durable: LogPoint = NOWHERE;
  #filling: LogBatch | undefined;
  readonly #sealed: LogBatch[] = [];
  /** Taken back, and not told yet. */
  readonly #dropped: LogBatch[] = [];
  /** Of a batch that is done, for another. */
  #buffer: Uint8Array | undefined;
  /** In the segment of the head. */
  #syncedOffset = 0;

  constructor(options: LogQueueOptions) {
    this.#options = options;
  }

  /** Everything before it is durable, and synced. */
  begin(point: LogPoint): void {
    this.#head = point;
    this.#durable = point;
    this.#syncedOffset = point.offset;
  }

  /** Behind the newest record. */
  get head(): LogPoint {
    return this.#filling?.end ?? this.#head;
  }

  /** Behind the newest durable record. */
  get durable(): LogPoint {
    return this.#durable;
  }

  /** Bytes of records that are not durable yet. */
  get pendingBytes(): number {
    let bytes = this.#filling?.length ?? 0;
    for (const batch of this.#sealed) bytes += batch.length;
    return bytes;
  }

  add(record: LogRecord, runningMs: number): Position {
    this.#filling ??= this.#newBatch(false);
    const { syncsEach } = this.#options;
    const syncedOffset = syncsEach ? this.#filling.startOffset : this.#syncedOffset;
    const unsynced = Math.max(0, this.#filling.endOffset - syncedOffset);
    this.#filling.add(record, { runningMs, unsynced });
    return this.#filling.endPosition;
  }

  /** Makes the next record the first of a segment, whose batch this is. */
  beginSegment(): LogBatch {
    this.#seal();
    this.#filling = this.#newBatch(true);
    return this.#filling;
  }

  /** The batch that a position comes with; undefined when it is durable, or none. */
  batchOf(position: Position): LogBatch | undefined {
    return this.#sealed.find(({ endPosition }) => endPosition >= position) ?? this.#filling;
  }

  /** The batch that is to be written next: the one that fills, when there is no other. */
  first(): LogBatch | undefined {
    if (this.#sealed.length === 0) this.#seal();
    return this.#sealed[0];
  }

  /** The segment that the first batch begins is there. */
  segmentBegun({ header, startOffset }: LogBatch): void {
    if (header === undefined) return;
    const { number: segment, keys } = header;
    this.#durable = { ...this.#durable, segment, keys, offset: startOffset };
  }

  /** The first batch is written. */
  finish(batch: LogBatch): void {
    this.#sealed.shift();
    this.#durable = batch.end;
    if (this.#options.syncsEach) this.#syncedOffset = batch.end.offset;
    this.#buffer ??= batch.buffer;
  }

  /** Everything before the point is synced. */
  synced({ segment, offset }: LogPoint): void {
    if (this.head.segment === segment) this.#syncedOffset = offset;
  }

  /** Forgets what is not durable. */
  takeBack(): void {
    this.#dropped.push(...this.#sealed.splice(0));
    if (this.#filling !== undefined) this.#dropped.push(this.#filling);
    this.#filling = undefined;
    this.#head = this.#durable;
  }

  /** Tells those who wait for what was forgotten. */
  refuse(errorFor: () => KvdError): void {
    for (const batch of this.#dropped.splice(0)) batch.fail(errorFor());
  }

  /** No more records go with the batch that fills. */
  #seal(): void {
    if (this.#filling === undefined) return;
    this.#head = this.#filling.end;
    this.#sealed.push(this.#filling);
    this.#filling = undefined;
  }

  #newBatch(newSegment: boolean): LogBatch {
    const buffer = this.#buffer;
    this.#buffer = undefined;
    const { segmentMaxBytes, storeId } = this.#options;
    if (!newSegment && this.#head.offset < segmentMaxBytes) {
      return new LogBatch(this.#head, undefined, buffer);
    }
    const { revision, segment, crc } = this.#head;
    const number = segment + 1;
    const keys = { syncWord: randomUint32(), salt: randomUint32() };
    this.#head = { ...this.#head, segment: number, keys, offset: SEGMENT_HEADER_BYTES };
    this.#syncedOffset = SEGMENT_HEADER_BYTES;
    const header = { number, storeId, firstRevision: revision + 1, seed: crc, keys };
    return new LogBatch(this.#head, header, buffer);
  }
}
