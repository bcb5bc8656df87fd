// One leaf of a KeyOrder: up to 512 ids in the order of their keys, each behind a word, which is the
// four bytes of its key that follow what all keys of the leaf begin with. A search compares words
// and asks for a key only among equal words.
// `prefix` is a beginning that all keys share, not always the longest: it becomes shorter when a key
// comes that does not have it, longer only when a leaf is split. Shortening needs no key, since the
// words move by bytes of the prefix.

import assert from "node:assert/strict";
import type { KeyBytes } from "./key-bytes.js";

export const LEAF_MAX_IDS = 512;
const FIRST_IDS = 16;
/** Leaves grow by as many ids from here on, so that little is kept empty. */
const STEP_IDS = 64;
/** Ids that a leaf may have room for in vain before it is copied into less. */
const SPARE_IDS = 2 * STEP_IDS;
/** Reading all words anew costs as many cache misses; two bytes more are worth that. */
const WORTHY_BYTES = 2;

export class KeyLeaf {
  /** At or below its keys, above those of the leaf before: the shortest such beginning of a key. */
  low: string;
  #prefix = "";
  #count = 0;
  /** [word, id, word, id, …] */
  #pairs: Uint32Array;

  /** An empty leaf with room for as many ids. */
  constructor({ low, ids }: { readonly low: string; readonly ids: number }) {
    this.low = low;
    this.#pairs = new Uint32Array(2 * roomFor(ids));
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === LEAF_MAX_IDS;
  }

  idAt(position: number): number {
    return this.#pairs[2 * position + 1] as number;
  }

