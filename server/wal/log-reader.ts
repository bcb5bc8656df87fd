// Reads a log from a place on, record by record; tells a tail that a crash has torn from damage.
//
// A bad record is a torn tail only in the last segment, and only if nothing behind it says that the
// place had been synced before: records carry how much before them was not, so what a power cut
// left of the last batch, with holes in it, is told from a hole in what had been answered.

import { type OpenFile, readUpTo } from "../lib/files.js";
import { type ViewedBytes, viewedBytes, viewOf } from "../lib/viewed-bytes.js";
import type { ReplayedRecord } from "../store/backend.js";
import type { LogPlace } from "../store/image.js";
import { type DataDirectory, segmentName } from "./data-directory.js";
import { DamagedError } from "./data-error.js";
import {
  ALIGNMENT,
  decodeSegmentHeader,
  frameAt,
  HEAD,
  RECORD_HEAD_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  type SegmentKeys,
} from "./log-format.js";
import { RecordReader } from "./record-reader.js";

const CHUNK_BYTES = 1024 * 1024;

/** Far more than a batch: no crash tears so much. */
const TAIL_MAX_BYTES = 3 * 1024 ** 3;

export interface LogSink {
  /** A segment begins. What it throws makes its header a damaged one. */
  begin(header: SegmentHeader): void;
  /** What it throws makes the record a damaged one. */
  add(record: ReplayedRecord): void;
  /** After each piece, with the bytes read since the last call: time for others. */
  pause(bytes: number): Promise<void>;
}

export interface TornTail {
  readonly segment: number;
  readonly file: string;
  /** What is whole ends here. */
  readonly offset: number;
  readonly bytes: number;
  /** What is wrong with the first of them. */
  readonly what: string;
}

export interface ReadLog {
  /** The last segment, what is whole of it, and the CRC of the last record. */
  readonly segment: number;
  readonly keys: SegmentKeys;
  readonly length: number;
  readonly crc: number;
  readonly records: number;
  /** What is whole of the last segment was synced up to here, by its last record. */
  readonly synced: number;
  readonly torn: TornTail | undefined;
}

/** @throws DamagedError that names the file and the offset. */
export async function readLog(
  data: DataDirectory,
  from: Pick<LogPlace, "segment" | "crc"> & { readonly storeId: string },
  sink: LogSink,
): Promise<ReadLog> {
  const segments = (await data.segments()).filter((number) => number >= from.segment);
  const last = segments.at(-1) ?? 0;
  let crc = from.crc;
  let records = 0;
  for (let number = from.segment; number <= Math.max(last, from.segment); number += 1) {
    const path = data.folder.pathOf(segmentName(number));
    if (!segments.includes(number)) {
      throw new DamagedError(path, "it is missing, and what it held is not in a snapshot");
    }
    const read = await data.folder.using(segmentName(number), (file) => {
      const reader = new SegmentReader(path, file, sink);
      return reader.read({ number, storeId: from.storeId, seed: crc, isLast: number === last });
    });
    crc = read.crc;
    records += read.records;
    if (number === last) return { segment: number, ...read, records };
  }
  throw new DamagedError(data.path, "the log is missing");
}

interface RecordPlace {
  readonly at: number;
  readonly length: number;
  readonly offset: number;
}

class SegmentReader {
  readonly #path: string;
  readonly #file: OpenFile;
  readonly #sink: LogSink;
  readonly #records = new RecordReader();
  #size = 0;

  constructor(path: string, file: OpenFile, sink: LogSink) {
    this.#path = path;
    this.#file = file;
    this.#sink = sink;
  }

