// A walk through a KeyOrder, upwards or downwards. It holds a place, not a key, so it is of no use
// after the order has changed: who walks in slices begins anew at the last key.
//
// Keys that were deleted stay in the order until compaction. Who wants those alone that have an
// entry now says which have one: a leaf without any is marked, and passed over from then on, so
// deleting many keys page by page does not walk over all pages before.

import type { KeyLeaf } from "./key-leaf.js";

export interface CursorPlace {
  readonly branches: readonly (readonly KeyLeaf[])[];
  readonly branchAt: number;
  readonly leafAt: number;
  /** In the leaf; may be just outside of it. */
  readonly at: number;
  readonly step: 1 | -1;
  /** Pass over dead leaves. */
  readonly livingOnly?: boolean;
}

export class KeyCursor {
  readonly #branches: readonly (readonly KeyLeaf[])[];
  readonly #step: 1 | -1;
  #branch: readonly KeyLeaf[];
  #branchAt: number;
  #leaf: KeyLeaf;
  #leafAt: number;
  #at: number;
  readonly #livingOnly: boolean;
  /** All of the leaf has been walked over so far, and no key of it was said to live. */
  #seemsDead: boolean;

  constructor({ branches, branchAt, leafAt, at, step, livingOnly = false }: CursorPlace) {
    this.#branches = branches;
    this.#step = step;
    this.#branch = branches[branchAt] as readonly KeyLeaf[];
    this.#branchAt = branchAt;
    this.#leaf = this.#branch[leafAt] as KeyLeaf;
    this.#leafAt = leafAt;
    this.#at = at;
    this.#livingOnly = livingOnly;
    this.#seemsDead = at === (step > 0 ? 0 : this.#leaf.count - 1);
    if (livingOnly && this.#leaf.isDead) this.#at = -1;
  }

  /** The key that next() gave has an entry now. */
  isLiving(): void {
    this.#seemsDead = false;
  }

  /** The id of the next key, or 0 at the end. */
  next(): number {
    while (this.#at < 0 || this.#at >= this.#leaf.count) {
      if (this.#livingOnly && this.#seemsDead) this.#leaf.isDead = true;
      if (!this.#enter()) return 0;
    }
    const at = this.#at;
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
    this.#seemsDead = true;
    if (this.#livingOnly && leaf.isDead) this.#at = -1;
    else this.#at = this.#step > 0 ? 0 : leaf.count - 1;
    return true;
  }
}
