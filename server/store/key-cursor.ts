// A walk through a KeyOrder, upwards or downwards. It holds a place, not a key, so it is of no use
// after the order has changed: who walks in slices begins anew at the last key.

import type { KeyLeaf } from "./key-leaf.js";

export interface CursorPlace {
  readonly branches: readonly (readonly KeyLeaf[])[];
  readonly branchAt: number;
  readonly leafAt: number;
  /** In the leaf; may be just outside of it. */
  readonly at: number;
  readonly step: 1 | -1;
}

export class KeyCursor {
  readonly #branches: readonly (readonly KeyLeaf[])[];
  readonly #step: 1 | -1;
  #branch: readonly KeyLeaf[];
  #branchAt: number;
  #leaf: KeyLeaf;
  #leafAt: number;
  #at: number;

  constructor({ branches, branchAt, leafAt, at, step }: CursorPlace) {
    this.#branches = branches;
    this.#step = step;
    this.#branch = branches[branchAt] as readonly KeyLeaf[];
    this.#branchAt = branchAt;
    this.#leaf = this.#branch[leafAt] as KeyLeaf;
    this.#leafAt = leafAt;
    this.#at = at;
  }

  /** The id of the next key, or 0 at the end. */
  next(): number {
    const at = this.#at;
    if (at < 0 || at >= this.#leaf.count) return this.#enter() ? this.next() : 0;
    this.#at = at + this.#step;
    return this.#leaf.idAt(at);
  }

  /** Goes to the next leaf, if there is one; no leaf but that of an empty order is empty. */
  #enter(): boolean {
    let leaf = this.#branch[this.#leafAt + this.#step];
    if (leaf !== undefined) {
      this.#leafAt += this.#step;
    } else {
      const branch = this.#branches[this.#branchAt + this.#step];
      if (branch === undefined) return false;
      this.#branch = branch;
      this.#branchAt += this.#step;
      this.#leafAt = this.#step > 0 ? 0 : branch.length - 1;
      leaf = branch[this.#leafAt] as KeyLeaf;
    }
    this.#leaf = leaf;
    this.#at = this.#step > 0 ? 0 : leaf.count - 1;
    return true;
  }
}
