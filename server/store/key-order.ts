// The ids of keys in the order of their bytes. Leaves of up to 512 ids stand in branches of up to
// 512 leaves, and those in a list: two levels, because inserting into one list of all leaves would
// move megabytes at 100 M keys. The way to a leaf goes by a text that each leaf keeps, so it asks
// for no key. What is added behind a full leaf begins a new one, so sorted loads leave full leaves.

import assert from "node:assert/strict";
import type { KeyBytes } from "./key-bytes.js";
import { KeyCursor } from "./key-cursor.js";
import { KeyLeaf, LEAF_MAX_IDS, LEAF_WORDS, sharedWith, textOf } from "./key-leaf.js";
import { LeafRooms } from "./leaf-rooms.js";

const BRANCH_MAX_LEAVES = 512;
/** A leaf or a branch that is below a quarter joins a neighbour, if both are three quarters. */
const SPARSE = 1 / 4;
const JOINED = 3 / 4;
/** A full leaf gives a neighbour at least as many ids, or is split. */
const LEAST_MOVED = 32;

/** Leaves in order; never empty. */
export type Branch = KeyLeaf[];

interface CursorStart {
  readonly shift: 0 | -1;
  readonly step: 1 | -1;
  readonly livingOnly: boolean;
}

export class KeyOrder {
  readonly #keys: KeyBytes;
  readonly #rooms = new LeafRooms({ roomWords: LEAF_WORDS });
  readonly #branches: Branch[] = [[new KeyLeaf({ low: "", rooms: this.#rooms })]];
  #size = 0;
  /** Some leaf may be marked as dead. */
  #mayBeDead = false;
  /** Where the last key was looked for; need not be there any more. */
  #lastBranchAt = 0;
  #lastLeafAt = 0;

  constructor({ keys }: { readonly keys: KeyBytes }) {
    this.#keys = keys;
  }

  get size(): number {
    return this.#size;
  }

  /** What it has for ids: the system gives memory to the part that was ever used. */
  get bytes(): number {
    return this.#rooms.bytes;
  }

