// Reads the bytes of a snapshot and believes none of them before the hash at the end: whatever
// cannot be, and at last a hash that does not fit, throws, and what was read is thrown away.

import { createHash, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import { ByteReader } from "../lib/byte-reader.js";
import { paddingBehind, SEAL_HASH_BYTES } from "../lib/sealed-bytes.js";
import { slowly } from "../lib/slow-work.js";
import type { ImageHeader, ImageItem } from "../store/image.js";
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
  ItemCounter,
  MAGIC,
  OLDEST_FORMAT_VERSION,
  PREAMBLE_BYTES,
  type SnapshotCounts,
} from "./snapshot-format.js";

const inflate = promisify(inflateRaw);

/** Takes a snapshot in. What it throws makes the snapshot a damaged one. */
export interface SnapshotSink {
  begin(header: ImageHeader): void;
  add(item: ImageItem): void;
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
  sink.begin(header);
  const counter = new ItemCounter();
  await readBlocks(
    reader,
    new ItemReader(formatVersion),
    (item) => {
      counter.add(item.kind);
      sink.add(item);
    },
    sink,
  );
  const counts = decodeCounts(await reader.take(COUNTS_BYTES));
  const computed = digest(new Uint8Array(0));
  const hash = await reader.take(HASH_BYTES);
  if (!timingSafeEqual(computed, hash)) throw new RangeError("its hash is not that of its bytes");
  if (!(await reader.ended())) await readSeal(reader, digest);
  if (JSON.stringify(counts) !== JSON.stringify(counter.counts)) {
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
  add: (item: ImageItem) => void,
  sink: SnapshotSink,
): Promise<void> {
  for (;;) {
    const head = new ByteReader(await reader.take(BLOCK_HEAD_BYTES));
    const length = bounded(head.uint32(), BLOCK_MAX_BYTES);
    const stored = await reader.take(bounded(head.uint32(), length));
    if (length === 0) return;
    const block = new ByteReader(await unpacked(stored, length));
    while (!block.done) add(items.read(block));
    await sink.pause(reader.offset);
  }
}

async function unpacked(stored: Buffer, length: number): Promise<Buffer> {
  if (stored.length === length) return stored;
  const block = await slowly(() => inflate(stored, { maxOutputLength: length }));
  if (block.length !== length) throw new RangeError("a block is not as long as it says");
  return block;
}

function bounded(length: number, max: number): number {
  if (length > max) throw new RangeError(`a length of ${length}, where ${max} is the most`);
  return length;
}
