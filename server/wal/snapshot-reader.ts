// Reads the bytes of a snapshot and believes none of them before the hash at the end: whatever
// cannot be, and at last a hash that does not fit, throws, and what was read is thrown away.

import { createHash, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import { ByteReader } from "../lib/byte-reader.js";
import { paddingBehind, SEAL_HASH_BYTES } from "../lib/sealed-bytes.js";
import { slowly } from "../lib/slow-work.js";
import type { ImageHeader, ImageTarget } from "../store/image.js";
import { ChunkReader } from "./chunk-reader.js";
import { DamagedError, DataError } from "./data-error.js";
import { ItemReader } from "./image-codec.js";
import {
  BLOCK_HEAD_BYTES,
  BLOCK_MAX_BYTES,
  COUNTS_BYTES,
  decodeCounts,
  decodeHeader,
  FORMAT_VERSION,
  HASH_BYTES,
  HEADER_MAX_BYTES,
  MAGIC,
  OLDEST_FORMAT_VERSION,
  PREAMBLE_BYTES,
  type SnapshotCounts,
} from "./snapshot-format.js";

const inflate = promisify(inflateRaw);

/** zlib gives its output in pieces: one is enough for all blocks but those of large values. */
const CHUNK_MIN_BYTES = 64;
const CHUNK_MAX_BYTES = 512 * 1024;

/** Takes a snapshot in. What it throws makes the snapshot a damaged one. */
export interface SnapshotSink {
  /** Where the items go. */
  begin(header: ImageHeader): ImageTarget;
  /** All was there, and its hash is right. */
  end(): void;
  /** After each block, with the bytes read so far: time for others. */
  pause(bytes: number): Promise<void>;
}

export interface SnapshotSummary extends SnapshotCounts {
  readonly header: ImageHeader;
  readonly formatVersion: number;
  readonly bytes: number;
  /** SHA-256 of all before it. */
  readonly hash: Uint8Array;
}

/**
 * Reads a snapshot to its end.
 *
 * @throws DataError that names `file`, and where in it.
 */
export async function readSnapshot(
  file: string,
  chunks: AsyncIterable<Uint8Array>,
  sink: SnapshotSink,
): Promise<SnapshotSummary> {
  const hash = createHash("sha256");
  const reader = new ChunkReader(chunks, (bytes) => hash.update(bytes));
  try {
    return await readAll(file, reader, (more) => hash.copy().update(more).digest(), sink);
  } catch (error) {
    if (error instanceof DataError || isOfSystem(error)) throw error;
    const what = error instanceof Error ? error.message : String(error);
    throw new DamagedError(file, `${what} (before byte ${reader.offset})`, { cause: error });
  }
}

/** Such as EIO, from reading. */
function isOfSystem(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

async function readAll(
  file: string,
  reader: ChunkReader,
  digest: (more: Uint8Array) => Buffer,
  sink: SnapshotSink,
): Promise<SnapshotSummary> {
  const preamble = new ByteReader(await reader.take(PREAMBLE_BYTES));
  if (!preamble.raw(MAGIC.length).equals(MAGIC)) {
    throw new DataError(`${file} is not a snapshot of kvd: it begins otherwise`);
  }
  const formatVersion = preamble.uint32();
  if (formatVersion < OLDEST_FORMAT_VERSION || formatVersion > FORMAT_VERSION) {
    const known = `${OLDEST_FORMAT_VERSION} to ${FORMAT_VERSION}`;
    throw new DataError(`${file} has the format ${formatVersion}, and this kvd reads ${known}`);
  }
  const header = decodeHeader(await reader.take(bounded(preamble.uint32(), HEADER_MAX_BYTES)));
  const items = new ItemReader(formatVersion, sink.begin(header));
  await readBlocks(reader, items, sink);
  const counts = decodeCounts(await reader.take(COUNTS_BYTES));
  const computed = digest(new Uint8Array(0));
  const hash = await reader.take(HASH_BYTES);
  if (!timingSafeEqual(computed, hash)) throw new RangeError("its hash is not that of its bytes");
  if (!(await reader.ended())) await readSeal(reader, digest);
  if (JSON.stringify(counts) !== JSON.stringify(items.counts)) {
    throw new RangeError("it does not hold as many items as it says");
  }
  sink.end();
  return { header, formatVersion, ...counts, bytes: reader.offset, hash };
}

/** What it has behind its end when one of etcd's clients has saved it. */
async function readSeal(reader: ChunkReader, digest: (more: Uint8Array) => Buffer): Promise<void> {
  const padding = paddingBehind(reader.offset);
  const seal = await reader.takeUpTo(padding + SEAL_HASH_BYTES);
  const zeros = seal.subarray(0, padding);
  const isWhole = seal.length === padding + SEAL_HASH_BYTES && (await reader.ended());
  const isSeal = isWhole && zeros.every((byte) => byte === 0);
  if (!isSeal || !timingSafeEqual(digest(zeros), seal.subarray(padding))) {
    throw new RangeError("it goes on after its end");
  }
}

async function readBlocks(
  reader: ChunkReader,
  items: ItemReader,
  sink: SnapshotSink,
): Promise<void> {
  let ahead = readBlock(reader);
  for (;;) {
    const block = await ahead;
    if (block === undefined) return;
    // The next is read and unpacked by a thread meanwhile.
    ahead = readBlock(reader);
    ahead.catch(() => {});
    const offset = reader.offset;
    const from = new ByteReader(block);
    while (!from.done) items.read(from);
    await sink.pause(offset);
  }
}

/** Undefined at the end. */
async function readBlock(reader: ChunkReader): Promise<Buffer | undefined> {
  const head = new ByteReader(await reader.take(BLOCK_HEAD_BYTES));
  const length = bounded(head.uint32(), BLOCK_MAX_BYTES);
  const stored = await reader.take(bounded(head.uint32(), length));
  return length === 0 ? undefined : unpacked(stored, length);
}

async function unpacked(stored: Buffer, length: number): Promise<Buffer> {
  if (stored.length === length) return stored;
  const chunkSize = Math.min(Math.max(length, CHUNK_MIN_BYTES), CHUNK_MAX_BYTES);
  const block = await slowly(() => inflate(stored, { maxOutputLength: length, chunkSize }));
  if (block.length !== length) throw new RangeError("a block is not as long as it says");
  return block;
}

function bounded(length: number, max: number): number {
  if (length > max) throw new RangeError(`a length of ${length}, where ${max} is the most`);
  return length;
}
