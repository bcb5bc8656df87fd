// A binary min-heap whose items know their place, so that any of them can be removed or moved when
// its rank changes.

export interface HeapItem {
  /** What the heap orders by; call update() after changing it. */
  rank: number;
  /** Kept by the heap; -1 outside of it. */
  heapIndex: number;
}

export class Heap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #breakTie: ((left: T, right: T) => number) | undefined;

  /** Below, equal or above 0, for items of one rank; without it any of them is first. */
  constructor(breakTie?: (left: T, right: T) => number) {
    this.#breakTie = breakTie;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The item of the lowest rank. */
  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    item.heapIndex = this.#items.length;
    this.#items.push(item);
    this.#up(item);
  }

  /** Does nothing for an item that is not in it. */
  remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    const last = this.#items.pop() as T;
    item.heapIndex = -1;
    if (last === item) return;
    this.#place(last, index);
    this.update(last);
  }

  /** Restores the order after the item's rank has changed. */
  update(item: T): void {
    this.#up(item);
    this.#down(item);
  }

  #isBefore(left: T, right: T): boolean {
    if (left.rank !== right.rank) return left.rank < right.rank;
    return this.#breakTie !== undefined && this.#breakTie(left, right) < 0;
  }

  #place(item: T, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }

  #up(item: T): void {
    let index = item.heapIndex;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#items[above] as T;
      if (!this.#isBefore(item, parent)) break;
      this.#place(parent, index);
      index = above;
    }
    this.#place(item, index);
  }

  #down(item: T): void {
    let index = item.heapIndex;
    const count = this.#items.length;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= count) break;
      const right = this.#items[below + 1];
      if (right !== undefined && this.#isBefore(right, this.#items[below] as T)) below += 1;
      const child = this.#items[below] as T;
      if (!this.#isBefore(child, item)) break;
      this.#place(child, index);
      index = below;
    }
    this.#place(item, index);
  }
}
