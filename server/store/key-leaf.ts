// One leaf of a KeyOrder: up to 512 ids in the order of their keys, each behind a word, which is
// the four bytes of its key that follow what all keys of the leaf begin with. A search compares
// words and asks for a key only among equal words.
// `prefix` is a beginning that all keys share, not always the longest: it becomes shorter when a
// key comes that does not have it, longer only when a leaf gives or takes many ids. Shortening asks
// for no key, since the words move by bytes of the prefix.

import assert from "node:assert/strict";
import type { KeyBytes } from "./key-bytes.js";
import type { LeafRoom, LeafRooms } from "./leaf-rooms.js";

export const LEAF_MAX_IDS = 512;
/** Of a word and an id each. */
export const LEAF_WORDS = 2 * LEAF_MAX_IDS;
/** Reading all words anew costs as many cache misses; two bytes more are worth that. */
const WORTHY_BYTES = 2;

export class KeyLeaf {
  /** At or below its keys, above those of the leaf before: the shortest such beginning of a key. */
  low: string;
  /** None of its keys has an entry now. False says nothing: see KeyCursor. */
  isDead = false;
  readonly #rooms: LeafRooms;
  readonly #room: LeafRoom;
  /** [word, id, word, id, …] from #from on. */
  readonly #pairs: Uint32Array;
  readonly #from: number;
  #prefix = "";
  #count = 0;

  /** An empty leaf. */
  constructor({ low, rooms }: { readonly low: string; readonly rooms: LeafRooms }) {
    this.low = low;
    this.#rooms = rooms;
    this.#room = rooms.take();
    this.#from = this.#room.from;
    this.#pairs = this.#room.chunk.words;
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === LEAF_MAX_IDS;
  }

