// Compaction: which revisions may still be read, and the walk that frees the rest.
//
// Two marks. Reads and watches that begin below `compactRevision` are refused. `floor` is what has
// really begun to go: it follows compactRevision as soon as no pin holds it, and whoever reads
// below it, pinned or not, is too late. The walk goes over the list of commits from its old end, a
// commit at a time, so it can stop anywhere: every read at or above the floor stays right.

import type { Revision } from "../kv/types.js";
import type { Counters } from "./counters.js";
import type { History } from "./history.js";
import type { KeySpace } from "./key-space.js";

export class Compactor {
  compactRevision: Revision = 0;
  /** The floor for which the commit right at it has been walked. */
  #walkedFloor: Revision = 0;
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

  /** Walks at most about `maxChanges` changes; true when nothing is left to walk. */
  walk(maxChanges: number): boolean {
    let changes = 0;
    while (this.pending) {
      if (changes >= maxChanges) return false;
      const revision = this.#history.oldestRevision as Revision;
      const length = this.#history.lengthOf(revision);
      this.#dropBehind(revision, length);
      changes += length;
      this.#counters.changesCompacted += length;
      if (revision < this.floor) {
        this.#history.dropOldest();
        this.#keys.forgetChanges(length);
      } else {
        this.#walkedFloor = this.floor;
      }
    }
    return true;
  }

  /** Frees memory, a piece of about `maxWork` rows; true when there is nothing more to do now. */
  reclaim(maxWork: number): boolean {
    return this.#keys.reclaim(this.#history.oldestRevision ?? this.floor + 1, maxWork);
  }

  #dropBehind(revision: Revision, length: number): void {
    const { rows } = this.#keys;
    let row = this.#history.firstRowOf(revision);
    for (let place = 0; place < length; place += 1) {
      const next = place + 1 < length ? rows.after(row) : row;
      this.#keys.dropBehind(row);
      row = next;
    }
  }
}
