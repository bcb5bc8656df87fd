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
import type { Commit } from "./version.js";

export class Compactor {
  compactRevision: Revision = 0;
  floor: Revision = 0;
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

  /** The floor has not reached the compact revision: a pin holds it. */
  get held(): boolean {
    return this.floor < this.compactRevision;
  }

  /** There are commits to walk. */
  get pending(): boolean {
    const oldest = this.#history.oldest;
    if (oldest === undefined || oldest.revision > this.floor) return false;
    return oldest.revision < this.floor || this.#walkedFloor < this.floor;
  }

  /** Refuses reads that begin below `revision` from now on. */
  request(revision: Revision): void {
    this.compactRevision = Math.max(this.compactRevision, revision);
  }

  /** Goes on where a store was that has been carried over: what went is gone. */
  resume(revision: Revision): void {
    this.compactRevision = revision;
    this.floor = revision;
    this.#walkedFloor = revision;
  }

  /** Lets the floor follow the compact revision, up to the lowest revision that is pinned. */
  raiseFloor(pinned: Revision | undefined): void {
    const floor = Math.min(this.compactRevision, pinned ?? this.compactRevision);
    this.floor = Math.max(this.floor, floor);
  }

  /** Walks at most about `maxChanges` changes; true when nothing is left to walk. */
  walk(maxChanges: number): boolean {
    let changes = 0;
    while (this.pending) {
      if (changes >= maxChanges) return false;
      const commit = this.#history.oldest as Commit;
      for (const { record } of commit.changes) this.#keys.dropBelow(record, this.floor);
      changes += commit.changes.length;
      this.#counters.changesCompacted += commit.changes.length;
      if (commit.revision < this.floor) {
        this.#history.dropOldest();
        this.#keys.forgetChanges(commit.changes.length);
      } else {
        this.#walkedFloor = this.floor;
      }
    }
    return true;
  }
}
