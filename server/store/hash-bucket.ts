// One bucket of a KeyHash: an open-addressing table of (hash, id) pairs in one Uint32Array, with
// linear probing. A pair's home follows from the upper 16 bits of its hash; the KeyHash picks
// buckets by lower bits. Deletion moves pairs back, so there are no tombstones, and whatever comes
// and goes leaves the table as if only what is there had ever come.
// Slots go from 16 to 2,048 by doubling and from there in steps of 512, so that a bucket is 65 to
// 80 % full whatever the number of keys: tables that only double are half empty on average.

const FIRST_SLOTS = 16;
const DOUBLING_SLOTS = 2048;
const STEP_SLOTS = 512;
/** A bucket this large is split rather than grown; moving its pairs takes some 30 µs. */
export const BUCKET_MAX_SLOTS = 4096;
/** Of the slots, before the table grows. Probes for keys that are not there are 13 long then. */
const MAX_LOAD = 0.8;

export class HashBucket {
  /** How many low bits of the hash all its pairs have in common. */
  depth: number;
  #count = 0;
  #limit: number;
  #pairs: Uint32Array;

  /** Has room for `count` pairs. */
  constructor({ depth, count }: { readonly depth: number; readonly count: number }) {
    this.depth = depth;
    const slots = slotsFor(count);
    this.#pairs = new Uint32Array(2 * slots);
    this.#limit = Math.floor(slots * MAX_LOAD);
  }

  get count(): number {
    return this.#count;
  }

  get slots(): number {
    return this.#pairs.length >>> 1;
  }

  get isFull(): boolean {
    return this.#count >= this.#limit;
  }

  /** Pairs and homes in turn, as they lie: [hash, id, …], 0 for no id. Do not modify them. */
  get pairs(): Uint32Array {
    return this.#pairs;
  }

  /** The first place at or behind `after` that has this hash: an index for idAt(), or -1. */
  search(hash: number, after = -1): number {
    const pairs = this.#pairs;
    const length = pairs.length;
    let index = after < 0 ? home(hash, length) : after + 2;
    for (;;) {
      if (index >= length) index -= length;
      if (pairs[index + 1] === 0) return -1;
      if (((pairs[index] as number) | 0) === hash) return index;
      index += 2;
    }
  }

  idAt(index: number): number {
    return this.#pairs[index + 1] as number;
  }

  /** Makes the table larger first if it is full. */
  add(hash: number, id: number): void {
    if (this.isFull) this.#resize(this.#count + 1);
    this.#place(hash, id);
  }

  /** Whether the pair was there. */
  remove(hash: number, id: number): boolean {
    let index = this.search(hash);
    while (index >= 0 && this.idAt(index) !== id) index = this.search(hash, index);
    if (index < 0) return false;
    this.#close(index);
    this.#count -= 1;
    if (this.slots > FIRST_SLOTS && this.#count * 4 < this.slots) this.#resize(this.#count * 2);
    return true;
  }

  /** How many pairs have this bit of the hash. */
  countOf(bit: number): number {
    let count = 0;
    const pairs = this.#pairs;
    for (let index = 0; index < pairs.length; index += 2) {
      if (pairs[index + 1] !== 0 && ((pairs[index] as number) & bit) !== 0) count += 1;
    }
    return count;
  }

  /** Adds to `other` the pairs whose hash has all of these bits: with 0, every pair. */
  copyTo(other: HashBucket, bits: number, wanted = bits): void {
    const pairs = this.#pairs;
    for (let index = 0; index < pairs.length; index += 2) {
      const id = pairs[index + 1] as number;
      const hash = (pairs[index] as number) | 0;
      if (id !== 0 && (hash & bits) === wanted) other.add(hash, id);
    }
  }

  #place(hash: number, id: number): void {
    const pairs = this.#pairs;
    let index = home(hash, pairs.length);
    while (pairs[index + 1] !== 0) {
      index += 2;
      if (index === pairs.length) index = 0;
    }
    pairs[index] = hash;
    pairs[index + 1] = id;
    this.#count += 1;
  }

  /** Moves back into the hole what a search would no longer find behind it. */
  #close(at: number): void {
    const pairs = this.#pairs;
    const length = pairs.length;
    let hole = at;
    for (let index = hole + 2; ; index += 2) {
      if (index >= length) index -= length;
      if (pairs[index + 1] === 0) break;
      const from = home(pairs[index] as number, length);
      const stays = hole < index ? hole < from && from <= index : hole < from || from <= index;
      if (stays) continue;
      pairs[hole] = pairs[index] as number;
      pairs[hole + 1] = pairs[index + 1] as number;
      hole = index;
    }
    pairs[hole] = 0;
    pairs[hole + 1] = 0;
  }

  #resize(count: number): void {
    const old = this.#pairs;
    const slots = slotsFor(count);
    this.#pairs = new Uint32Array(2 * slots);
    this.#limit = Math.floor(slots * MAX_LOAD);
    this.#count = 0;
    for (let index = 0; index < old.length; index += 2) {
      const id = old[index + 1] as number;
      if (id !== 0) this.#place((old[index] as number) | 0, id);
    }
  }
}

/** The index of the pair where a search begins: the upper bits, spread over any number of slots. */
function home(hash: number, length: number): number {
  return (Math.imul(hash >>> 16, length >>> 1) >>> 16) << 1;
}

/**
 * The fewest slots for as many pairs. A bucket that may not split, because its hashes are equal,
 * goes on doubling.
 */
function slotsFor(count: number): number {
  const least = Math.ceil(count / MAX_LOAD);
  if (least > BUCKET_MAX_SLOTS) return 2 ** Math.ceil(Math.log2(least));
  if (least > DOUBLING_SLOTS) return Math.ceil(least / STEP_SLOTS) * STEP_SLOTS;
  let slots = FIRST_SLOTS;
  while (slots < least) slots *= 2;
  return slots;
}