  /** How many of its keys are below bytes[start, end). */
  position(keys: KeyBytes, bytes: Uint8Array, start: number, end: number): number {
    const prefix = this.#prefix;
    const same = sharedWith(prefix, bytes, start, end);
    if (same < prefix.length) {
      const above = start + same < end && (bytes[start + same] as number) > prefix.charCodeAt(same);
      return above ? this.#count : 0;
    }
    const word = wordOf(bytes, start + same, end);
    let low = this.#firstFrom(word, 0);
    if (low === this.#count || this.#pairs[2 * low] !== word) return low;
    let high = word === 0xffffffff ? this.#count : this.#firstFrom(word + 1, low);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys.compareTo(this.idAt(middle), bytes, start, end) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where the id of this key is, or -1. Asks for no key. */
  find(id: number, bytes: Uint8Array, start: number, end: number): number {
    const same = sharedWith(this.#prefix, bytes, start, end);
    if (same < this.#prefix.length) return -1;
    const word = wordOf(bytes, start + same, end);
    const pairs = this.#pairs;
    for (let at = this.#firstFrom(word, 0); at < this.#count && pairs[2 * at] === word; at += 1) {
      if (pairs[2 * at + 1] === id) return at;
    }
    return -1;
  }

  /** Puts the id of this key at its position; the leaf must not be full. */
  insert(at: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#count === 0) this.#prefix = textOf(bytes, start, end);
    const same = sharedWith(this.#prefix, bytes, start, end);
    if (same < this.#prefix.length) this.#shorten(textOf(bytes, start, start + same));
    if (2 * this.#count === this.#pairs.length) this.#copyInto(roomFor(this.#count + 1));
    const pairs = this.#pairs;
    if (at < this.#count) pairs.copyWithin(2 * at + 2, 2 * at, 2 * this.#count);
    pairs[2 * at] = wordOf(bytes, start + same, end);
    pairs[2 * at + 1] = id;
    this.#count += 1;
  }

  removeAt(at: number): void {
    this.#pairs.copyWithin(2 * at, 2 * at + 2, 2 * this.#count);
    this.#count -= 1;
    if (this.#pairs.length / 2 > this.#count + SPARE_IDS) this.#copyInto(roomFor(this.#count));
  }

  /** Gives the upper half to a new leaf. */
  split(keys: KeyBytes): KeyLeaf {
    const middle = this.#count >>> 1;
    const first = this.idAt(middle);
    const low = keys.head(first, keys.sharedPrefix(this.idAt(middle - 1), first) + 1);
    const right = new KeyLeaf({ low, ids: this.#count - middle });
    right.#prefix = this.#prefix;
    right.#take(this, middle);
    this.#count = middle;
    this.#copyInto(roomFor(middle + 1));
    this.#lengthen(keys);
    right.#lengthen(keys);
    return right;
  }

  /** Takes all ids of the leaf behind it, of which nothing is left. */
  append(right: KeyLeaf): void {
    const total = this.#count + right.#count;
    const bytes = Buffer.from(right.#prefix, "latin1");
    if (this.#count === 0) this.#prefix = right.#prefix;
    const same = textOf(bytes, 0, sharedWith(this.#prefix, bytes, 0, bytes.length));
    this.#shorten(same);
    right.#shorten(same);
    if (2 * total > this.#pairs.length) this.#copyInto(roomFor(total));
    this.#take(right, 0);
  }

  /** @throws AssertionError naming the first invariant that does not hold. */
  check(keys: KeyBytes): void {
    assert.ok(this.#count <= LEAF_MAX_IDS, "a leaf has no more ids than it may");
    for (let at = 0; at < this.#count; at += 1) {
      const id = this.idAt(at);
      const prefix = this.#prefix;
      assert.equal(keys.head(id, prefix.length), prefix, "a key has the prefix of its leaf");
      assert.equal(this.#pairs[2 * at], keys.wordAt(id, prefix.length), "a word is of its key");
    }
  }

  #firstFrom(word: number, from: number): number {
    const pairs = this.#pairs;
    let low = from;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((pairs[2 * middle] as number) < word) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #take(other: KeyLeaf, from: number): void {
    this.#pairs.set(other.#pairs.subarray(2 * from, 2 * other.#count), 2 * this.#count);
    this.#count += other.#count - from;
  }

  #copyInto(room: number): void {
    const pairs = new Uint32Array(2 * room);
    pairs.set(this.#pairs.subarray(0, 2 * this.#count));
    this.#pairs = pairs;
  }

  /** Words begin earlier now: bytes of the old prefix come before what remains of each. */
  #shorten(prefix: string): void {
    const more = this.#prefix.length - prefix.length;
    if (more === 0) return;
    const before = Buffer.alloc(4);
    before.write(this.#prefix.slice(prefix.length, prefix.length + 4), "latin1");
    const bytes = before.readUInt32BE(0);
    const pairs = this.#pairs;
    for (let at = 0; at < 2 * this.#count; at += 2) {
      pairs[at] = more < 4 ? bytes | ((pairs[at] as number) >>> (8 * more)) : bytes;
    }
    this.#prefix = prefix;
  }

  #lengthen(keys: KeyBytes): void {
    const first = this.idAt(0);
    const length = keys.sharedPrefix(first, this.idAt(this.#count - 1));
    if (length < this.#prefix.length + WORTHY_BYTES) return;
    this.#prefix = keys.head(first, length);
    const pairs = this.#pairs;
    for (let at = 0; at < 2 * this.#count; at += 2) {
      pairs[at] = keys.wordAt(pairs[at + 1] as number, length);
    }
  }
}

/** How many bytes of bytes[start, end) are the beginning of this latin1 text. */
export function sharedWith(text: string, bytes: Uint8Array, start: number, end: number): number {
  const length = Math.min(text.length, end - start);
  let same = 0;
  while (same < length && text.charCodeAt(same) === bytes[start + same]) same += 1;
  return same;
}

/** The bytes as latin1 text that is no slice of a longer one, which would stay in memory. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

function wordOf(bytes: Uint8Array, from: number, end: number): number {
  let word = 0;
  if (from + 4 <= end) {
    word =
      ((bytes[from] as number) << 24) |
      ((bytes[from + 1] as number) << 16) |
      ((bytes[from + 2] as number) << 8) |
      (bytes[from + 3] as number);
  } else {
    for (let at = from; at < end; at += 1) word |= (bytes[at] as number) << (24 - 8 * (at - from));
  }
  return word >>> 0;
}

function roomFor(ids: number): number {
  let room = FIRST_IDS;
  while (room < ids && room < STEP_IDS) room *= 2;
  return room >= ids ? room : Math.ceil(ids / STEP_IDS) * STEP_IDS;
}