  idAt(position: number): number {
    return this.#pairs[this.#from + 2 * position + 1] as number;
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
    const count = this.#count;
    if (count > 0 && this.#wordAt(count - 1) < word) return count;
    let low = this.#firstFrom(word, 0);
    if (low === this.#count || this.#wordAt(low) !== word) return low;
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
    for (let at = this.#firstFrom(word, 0); at < this.#count; at += 1) {
      if (this.#wordAt(at) !== word) break;
      if (this.idAt(at) === id) return at;
    }
    return -1;
  }

  /** Puts the id of this key at its position; the leaf must not be full. */
  insert(at: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#count === 0) this.#prefix = textOf(bytes, start, end);
    const same = sharedWith(this.#prefix, bytes, start, end);
    if (same < this.#prefix.length) this.#shorten(textOf(bytes, start, start + same));
    const pairs = this.#pairs;
    const index = this.#from + 2 * at;
    if (at < this.#count) pairs.copyWithin(index + 2, index, this.#from + 2 * this.#count);
    pairs[index] = wordOf(bytes, start + same, end);
    pairs[index + 1] = id;
    this.#count += 1;
    this.isDead = false;
  }

  removeAt(at: number): void {
    const index = this.#from + 2 * at;
    this.#pairs.copyWithin(index, index + 2, this.#from + 2 * this.#count);
    this.#count -= 1;
  }

  /** Gives its last ids to the front of the leaf behind it, which has room for them. */
  moveTo(right: KeyLeaf, count: number, keys: KeyBytes): void {
    this.isDead &&= right.isDead;
    right.isDead = this.isDead;
    this.#alike(right);
    const from = right.#from;
    right.#pairs.copyWithin(from + 2 * count, from, from + 2 * right.#count);
    right.#copy(this, this.#count - count, count, 0);
    this.#count -= count;
    right.#count += count;
    right.low = lowOf(keys, this.idAt(this.#count - 1), right.idAt(0));
    this.#lengthen(keys);
    right.#lengthen(keys);
  }

  /** Takes the first ids of the leaf behind it, into its own room. */
  takeFrom(right: KeyLeaf, count: number, keys: KeyBytes): void {
    this.isDead &&= right.isDead;
    right.isDead = this.isDead;
    this.#alike(right);
    this.#copy(right, 0, count, this.#count);
    this.#count += count;
    const from = right.#from;
    right.#pairs.copyWithin(from, from + 2 * count, from + 2 * right.#count);
    right.#count -= count;
    right.low = lowOf(keys, this.idAt(this.#count - 1), right.idAt(0));
    this.#lengthen(keys);
    right.#lengthen(keys);
  }

  /** Takes all ids of the leaf behind it, of which nothing is left. */
  takeAll(right: KeyLeaf): void {
    this.isDead &&= right.isDead;
    right.isDead = this.isDead;
    this.#alike(right);
    this.#copy(right, 0, right.#count, this.#count);
    this.#count += right.#count;
    right.drop();
  }

  /** Gives back its memory. */
  drop(): void {
    this.#rooms.give(this.#room);
    this.#count = 0;
  }

  /** @throws AssertionError naming the first invariant that does not hold. */
  check(keys: KeyBytes): void {
    assert.ok(this.#count <= LEAF_MAX_IDS, "a leaf has no more ids than it may");
    for (let at = 0; at < this.#count; at += 1) {
      const id = this.idAt(at);
      const prefix = this.#prefix;
      assert.equal(keys.head(id, prefix.length), prefix, "a key has the prefix of its leaf");
      assert.equal(this.#wordAt(at), keys.wordAt(id, prefix.length), "a word is of its key");
    }
  }

  #wordAt(position: number): number {
    return this.#pairs[this.#from + 2 * position] as number;
  }

  #firstFrom(word: number, first: number): number {
    const pairs = this.#pairs;
    const from = this.#from;
    let low = first;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((pairs[from + 2 * middle] as number) < word) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #copy(other: KeyLeaf, first: number, count: number, to: number): void {
    const from = other.#from + 2 * first;
    this.#pairs.set(other.#pairs.subarray(from, from + 2 * count), this.#from + 2 * to);
  }

  /** Gives both leaves the prefix that they have in common; an empty one takes the other's. */
  #alike(right: KeyLeaf): void {
    if (this.#count === 0) this.#prefix = right.#prefix;
    if (right.#count === 0) right.#prefix = this.#prefix;
    const bytes = Buffer.from(right.#prefix, "latin1");
    const shared = textOf(bytes, 0, sharedWith(this.#prefix, bytes, 0, bytes.length));
    this.#shorten(shared);
    right.#shorten(shared);
  }

  /** Words begin earlier now: bytes of the old prefix come before what remains of each. */
  #shorten(prefix: string): void {
    const more = this.#prefix.length - prefix.length;
    if (more === 0) return;
    const before = Buffer.alloc(4);
    before.write(this.#prefix.slice(prefix.length, prefix.length + 4), "latin1");
    const bytes = before.readUInt32BE(0);
    const pairs = this.#pairs;
    const end = this.#from + 2 * this.#count;
    for (let index = this.#from; index < end; index += 2) {
      pairs[index] = more < 4 ? bytes | ((pairs[index] as number) >>> (8 * more)) : bytes;
    }
    this.#prefix = prefix;
  }

  #lengthen(keys: KeyBytes): void {
    const first = this.idAt(0);
    const length = keys.sharedPrefix(first, this.idAt(this.#count - 1));
    if (length < this.#prefix.length + WORTHY_BYTES) return;
    this.#prefix = keys.head(first, length);
    const pairs = this.#pairs;
    const end = this.#from + 2 * this.#count;
    for (let index = this.#from; index < end; index += 2) {
      pairs[index] = keys.wordAt(pairs[index + 1] as number, length);
    }
  }
}

/** The shortest beginning of a key that is above the key before it. */
function lowOf(keys: KeyBytes, before: number, first: number): string {
  return keys.head(first, keys.sharedPrefix(before, first) + 1);
}

/** How many of bytes[start, end) are the beginning of this latin1 text; `known` of them are. */
export function sharedWith(
  text: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  known = 0,
): number {
  const length = Math.min(text.length, end - start);
  let same = known;
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
