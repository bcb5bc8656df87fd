// Records that are written together: what arrives while the batch before it is on its way.

import type { KvdError } from "../kv/errors.js";
import type { Revision } from "../kv/types.js";
import { type ViewedBytes, viewedBytes } from "../lib/viewed-bytes.js";
import type { LogRecord, Position } from "../store/backend.js";
import type { SegmentHeader, SegmentKeys } from "./log-format.js";
import { type RecordFrame, RecordWriter, recordBytes } from "./record-writer.js";

/** A place in the log: behind a record. */
export interface LogPoint {
  /** The number of the record. */
  readonly position: Position;
  /** The head then. */
  readonly revision: Revision;
  readonly segment: number;
  readonly keys: SegmentKeys;
  /** In the segment: where the next record goes. */
  readonly offset: number;
  /** The record's CRC. */
  readonly crc: number;
}

const FIRST_BYTES = 64 * 1024;

/** A buffer that has grown beyond it is not used again. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** It keeps nothing from one record to the next. */
const WRITER = new RecordWriter();

export class LogBatch {
  /** The segment that it begins, if it does. */
  readonly header: SegmentHeader | undefined;
  /** Where its first record goes. */
  readonly startOffset: number;
  /** Settles once all of it is durable, or never will be. */
  readonly done: Promise<void>;
  readonly #frame: { -readonly [field in keyof RecordFrame]: RecordFrame[field] };
  readonly #segment: number;
  #position: Position;
  #revision: Revision;
  #to: ViewedBytes;
  #length = 0;
  #resolve: () => void = () => {};
  #reject: (error: KvdError) => void = () => {};

  constructor(start: LogPoint, header: SegmentHeader | undefined, buffer: Uint8Array | undefined) {
    const { position, revision, segment, keys, offset, crc: previousCrc } = start;
    this.#frame = { keys, previousCrc, runningMs: 0, unsynced: 0 };
    this.#segment = segment;
    this.#position = position;
    this.#revision = revision;
    this.startOffset = offset;
    this.header = header;
    this.#to = viewedBytes(buffer ?? Buffer.allocUnsafeSlow(FIRST_BYTES));
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => {});
  }

  /** Behind its last record. */
  get end(): LogPoint {
    const { keys, previousCrc: crc } = this.#frame;
    const { endOffset: offset } = this;
    return {
      position: this.#position,
      revision: this.#revision,
      segment: this.#segment,
      keys,
      offset,
      crc,
    };
  }

  get endPosition(): Position {
    return this.#position;
  }

  get endOffset(): number {
    return this.startOffset + this.#length;
  }

  get bytes(): Uint8Array {
    return this.#to.bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  /** For the next batch, once this one is written. */
  get buffer(): Uint8Array | undefined {
    return this.#to.bytes.length > KEPT_BYTES ? undefined : this.#to.bytes;
  }

  /** `unsynced`: bytes before it, in its segment, that are not known to be synced. */
  add(record: LogRecord, at: { readonly runningMs: number; readonly unsynced: number }): void {
    const bytes = recordBytes(record);
    this.#grow(this.#length + bytes);
    const frame = this.#frame;
    frame.runningMs = at.runningMs;
    frame.unsynced = at.unsynced;
    frame.previousCrc = WRITER.write(this.#to, this.#length, record, frame);
    this.#length += bytes;
    this.#position += 1;
    this.#revision = record.revision;
  }

  succeed(): void {
    this.#resolve();
  }

  fail(error: KvdError): void {
    this.#reject(error);
  }

  #grow(length: number): void {
    const { bytes } = this.#to;
    if (length <= bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(length, bytes.length * 2));
    grown.set(bytes.subarray(0, this.#length));
    this.#to = viewedBytes(grown);
  }
}
