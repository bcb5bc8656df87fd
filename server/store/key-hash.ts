// Finds the id of a key by its bytes: extendible hashing (Fagin, Nievergelt, Pippenger and Strong,
// 1979) over HashBuckets. The low `depth` bits of a hash pick a place of the directory; a bucket of
// less depth stands at several. A full bucket is split in two, and when it has only one place left,
// the directory doubles, which copies references. So no call moves more than one bucket's pairs,
// however many keys there are, and a key costs 10 to 20 bytes.

import assert from "node:assert/strict";
import { type HashSeed, halfSipHash } from "../lib/half-sip-hash.js";
import { BUCKET_FIRST_SLOTS, BUCKET_MAX_SLOTS, HashBucket } from "./hash-bucket.js";
import type { KeyBytes } from "./key-bytes.js";

/** 4 M buckets hold more than there are ids; hashes that need more bits than this collide. */
const MAX_DEPTH = 22;
/** Two buckets become one when their pairs fill a quarter of the largest. */
const MERGED_PAIRS = BUCKET_MAX_SLOTS / 4;
/** A split has to give either side this part of the pairs, or the bucket grows instead. */
const LEAST_SHARE = 1 / 8;

export class KeyHash {
  readonly #keys: KeyBytes;
  readonly #seed: HashSeed;
  #directory: HashBucket[] = [new HashBucket({ depth: 0, slots: BUCKET_FIRST_SLOTS })];
  #depth = 0;
  #size = 0;

  /** The seed is the secret under which keys are hashed: two random words of 32 bits. */
  constructor({ keys, seed }: { readonly keys: KeyBytes; readonly seed: HashSeed }) {
    this.#keys = keys;
    this.#seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  /** What it has for pairs. Walks the directory. */
  get bytes(): number {
    let bytes = 0;
    for (const [place, bucket] of this.#directory.entries()) {
      if (place < 2 ** bucket.depth) bytes += bucket.pairs.byteLength;
    }
    return bytes;
  }

  /** What find, add and remove want to be given with the key. */
  hash(bytes: Uint8Array, start: number, end: number): number {
    return halfSipHash(bytes, start, end, this.#seed);
  }

  /** The id of the key bytes[start, end), or 0. */
  find(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const bucket = this.#bucketOf(hash);
    for (let index = bucket.search(hash); index >= 0; index = bucket.search(hash, index)) {
      const id = bucket.idAt(index);
      if (this.#keys.isKey(id, bytes, start, end)) return id;
    }
    return 0;
  }

  /** The key must not be there yet. */
  add(hash: number, id: number): void {
    let bucket = this.#bucketOf(hash);
    while (bucket.isFull && this.#split(bucket, hash)) bucket = this.#bucketOf(hash);
    bucket.add(hash, id);
    this.#size += 1;
  }

  /** Whether it was there. */
  remove(hash: number, id: number): boolean {
    const bucket = this.#bucketOf(hash);
    if (!bucket.remove(hash, id)) return false;
    this.#size -= 1;
    if (bucket.count < MERGED_PAIRS / 2) this.#merge(bucket, hash);
    return true;
  }

  /** All ids, in no order. Walks the directory. */
  ids(): Uint32Array {
    const ids = new Uint32Array(this.#size);
    let count = 0;
    for (const [place, bucket] of this.#directory.entries()) {
      if (place >= 2 ** bucket.depth) continue;
      const { pairs } = bucket;
      for (let index = 1; index < pairs.length; index += 2) {
        if (pairs[index] !== 0) ids[count++] = pairs[index] as number;
      }
    }
    return ids;
  }

  /** @throws AssertionError naming the first invariant that does not hold. */
  check(): void {
    assert.equal(this.#directory.length, 2 ** this.#depth, "the directory has a place for each");
    let size = 0;
    for (const [place, bucket] of this.#directory.entries()) {
      assert.ok(bucket.depth <= this.#depth, "no bucket is deeper than the directory");
      const first = place & (2 ** bucket.depth - 1);
      assert.equal(this.#directory[first], bucket, "a bucket is at all its places");
      if (place !== first) continue;
      let count = 0;
      const { pairs } = bucket;
      for (let index = 0; index < pairs.length; index += 2) {
        const id = pairs[index + 1] as number;
        if (id === 0) continue;
        const hash = (pairs[index] as number) | 0;
        assert.equal(hash & (2 ** bucket.depth - 1), first, "a pair is in the bucket of its hash");
        let found = bucket.search(hash);
        while (found >= 0 && found !== index) found = bucket.search(hash, found);
        assert.equal(found, index, "a search comes to every pair");
        count += 1;
      }
      assert.equal(bucket.count, count, "the number of pairs in a bucket");
      assert.ok(count < bucket.slots, "a bucket has an empty slot, where searches end");
      size += count;
    }
    assert.equal(this.#size, size, "the number of keys");
  }

  #bucketOf(hash: number): HashBucket {
    return this.#directory[hash & (this.#directory.length - 1)] as HashBucket;
  }

  /** False if the bucket shall grow: it may, or splitting would be of no use. */
  #split(bucket: HashBucket, hash: number): boolean {
    if (bucket.slots < BUCKET_MAX_SLOTS || bucket.depth === MAX_DEPTH) return false;
    const { depth, count } = bucket;
    const bit = 1 << depth;
    const upper = bucket.countOf(bit);
    if (Math.min(upper, count - upper) < count * LEAST_SHARE) return false;
    if (depth === this.#depth) this.#double();
    this.#stand(bucket.split(), (hash & (bit - 1)) | bit);
    return true;
  }

  #double(): void {
    this.#directory = this.#directory.concat(this.#directory);
    this.#depth += 1;
  }

  /** Puts the bucket at all its places; `first` is the lowest of them. */
  #stand(bucket: HashBucket, first: number): void {
    const step = 2 ** bucket.depth;
    for (let place = first; place < this.#directory.length; place += step) {
      this.#directory[place] = bucket;
    }
  }

  /** With the one that it would have been split from, if they are few. The directory stays. */
  #merge(bucket: HashBucket, hash: number): void {
    const { depth } = bucket;
    if (depth === 0) return;
    const bit = 1 << (depth - 1);
    const other = this.#bucketOf(hash ^ bit);
    if (other.depth !== depth || other.count + bucket.count > MERGED_PAIRS) return;
    bucket.join(other);
    this.#stand(bucket, hash & (bit - 1));
  }
}
