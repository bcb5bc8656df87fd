// The ids of keys in the order of their bytes. Leaves of up to 512 ids stand in branches of up to
// 512 leaves, and those in a list: two levels, because inserting into one list of all leaves would
// move megabytes at 100 M keys. The way to a leaf goes by a text that each leaf keeps, so it asks
// for no key. What is added behind a full leaf begins a new one, so sorted loads leave full leaves.

import assert from "node:assert/strict";
import type { KeyBytes } from "./key-bytes.js";
import { KeyCursor } from "./key-cursor.js";
import { KeyLeaf, LEAF_MAX_IDS, sharedWith, textOf } from "./key-leaf.js";

const BRANCH_MAX_LEAVES = 512;
/** A leaf or a branch that is below a quarter joins a neighbour, if both are three quarters. */
const SPARSE = 1 / 4;
const JOINED = 3 / 4;

/** Leaves in order; never empty. */
export type Branch = KeyLeaf[];

export class KeyOrder {
  readonly #keys: KeyBytes;
  readonly #branches: Branch[] = [[new KeyLeaf({ low: "", ids: 0 })]];
  #size = 0;

  constructor({ keys }: { readonly keys: KeyBytes }) {
    this.#keys = keys;
  }

  get size(): number {
    return this.#size;
  }

  /** bytes[start, end) is the key of the id; it must not be there yet. */
  insert(id: number, bytes: Uint8Array, start: number, end: number): void {
    const keys = this.#keys;
    const branchAt = this.#branchAt(bytes, start, end);
    const branch = this.#branches[branchAt] as Branch;
    const leafAt = leafAtOf(branch, bytes, start, end);
    let leaf = branch[leafAt] as KeyLeaf;
    let position = leaf.position(keys, bytes, start, end);
    if (leaf.isFull) {
      if (position === LEAF_MAX_IDS) {
        leaf = this.#behind(branch, leafAt, bytes, start, end);
        position = 0;
      } else {
        const right = leaf.split(keys);
        branch.splice(leafAt + 1, 0, right);
        if (!isAbove(right.low, bytes, start, end)) {
          position -= leaf.count;
          leaf = right;
        }
      }
      if (branch.length > BRANCH_MAX_LEAVES) this.#splitBranch(branchAt, leafAt);
    }
    leaf.insert(position, id, bytes, start, end);
    this.#size += 1;
  }

  /** bytes[start, end) is the key of the id. Whether it was there. */
  remove(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const branchAt = this.#branchAt(bytes, start, end);
    const branch = this.#branches[branchAt] as Branch;
    const leafAt = leafAtOf(branch, bytes, start, end);
    const leaf = branch[leafAt] as KeyLeaf;
    const position = leaf.find(id, bytes, start, end);
    if (position < 0) return false;
    leaf.removeAt(position);
    this.#size -= 1;
    if (leaf.count < LEAF_MAX_IDS * SPARSE) this.#join(branchAt, leafAt);
    return true;
  }

