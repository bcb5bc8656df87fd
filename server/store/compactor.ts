// Compaction: which revisions may still be read, and the walk that frees the rest.
//
// Two marks. Reads and watches that begin below `compactRevision` are refused. `floor` is what has
// really begun to go: it follows compactRevision as soon as no pin holds it, and whoever reads
// below it, pinned or not, is too late. The walk goes over the list of commits from its old end, a
// change at a time, so it can stop anywhere: every read at or above the floor stays right.

import type { Revision } from "../kv/types.js";
import type { Counters } from "./counters.js";
import type { History } from "./history.js";
import type { KeySpace } from "./key-space.js";
import { NO_ROW, type Row } from "./row-layout.js";

export class Compactor {
  compactRevision: Revision = 0;
  /** The floor for which the commit right at it has been walked. */
  #walkedFloor: Revision = 0;
  /** In the oldest commit: the change that is next, its row, and whether it was below the floor. */
  #place = 0;
  #row: Row = NO_ROW;
  #isBelow = false;
  readonly #keys: KeySpace;
  readonly #history: History;
  readonly #counters: Counters;

  constructor(keys: KeySpace, history: History, counters: Counters) {
    this.#keys = keys;
    this.#history = history;
    this.#counters = counters;
  }

  get floor(): Revision {
    return this.#keys.floor;
  }

  /** The floor has not reached the compact revision: a pin holds it. */
  get held(): boolean {
    return this.floor < this.compactRevision;
  }

  /** There are commits to walk. */
  get pending(): boolean {
    const oldest = this.#history.oldestRevision;
    if (oldest === undefined || oldest > this.floor) return false;
    return oldest < this.floor || this.#walkedFloor < this.floor;
  }

  /** Refuses reads that begin below `revision` from now on. */
  request(revision: Revision): void {
    this.compactRevision = Math.max(this.compactRevision, revision);
  }

  /** Goes on where a store was that has been carried over: what went is gone. */
  resume(revision: Revision): void {
    this.compactRevision = revision;
    this.#keys.floor = revision;
    this.#walkedFloor = revision;
  }

  /** Lets the floor follow the compact revision, up to the lowest revision that is pinned. */
  raiseFloor(pinned: Revision | undefined): void {
    const floor = Math.min(this.compactRevision, pinned ?? this.compactRevision);
    this.#keys.floor = Math.max(this.floor, floor);
  }

  /** Walks at most `maxChanges` changes; true when nothing is left to walk. */
  walk(maxChanges: number): boolean {
    let left = maxChanges;
    while (this.pending) {
      if (left <= 0) return false;
      left -= this.#walkOldest(left);
    }
    return true;
  }

  /** Frees memory, a piece of about `maxWork` rows; true when there is nothing more to do now. */
  reclaim(maxWork: number): boolean {
    return this.#keys.reclaim(this.#history.oldestRevision ?? this.floor + 1, maxWork);
  }

  /** Goes on in the oldest commit, over so many of its changes at most; how many it were. */
  #walkOldest(most: number): number {
    const revision = this.#history.oldestRevision as Revision;
    const length = this.#history.lengthOf(revision);
    const isBelow = revision < this.floor;
    // What was walked at the floor has to be walked again below it: tombstones go then.
    if (this.#place > 0 && isBelow !== this.#isBelow) this.#place = 0;
    if (this.#place === 0) this.#row = this.#history.firstRowOf(revision);
    this.#isBelow = isBelow;
    const from = this.#place;
    const { rows } = this.#keys;
    while (this.#place < length && this.#place - from < most) {
      const row = this.#row;
      this.#place += 1;
      if (this.#place < length) this.#row = rows.after(row);
      this.#keys.dropBehind(row);
    }
    const walked = this.#place - from;
    this.#counters.changesCompacted += walked;
    if (this.#place === length) this.#leaveOldest(length, isBelow);
    return walked;
  }

  #leaveOldest(length: number, isBelow: boolean): void {
    this.#place = 0;
    if (!isBelow) {
      this.#walkedFloor = this.floor;
      return;
    }
    this.#history.dropOldest();
    this.#keys.forgetChanges(length);
  }
}
