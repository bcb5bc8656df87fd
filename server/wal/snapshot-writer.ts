// A store's image as the bytes of a snapshot, chunk by chunk, at the pace of who takes them.

import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { deflateRaw } from "node:zlib";
import { ByteWriter } from "../lib/byte-writer.js";
import { slowly } from "../lib/slow-work.js";
import type { ImageHeader, ImageTarget } from "../store/image.js";
import { ItemWriter } from "./image-codec.js";
import { BLOCK_BYTES, encodeCounts, encodeHeader } from "./snapshot-format.js";

const deflate = promisify(deflateRaw);

/** The fastest: what a higher level saves costs several times its time. */
const COMPRESSION_LEVEL = 1;

/** Compressed only if it makes a block smaller by an eighth. */
const WORTH_IT = 7 / 8;

export interface ImageSource {
  readonly header: ImageHeader;
  /** Gives some of the next items; false at the end. */
  next(target: ImageTarget): Promise<boolean>;
}

export async function* encodeSnapshot(source: ImageSource): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  const hashed = (chunk: Buffer) => {
    hash.update(chunk);
    return chunk;
  };
  yield hashed(encodeHeader(source.header));
  const block = new ByteWriter(BLOCK_BYTES * 2);
  const items = new ItemWriter(block);
  while (await source.next(items)) {
    if (items.isFull) yield hashed(await encodeBlock(block.take()));
  }
  if (block.length > 0) yield hashed(await encodeBlock(block.take()));
  yield hashed(Buffer.concat([blockHead(0, 0), encodeCounts(items.counts)]));
  yield hash.digest();
}

async function encodeBlock(items: Buffer): Promise<Buffer> {
  const small = await slowly(() => deflate(items, { level: COMPRESSION_LEVEL }));
  const stored = small.length < items.length * WORTH_IT ? small : items;
  return Buffer.concat([blockHead(items.length, stored.length), stored]);
}

function blockHead(length: number, stored: number): Buffer {
  const head = new ByteWriter(8);
  head.uint32(length);
  head.uint32(stored);
  return head.take();
}