  async read(wanted: {
    readonly number: number;
    readonly storeId: string;
    readonly seed: number;
    readonly isLast: boolean;
  }) {
    this.#size = await this.#file.size();
    const { keys } = await this.#readHeader(wanted);
    let crc = wanted.seed;
    let records = 0;
    let offset = SEGMENT_HEADER_BYTES;
    let viewed = viewedBytes(Buffer.alloc(0));
    let at = 0;
    let told = 0;
    let synced = SEGMENT_HEADER_BYTES;
    try {
      while (offset < this.#size) {
        const left = this.#size - offset;
        const framed = frameAt(viewed.view, at, { left, keys });
        if (framed.kind === "short") {
          await this.#sink.pause(offset - told);
          told = offset;
          const chunk = await readUpTo(
            this.#file,
            Math.max(framed.length, Math.min(CHUNK_BYTES, left)),
            offset,
          );
          viewed = viewedBytes(chunk);
          at = 0;
          if (chunk.length < framed.length) throw this.#damaged(offset, "it ends while it is read");
          continue;
        }
        const what = framed.kind === "none" ? framed.what : misplaced(viewed.view, at, crc);
        if (what !== undefined) {
          const torn = await this.#tornAt(offset, {
            ...wanted,
            keys,
            what,
            whole: framed.kind === "record",
          });
          return { keys, length: offset, crc, records, synced, torn };
        }
        const { length } = framed as { readonly length: number };
        this.#add(viewed, { at, length, offset });
        crc = (framed as { readonly crc: number }).crc;
        synced = offset - viewed.view.getUint32(at + HEAD.unsynced, true);
        records += 1;
        offset += length;
        at += length;
      }
      return { keys, length: offset, crc, records, synced, torn: undefined };
    } finally {
      await this.#sink.pause(offset - told);
    }
  }

  async #readHeader(wanted: {
    readonly number: number;
    readonly storeId: string;
    readonly seed: number;
  }): Promise<SegmentHeader> {
    try {
      const header = decodeSegmentHeader(await readUpTo(this.#file, SEGMENT_HEADER_BYTES, 0));
      const { number, storeId, seed } = header;
      if (storeId !== wanted.storeId) {
        throw new RangeError(`it is of store ${storeId}, not of ${wanted.storeId}`);
      }
      if (number !== wanted.number) throw new RangeError(`it is segment ${number}`);
      if (seed !== wanted.seed) throw new RangeError("it does not go on where the one before ends");
      this.#sink.begin(header);
      return header;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw this.#damaged(0, error.message, error);
    }
  }

  /** The record that stands at `at` in the bytes, and at `offset` in the file. */
  #add(from: ViewedBytes, { at, length, offset }: RecordPlace): void {
    try {
      this.#sink.add(this.#records.read(from, at, length));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw this.#damaged(offset, error.message, error);
    }
  }

  /** What a crash has torn from `offset` on. @throws DamagedError when it is damage. */
  async #tornAt(
    offset: number,
    bad: {
      readonly number: number;
      readonly keys: SegmentKeys;
      readonly isLast: boolean;
      readonly what: string;
      readonly whole: boolean;
    },
  ): Promise<TornTail> {
    const { what } = bad;
    if (!bad.isLast || bad.whole) throw this.#damaged(offset, what);
    if (this.#size - offset > TAIL_MAX_BYTES) throw this.#damaged(offset, what);
    const tail = await readUpTo(this.#file, this.#size - offset, offset);
    const later = laterSynced(tail, bad.keys);
    if (later !== undefined) {
      throw this.#damaged(offset, `${what}; at ${offset + later} a record follows that came later`);
    }
    return { segment: bad.number, file: this.#path, offset, bytes: tail.length, what };
  }

  #damaged(offset: number, what: string, cause?: unknown): DamagedError {
    return new DamagedError(this.#path, `at offset ${offset}: ${what}`, { cause });
  }
}

/** What is wrong with a record that is whole; undefined when it belongs here. */
function misplaced(view: DataView, at: number, crc: number): string | undefined {
  if (view.getUint32(at + HEAD.previousCrc, true) === crc) return undefined;
  return "a record stands here that does not follow the one before";
}

/**
 * Where in a tail, whose first record is bad, a whole record stands that was written after the bad
 * one had been synced. Values cannot feign one: they do not know the segment's keys.
 */
function laterSynced(tail: Buffer, keys: SegmentKeys): number | undefined {
  const view = viewOf(tail);
  for (let at = ALIGNMENT; at < tail.length; at += ALIGNMENT) {
    const left = tail.length - at;
    if (left < RECORD_HEAD_BYTES || view.getUint32(at, true) !== keys.syncWord) continue;
    if (frameAt(view, at, { left, keys }).kind !== "record") continue;
    if (view.getUint32(at + HEAD.unsynced, true) < at) return at;
  }
  return undefined;
}