  /** Upwards from the first key at or above the bytes, or from the first of all. */
  ascend(bytes?: Uint8Array): KeyCursor {
    if (bytes === undefined) {
      return new KeyCursor({ branches: this.#branches, branchAt: 0, leafAt: 0, at: 0, step: 1 });
    }
    return new KeyCursor({ ...this.#place(bytes), step: 1 });
  }

  /** Downwards from the last key below the bytes, or from the last of all. */
  descend(bytes?: Uint8Array): KeyCursor {
    if (bytes !== undefined) {
      const place = this.#place(bytes);
      return new KeyCursor({ ...place, at: place.at - 1, step: -1 });
    }
    const branches = this.#branches;
    const branchAt = branches.length - 1;
    const leafAt = (branches[branchAt] as Branch).length - 1;
    const at = ((branches[branchAt] as Branch)[leafAt] as KeyLeaf).count - 1;
    return new KeyCursor({ branches, branchAt, leafAt, at, step: -1 });
  }

  /** @throws AssertionError naming the first invariant that does not hold. */
  check(): void {
    const keys = this.#keys;
    let size = 0;
    let last = "";
    for (const branch of this.#branches) {
      assert.ok(branch.length > 0 && branch.length <= BRANCH_MAX_LEAVES, "the size of a branch");
      for (const leaf of branch) {
        assert.ok(leaf.count > 0 || this.#size === 0, "only an empty order has an empty leaf");
        assert.ok(size === 0 || last < leaf.low, "keys are below the text of the leaf behind");
        leaf.check(keys);
        const first = size === 0;
        for (let at = 0; at < leaf.count; at += 1) {
          const key = keys.head(leaf.idAt(at), Number.POSITIVE_INFINITY);
          assert.ok(size === 0 || last < key, "keys are in the order of their bytes");
          assert.ok(first || key >= leaf.low, "keys are at or above the text of their leaf");
          last = key;
          size += 1;
        }
      }
    }
    assert.equal(this.#size, size, "the number of keys");
  }

  #place(bytes: Uint8Array) {
    const end = bytes.length;
    const branchAt = this.#branchAt(bytes, 0, end);
    const branch = this.#branches[branchAt] as Branch;
    const leafAt = leafAtOf(branch, bytes, 0, end);
    const at = (branch[leafAt] as KeyLeaf).position(this.#keys, bytes, 0, end);
    return { branches: this.#branches, branchAt, leafAt, at };
  }

  /** The last branch whose keys begin at or below the bytes, or the first. */
  #branchAt(bytes: Uint8Array, start: number, end: number): number {
    const branches = this.#branches;
    let low = 0;
    let high = branches.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const first = (branches[middle] as Branch)[0] as KeyLeaf;
      if (isAbove(first.low, bytes, start, end)) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  /**
   * The leaf that a key above all of a full leaf goes to, at the front: the next one, unless that
   * is rather full too, or a new one.
   */
  #behind(branch: Branch, leafAt: number, bytes: Uint8Array, start: number, end: number): KeyLeaf {
    const leaf = branch[leafAt] as KeyLeaf;
    const last = this.#keys.head(leaf.idAt(leaf.count - 1), end - start);
    const low = textOf(bytes, start, start + sharedWith(last, bytes, start, end) + 1);
    const next = branch[leafAt + 1];
    if (next !== undefined && next.count < LEAF_MAX_IDS / 2) {
      next.low = low;
      return next;
    }
    const added = new KeyLeaf({ low, ids: 0 });
    branch.splice(leafAt + 1, 0, added);
    return added;
  }

  /** At the right end when it grows there, in the middle otherwise. */
  #splitBranch(branchAt: number, leafAt: number): void {
    const branch = this.#branches[branchAt] as Branch;
    const grows = leafAt >= branch.length - 2;
    const right = branch.splice(grows ? branch.length - 1 : branch.length >>> 1);
    this.#branches.splice(branchAt + 1, 0, right);
  }

  /** A sparse leaf with the one before or behind it, and its branch likewise. */
  #join(branchAt: number, leafAt: number): void {
    const branch = this.#branches[branchAt] as Branch;
    const most = LEAF_MAX_IDS * JOINED;
    const leaf = branch[leafAt] as KeyLeaf;
    const before = branch[leafAt - 1];
    const behind = branch[leafAt + 1];
    if (before !== undefined && before.count + leaf.count <= most) {
      before.append(leaf);
      branch.splice(leafAt, 1);
    } else if (behind !== undefined && behind.count + leaf.count <= most) {
      leaf.append(behind);
      branch.splice(leafAt + 1, 1);
    } else if (leaf.count === 0 && this.#size > 0) {
      branch.splice(leafAt, 1);
    } else {
      return;
    }
    if (branch.length < BRANCH_MAX_LEAVES * SPARSE) this.#joinBranch(branchAt);
  }

  #joinBranch(branchAt: number): void {
    const branches = this.#branches;
    const branch = branches[branchAt] as Branch;
    const most = BRANCH_MAX_LEAVES * JOINED;
    const before = branches[branchAt - 1];
    const behind = branches[branchAt + 1];
    if (branch.length === 0) {
      branches.splice(branchAt, 1);
    } else if (before !== undefined && before.length + branch.length <= most) {
      before.push(...branch);
      branches.splice(branchAt, 1);
    } else if (behind !== undefined && behind.length + branch.length <= most) {
      branch.push(...behind);
      branches.splice(branchAt + 1, 1);
    }
  }
}

function leafAtOf(branch: Branch, bytes: Uint8Array, start: number, end: number): number {
  let low = 0;
  let high = branch.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (isAbove((branch[middle] as KeyLeaf).low, bytes, start, end)) high = middle - 1;
    else low = middle;
  }
  return low;
}

function isAbove(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  const same = sharedWith(text, bytes, start, end);
  if (same === text.length) return false;
  return start + same === end || text.charCodeAt(same) > (bytes[start + same] as number);
}