  /** bytes[start, end) is the key of the id; it must not be there yet. */
  insert(id: number, bytes: Uint8Array, start: number, end: number): void {
    const keys = this.#keys;
    this.#seek(bytes, start, end);
    const branchAt = this.#lastBranchAt;
    const leafAt = this.#lastLeafAt;
    const branch = this.#branches[branchAt] as Branch;
    let leaf = branch[leafAt] as KeyLeaf;
    let position = leaf.position(keys, bytes, start, end);
    if (leaf.isFull) {
      if (position === LEAF_MAX_IDS) {
        leaf = this.#behind(branch, leafAt, bytes, start, end);
        position = 0;
      } else {
        this.#makeRoom(branch, leafAt);
        this.#seekIn(branch, Math.max(leafAt - 1, 0), bytes, start, end);
        leaf = branch[this.#lastLeafAt] as KeyLeaf;
        position = leaf.position(keys, bytes, start, end);
      }
      if (branch.length > BRANCH_MAX_LEAVES) this.#splitBranch(branchAt, leafAt);
    }
    leaf.insert(position, id, bytes, start, end);
    this.#size += 1;
  }

  /** The same for a key above all that are there. */
  append(id: number, bytes: Uint8Array, start: number, end: number): void {
    const branchAt = this.#branches.length - 1;
    const branch = this.#branches[branchAt] as Branch;
    const leafAt = branch.length - 1;
    let leaf = branch[leafAt] as KeyLeaf;
    if (leaf.isFull) leaf = this.#behind(branch, leafAt, bytes, start, end);
    leaf.insert(leaf.count, id, bytes, start, end);
    this.#size += 1;
    if (branch.length > BRANCH_MAX_LEAVES) this.#splitBranch(branchAt, leafAt);
  }

  /** bytes[start, end) is the key of the id. Whether it was there. */
  remove(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    this.#seek(bytes, start, end);
    const branchAt = this.#lastBranchAt;
    const leafAt = this.#lastLeafAt;
    const branch = this.#branches[branchAt] as Branch;
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
    return this.#cursorAt(bytes, { shift: 0, step: 1, livingOnly: false });
  }

  /**
   * Upwards from the first key at or above the bytes; keys without an entry may be left out. Who
   * walks says which have one.
   */
  ascendLiving(bytes: Uint8Array): KeyCursor {
    this.#mayBeDead = true;
    return this.#cursorAt(bytes, { shift: 0, step: 1, livingOnly: true });
  }

  /** A key has an entry again: bytes[start, end), which is here. */
  revive(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#mayBeDead) return;
    this.#seek(bytes, start, end);
    const branch = this.#branches[this.#lastBranchAt] as Branch;
    (branch[this.#lastLeafAt] as KeyLeaf).isDead = false;
  }

  /** Downwards from the last key below the bytes, or from the last of all. */
  descend(bytes?: Uint8Array): KeyCursor {
    if (bytes !== undefined)
      return this.#cursorAt(bytes, { shift: -1, step: -1, livingOnly: false });
    const branches = this.#branches;
    const branchAt = branches.length - 1;
    const leafAt = (branches[branchAt] as Branch).length - 1;
    const at = ((branches[branchAt] as Branch)[leafAt] as KeyLeaf).count - 1;
    return new KeyCursor({ branches, branchAt, leafAt, at, step: -1 });
  }

  /** The ids in leaves that are said to be dead. */
  *deadIds(): Generator<number> {
    for (const leaf of this.#branches.flat()) {
      for (let at = 0; leaf.isDead && at < leaf.count; at += 1) yield leaf.idAt(at);
    }
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

  /** The first place that is not below the bytes, moved by `shift`. */
  #cursorAt(bytes: Uint8Array, { shift, step, livingOnly }: CursorStart): KeyCursor {
    this.#seek(bytes, 0, bytes.length);
    const branchAt = this.#lastBranchAt;
    const leafAt = this.#lastLeafAt;
    const leaf = (this.#branches[branchAt] as Branch)[leafAt] as KeyLeaf;
    const at = leaf.position(this.#keys, bytes, 0, bytes.length) + shift;
    return new KeyCursor({ branches: this.#branches, branchAt, leafAt, at, step, livingOnly });
  }

  /** Finds the leaf that the bytes belong to: the last one again, when keys come in some order. */
  #seek(bytes: Uint8Array, start: number, end: number): void {
    const branch = this.#branches[this.#lastBranchAt];
    const leaf = branch?.[this.#lastLeafAt];
    if (branch !== undefined && leaf !== undefined && !isAbove(leaf.low, bytes, start, end)) {
      const next = branch[this.#lastLeafAt + 1] ?? this.#branches[this.#lastBranchAt + 1]?.[0];
      if (next === undefined || isAbove(next.low, bytes, start, end)) return;
    }
    this.#lastBranchAt = this.#branchAt(bytes, start, end);
    this.#lastLeafAt = leafAtOf(this.#branches[this.#lastBranchAt] as Branch, bytes, start, end);
  }

  /** The same within a branch, from a leaf that is not behind. */
  #seekIn(branch: Branch, from: number, bytes: Uint8Array, start: number, end: number): void {
    let at = from;
    for (; at + 1 < branch.length; at += 1) {
      if (isAbove((branch[at + 1] as KeyLeaf).low, bytes, start, end)) break;
    }
    this.#lastLeafAt = at;
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
   * Evens out a full leaf with a neighbour, or splits it if those are rather full too. That keeps
   * leaves that fill at random five sixths full, where splitting alone keeps two thirds.
   */
  #makeRoom(branch: Branch, leafAt: number): void {
    const keys = this.#keys;
    const leaf = branch[leafAt] as KeyLeaf;
    const before = branch[leafAt - 1];
    const behind = branch[leafAt + 1];
    const most = LEAF_MAX_IDS - 2 * LEAST_MOVED;
    if (behind !== undefined && behind.count <= most) {
      leaf.moveTo(behind, (leaf.count - behind.count) >>> 1, keys);
    } else if (before !== undefined && before.count <= most) {
      before.takeFrom(leaf, (leaf.count - before.count) >>> 1, keys);
    } else {
      const right = new KeyLeaf({ low: "", rooms: this.#rooms });
      leaf.moveTo(right, leaf.count >>> 1, keys);
      branch.splice(leafAt + 1, 0, right);
    }
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
    const added = new KeyLeaf({ low, rooms: this.#rooms });
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
      before.takeAll(leaf);
      branch.splice(leafAt, 1);
    } else if (behind !== undefined && behind.count + leaf.count <= most) {
      leaf.takeAll(behind);
      branch.splice(leafAt + 1, 1);
    } else if (leaf.count === 0 && this.#size > 0) {
      leaf.drop();
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

/** The last leaf whose text is at or below the bytes, or the first. */
function leafAtOf(branch: Branch, bytes: Uint8Array, start: number, end: number): number {
  let low = 0;
  let high = branch.length - 1;
  // Texts between two that share bytes with the key share them too.
  let sameLow = 0;
  let sameHigh = 0;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    const { low: text } = branch[middle] as KeyLeaf;
    const same = sharedWith(text, bytes, start, end, Math.min(sameLow, sameHigh));
    if (goesOnAbove(text, same, bytes, start, end)) {
      high = middle - 1;
      sameHigh = same;
    } else {
      low = middle;
      sameLow = same;
    }
  }
  return low;
}

function isAbove(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  return goesOnAbove(text, sharedWith(text, bytes, start, end), bytes, start, end);
}

/** Whether a text is above bytes of which exactly the first `same` are its beginning. */
function goesOnAbove(
  text: string,
  same: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (same === text.length) return false;
  return start + same === end || text.charCodeAt(same) > (bytes[start + same] as number);
}
