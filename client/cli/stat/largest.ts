// The N largest of many, in memory for N: a heap whose root is the smallest that is kept.

export interface Sized {
  readonly bytes: number;
}

export class Largest<T extends Sized> {
  readonly #limit: number;
  readonly #heap: T[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Would one of so many bytes be kept? Saves making what would not. */
  takes(bytes: number): boolean {
    if (this.#limit === 0) return false;
    const [smallest] = this.#heap;
    return this.#heap.length < this.#limit || smallest === undefined || bytes > smallest.bytes;
  }

  add(item: T): void {
    if (!this.takes(item.bytes)) return;
    if (this.#heap.length < this.#limit) this.#rise(item);
    else this.#sink(item);
  }

  /** The largest first; of equals, the one that came first. */
  get list(): readonly T[] {
    return [...this.#heap].sort((one, other) => other.bytes - one.bytes);
  }

  #rise(item: T): void {
    const heap = this.#heap;
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as T;
      if (above.bytes <= item.bytes) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = item;
  }

  /** In place of the root. */
  #sink(item: T): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const right = heap[child + 1];
      if (right !== undefined && right.bytes < (heap[child] as T).bytes) child += 1;
      const below = heap[child];
      if (below === undefined || below.bytes >= item.bytes) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = item;
  }
}
