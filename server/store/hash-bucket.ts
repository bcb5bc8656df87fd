// One bucket of a KeyHash: an open-addressing table of (hash, id) pairs in one Uint32Array, with
// linear probing. A pair's home follows from the upper 16 bits of its hash; the KeyHash picks
// buckets by lower bits. Deletion moves pairs back, so there are no tombstones, and whatever comes
// and goes leaves the table as if only what is there had ever come.
// Slots double from 25 to 3,200. From there a bucket splits and both halves have as many slots, so
// that all arrays are of one length and none is let go as keys come: what a collection frees of
// small arrays leaves holes. A bucket is 40 to 80 % full: with 3,200, 61 % at
// 1 M keys and 76 % at 10 M.

export const BUCKET_FIRST_SLOTS = 25;
/** Splitting a bucket of as many moves its pairs within some 30 µs. */
export const BUCKET_MAX_SLOTS = 3200;
/** Of the slots, before the table grows. Probes for keys that are not there are 13 long then. */
const MAX_LOAD = 0.8;

export class HashBucket {
  /** How many low bits of the hash all its pairs have in common. */
  depth: number;
  #count = 0;
  #limit: number;
  #pairs: Uint32Array;

  constructor({ depth, slots }: { readonly depth: number; readonly slots: number }) {
    this.depth = depth;
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
    if (this.isFull) this.#resize(this.slots * 2);
    this.#place(hash, id);
  }

  /** Whether the pair was there. */
  remove(hash: number, id: number): boolean {
    let index = this.search(hash);
    while (index >= 0 && this.idAt(index) !== id) index = this.search(hash, index);
    if (index < 0) return false;
    this.#close(index);
    this.#count -= 1;
    if (this.#count * 5 < this.slots && this.slots > BUCKET_FIRST_SLOTS)
      this.#resize(this.slots / 2);
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

  /** Becomes one bit deeper, and gives a new bucket the pairs that have this bit. */
  split(): HashBucket {
    const bit = 1 << this.depth;
    this.depth += 1;
    const upper = new HashBucket({ depth: this.depth, slots: this.slots });
    const pairs = this.#pairs;
    const { length } = pairs;
    let first = 0;
    while (pairs[first + 1] !== 0) first += 2;
    // Pairs that are placed anew in the order in which a search meets them move back or stay.
    for (let left = length - 2, index = first; left > 0; left -= 2) {
      index = index + 2 === length ? 0 : index + 2;
      const id = pairs[index + 1] as number;
      if (id === 0) continue;
      const hash = (pairs[index] as number) | 0;
      pairs[index] = 0;
      pairs[index + 1] = 0;
      this.#count -= 1;
      if ((hash & bit) === 0) this.#place(hash, id);
      else upper.add(hash, id);
    }
    return upper;
  }

  /** Becomes one bit less deep, with the pairs of the other half too. */
  join(other: HashBucket): void {
    this.depth -= 1;
    const { pairs } = other;
    for (let index = 0; index < pairs.length; index += 2) {
      const id = pairs[index + 1] as number;
      if (id !== 0) this.add((pairs[index] as number) | 0, id);
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

  #resize(slots: number): void {
    const old = this.#pairs;
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
