// The frame of the log: segments with a header, and records behind it, each bound to the one before
// it. docs/format.md, The log, is the specification. Little-endian, and everything is aligned to 8
// bytes, so that records can be read in place by typed arrays.

import { crc32c } from "../lib/crc32c.js";
import { viewOf } from "../lib/viewed-bytes.js";

export const SEGMENT_MAGIC = Buffer.from("kvd log\n");
export const LOG_FORMAT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 64;

export const RECORD_HEAD_BYTES = 48;

/** Far above what a txn or a delete with the largest limits makes. */
export const RECORD_MAX_BYTES = 1024 * 1024 * 1024;

export const ALIGNMENT = 8;

/** Where fields of a record's head stand. */
export const HEAD = {
  sync: 0,
  length: 4,
  previousCrc: 8,
  crc: 12,
  timeMs: 16,
  revision: 24,
  runningMs: 32,
  unsynced: 40,
  items: 44,
} as const;

/**
 * What the records of a segment begin with, and what their CRCs begin from: random, and never told,
 * so that nobody can write a value that looks like a record.
 */
export interface SegmentKeys {
  readonly syncWord: number;
  readonly salt: number;
}

export interface SegmentHeader {
  /** 1 for the first of a store, one more for each. */
  readonly number: number;
  readonly storeId: string;
  /** The revision of the first commit in it, if there is one. */
  readonly firstRevision: number;
  /** The CRC of the last record before it; of the store's id in the first segment. */
  readonly seed: number;
  readonly keys: SegmentKeys;
}

const HEADER_CRC_AT = 56;

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(bytes);
  bytes.writeUInt32LE(LOG_FORMAT_VERSION, 8);
  bytes.writeUInt32LE(header.seed, 12);
  writeUint64(bytes, header.number, 16);
  writeUint64(bytes, header.firstRevision, 24);
  bytes.write(header.storeId, 32, "hex");
  bytes.writeUInt32LE(header.keys.syncWord, 48);
  bytes.writeUInt32LE(header.keys.salt, 52);
  bytes.writeUInt32LE(crc32c(viewOf(bytes), 0, HEADER_CRC_AT), HEADER_CRC_AT);
  return bytes;
}

/** @throws RangeError that says what is wrong. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader {
  if (bytes.length < SEGMENT_HEADER_BYTES) throw new RangeError("its header is not whole");
  if (!bytes.subarray(0, SEGMENT_MAGIC.length).equals(SEGMENT_MAGIC)) {
    throw new RangeError("it is not a segment of a log of kvd");
  }
  const version = bytes.readUInt32LE(8);
  if (version !== LOG_FORMAT_VERSION) {
    throw new RangeError(`it has the format ${version}, and this kvd reads ${LOG_FORMAT_VERSION}`);
  }
  const crc = bytes.readUInt32LE(HEADER_CRC_AT);
  const padded = bytes.subarray(HEADER_CRC_AT + 4, SEGMENT_HEADER_BYTES).some((byte) => byte !== 0);
  if (crc !== crc32c(viewOf(bytes), 0, HEADER_CRC_AT) || padded) {
    throw new RangeError("the checksum of its header does not fit");
  }
  return {
    number: readUint64(bytes, 16),
    storeId: bytes.toString("hex", 32, 48),
    firstRevision: readUint64(bytes, 24),
    seed: bytes.readUInt32LE(12),
    keys: { syncWord: bytes.readUInt32LE(48), salt: bytes.readUInt32LE(52) },
  };
}

/** What the chain of CRCs of a store begins with. */
export function firstSeed(storeId: string): number {
  const bytes = Buffer.from(storeId, "hex");
  return crc32c(viewOf(bytes), 0, bytes.length);
}

/** The CRC that the record of so many bytes should have that stands at `start`. */
export function recordCrc(
  view: DataView,
  start: number,
  { length, salt }: { readonly length: number; readonly salt: number },
): number {
  const head = crc32c(view, start, start + HEAD.crc, salt);
  return crc32c(view, start + HEAD.crc + 4, start + length, head);
}

export type Framed =
  | { readonly kind: "record"; readonly length: number; readonly crc: number }
  /** More bytes are needed to tell: so many in all. */
  | { readonly kind: "short"; readonly length: number }
  | { readonly kind: "none"; readonly what: string };

/**
 * Whether a record stands at `start`, whole and as it was written; of which one before it, is for
 * the caller to ask. `left` is what the file has from `start` on: no length above it is believed.
 */
export function frameAt(
  view: DataView,
  start: number,
  { left, keys }: { readonly left: number; readonly keys: SegmentKeys },
): Framed {
  if (left < RECORD_HEAD_BYTES) return none(`${left} bytes are no record`);
  if (view.byteLength - start < RECORD_HEAD_BYTES)
    return { kind: "short", length: RECORD_HEAD_BYTES };
  if (view.getUint32(start + HEAD.sync, true) !== keys.syncWord)
    return none("no record begins here");
  const length = view.getUint32(start + HEAD.length, true);
  if (length < RECORD_HEAD_BYTES || length % ALIGNMENT !== 0 || length > RECORD_MAX_BYTES) {
    return none(`a record cannot be ${length} bytes long`);
  }
  if (length > left) return none(`a record of ${length} bytes, and ${left} are there`);
  if (view.byteLength - start < length) return { kind: "short", length };
  const crc = view.getUint32(start + HEAD.crc, true);
  if (crc !== recordCrc(view, start, { length, salt: keys.salt })) {
    return none("the checksum of a record does not fit");
  }
  return { kind: "record", length, crc };
}

function none(what: string): Framed {
  return { kind: "none", what };
}

const HIGH = 0x1_0000_0000;

export function writeUint64(bytes: Buffer, value: number, at: number): void {
  const low = value >>> 0;
  bytes.writeUInt32LE(low, at);
  bytes.writeUInt32LE((value - low) / HIGH, at + 4);
}

/** The same where it has to be fast. (bench: batch-durable.) */
export function setUint64(view: DataView, value: number, at: number): void {
  const low = value >>> 0;
  view.setUint32(at, low, true);
  view.setUint32(at + 4, (value - low) / HIGH, true);
}

/** @throws RangeError above 2^53 - 1. */
export function getUint64(view: DataView, at: number): number {
  const value = view.getUint32(at + 4, true) * HIGH + view.getUint32(at, true);
  if (value > Number.MAX_SAFE_INTEGER) throw new RangeError("a number above 2^53 - 1");
  return value;
}

/** @throws RangeError above 2^53 - 1. */
export function readUint64(bytes: Buffer, at: number): number {
  const value = bytes.readUInt32LE(at + 4) * HIGH + bytes.readUInt32LE(at);
  if (value > Number.MAX_SAFE_INTEGER) throw new RangeError("a number above 2^53 - 1");
  return value;
}
