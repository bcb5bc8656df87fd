// A map whose keys have an order, walked in both directions from any point. It wraps sorted-btree,
// the only place that knows it.
//
// A walk is valid until the map changes; whoever yields in between starts a new one where it was.

import BTreeModule from "sorted-btree";

const BTree = BTreeModule.default;

/** Entries one by one; undefined at the end. */
export interface Walk<K, V> {
  next(): readonly [K, V] | undefined;
}

/** Keys are compared with < only, so strings, numbers and bigints will do. */
export class OrderedMap<K extends string | number | bigint, V> {
  readonly #tree = new BTree<K, V>(undefined, (left: K, right: K) =>
    left < right ? -1 : left > right ? 1 : 0,
  );

  get size(): number {
    return this.#tree.size;
  }

  get(key: K): V | undefined {
    return this.#tree.get(key);
  }

  set(key: K, value: V): void {
    this.#tree.set(key, value);
  }

  delete(key: K): boolean {
    return this.#tree.delete(key);
  }

  /** From the first key at or above `from`, upwards; undefined: from the lowest. */
  ascend(from: K | undefined): Walk<K, V> {
    return walk(this.#tree.entries(from));
  }

  /** From the last key below `before`, downwards; undefined: from the highest. */
  descend(before: K | undefined): Walk<K, V> {
    return walk(this.#tree.entriesReversed(before, undefined, true));
  }
}

function walk<K, V>(entries: IterableIterator<[K, V]>): Walk<K, V> {
  return {
    next() {
      const step = entries.next();
      return step.done ? undefined : step.value;
    },
  };
}
