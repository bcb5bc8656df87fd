// Records that are written together: what arrives while the batch before it is on its way.

import type { KvdError } from "../kv/errors.js";
import type { Revision } from "../kv/types.js";
import type { LogRecord, Position } from "../store/backend.js";
import type { SegmentHeader, SegmentKeys } from "./log-format.js";
import { encodeRecord, type RecordFrame, recordBytes } from "./record-codec.js";

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

export class LogBatch {
  /** The segment that it begins, if it does. */
  readonly header: SegmentHeader | undefined;
  /** Where its first record goes. */
  readonly startOffset: number;
  /** Settles once all of it is durable, or never will be. */
  readonly done: Promise<void>;
  end: LogPoint;
  #buffer: Buffer;
  #length = 0;
  #resolve: () => void = () => {};
  #reject: (error: KvdError) => void = () => {};

  constructor(start: LogPoint, header: SegmentHeader | undefined, buffer: Buffer | undefined) {
    this.end = start;
    this.startOffset = start.offset;
    this.header = header;
    this.#buffer = buffer ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => {});
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  /** For the next batch, once this one is written. */
  get buffer(): Buffer | undefined {
    return this.#buffer.length > KEPT_BYTES ? undefined : this.#buffer;
  }

  add(record: LogRecord, frame: Omit<RecordFrame, "previousCrc" | "keys">): void {
    const bytes = recordBytes(record);
    this.#grow(this.#length + bytes);
    const { position, segment, keys, offset, crc: previousCrc } = this.end;
    const crc = encodeRecord(this.#buffer, this.#length, record, { ...frame, keys, previousCrc });
    this.#length += bytes;
    const { revision } = record;
    this.end = { position: position + 1, revision, segment, keys, offset: offset + bytes, crc };
  }

  succeed(): void {
    this.#resolve();
  }

  fail(error: KvdError): void {
    this.#reject(error);
  }

  #grow(length: number): void {
    if (length <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(length, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
