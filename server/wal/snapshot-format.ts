// The frame of a snapshot: a header, blocks of items, a footer with a hash over all of it.
// docs/format.md, Snapshots, is the specification.

import { ByteReader } from "../lib/byte-reader.js";
import { ByteWriter } from "../lib/byte-writer.js";
import type { ImageHeader } from "../store/image.js";

export const MAGIC = Buffer.from("kvd snap");
/** What is written. */
export const FORMAT_VERSION = 2;

/** The oldest that is read. */
export const OLDEST_FORMAT_VERSION = 1;

/** The magic, the version of the format, and the length of the header that follows. */
export const PREAMBLE_BYTES = 16;

/** How long a header can be: far above what it is. */
export const HEADER_MAX_BYTES = 4096;

/** Two lengths: of the items, and of what stands there for them. */
export const BLOCK_HEAD_BYTES = 8;

/**
 * A block is closed once it has as many bytes; the item that makes it so many is in it whole. To
 * compress one takes a thread a millisecond: on a machine of one core calls wait no longer for it.
 */
export const BLOCK_BYTES = 64 * 1024;

/** No item is larger: a key and a value with the largest limits that can be set. */
export const BLOCK_MAX_BYTES = 256 * 1024 * 1024;

export const HASH_BYTES = 32;

/** What a snapshot says of itself at its end. */
export interface SnapshotCounts {
  readonly leases: number;
  readonly entries: number;
  readonly commits: number;
  readonly changes: number;
}

export function encodeHeader(header: ImageHeader): Buffer {
  const writer = new ByteWriter();
  writer.bytes(Buffer.from(header.storeId));
  writer.varint(header.revision);
  writer.varint(header.compactRevision);
  writer.varint(header.timeMs);
  writer.varint(header.log.segment);
  writer.varint(header.log.crc);
  writer.varint(header.log.runningMs);
  const body = writer.take();
  writer.raw(MAGIC);
  writer.uint32(FORMAT_VERSION);
  writer.uint32(body.length);
  writer.raw(body);
  return writer.take();
}

/** The body of the header. @throws RangeError. */
export function decodeHeader(bytes: Uint8Array): ImageHeader {
  const reader = new ByteReader(bytes);
  const storeId = reader.raw(reader.varint()).toString();
  if (!/^[0-9a-f]{32}$/.test(storeId)) throw new RangeError("the store's id is none");
  const header = {
    storeId,
    revision: reader.varint(),
    compactRevision: reader.varint(),
    timeMs: reader.varint(),
    log: { segment: reader.varint(), crc: reader.varint(), runningMs: reader.varint() },
  };
  if (!reader.done) throw new RangeError("the header is longer than its fields");
  return header;
}

export function encodeCounts(counts: SnapshotCounts): Buffer {
  const writer = new ByteWriter();
  for (const count of [counts.leases, counts.entries, counts.commits, counts.changes]) {
    writer.int64(BigInt(count));
  }
  return writer.take();
}

export const COUNTS_BYTES = 32;

/** @throws RangeError. */
export function decodeCounts(bytes: Uint8Array): SnapshotCounts {
  const reader = new ByteReader(bytes);
  const [leases, entries, commits, changes] = Array.from({ length: 4 }, () => {
    const count = Number(reader.int64());
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError("a count is none");
    return count;
  }) as [number, number, number, number];
  return { leases, entries, commits, changes };
}
