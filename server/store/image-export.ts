// Walks a store in slices and gives its image at the revision at which it began, while the store
// goes on. What it still has to read is kept from compaction until stop(), except from a write that
// the store's own limit leaves no other room for: then next() throws.

import { keyAfter } from "../kv/selector.js";
import type { Revision } from "../kv/types.js";
import type { Now } from "../lib/clock.js";
import { type ImageHeader, type ImageTarget, type LogPlace, NO_LOG } from "./image.js";
import { NO_KEY } from "./key-table.js";
import type { Lease } from "./lessor.js";
import { RowCursor } from "./row-cursor.js";
import { NO_ROW, type Row } from "./row-layout.js";
import type { Store } from "./store.js";

/** "all": with the history that can be read. "none": as if compacted at the head. */
export type ExportedHistory = "all" | "none";

export class ImageExport {
  readonly header: ImageHeader;
  /** Kept from compaction. */
  readonly revision: Revision;
  readonly #store: Store;
  readonly #leases: readonly Lease[];
  readonly #nowMs: number;
  /** What is given as commits, not as entries. */
  #nextCommit: Revision;
  #lease = 0;
  #start: Uint8Array | undefined = new Uint8Array(0);
  /** The next change of the commit that is being given, and how many are left of it. */
  #row: Row = NO_ROW;
  #left = 0;
  readonly #shown = new RowCursor();

  constructor(
    store: Store,
    options: {
      readonly history: ExportedHistory;
      readonly now: Now;
      /** Where its log goes on after this moment. */
      readonly log?: LogPlace;
    },
  ) {
    const { history, now, log = NO_LOG } = options;
    const { compactor } = store.retention;
    const compactRevision = history === "all" ? compactor.compactRevision : store.revision;
    this.#store = store;
    this.revision = compactRevision;
    this.header = {
      storeId: store.storeId,
      revision: store.revision,
      compactRevision,
      timeMs: store.journal.lastTimeMs,
      log,
    };
    this.#nowMs = now.monotonicMs;
    const oldest = store.history.oldestRevision ?? store.revision + 1;
    this.#nextCommit = Math.max(oldest, compactRevision);
    this.#leases = store.lessor.all();
    store.retention.startReading(this);
  }

  /**
   * Gives the next of it, after looking at about `maxVisits` things, or until the target is full;
   * false at the end.
   *
   * @throws KvdError REVISION_COMPACTED when history had to go.
   */
  next(maxVisits: number, target: ImageTarget): boolean {
    this.#store.retention.refuseGone(this.revision);
    this.#store.counters.slices += 1;
    if (this.#lease < this.#leases.length) this.#giveLeases(maxVisits, target);
    else if (this.#start !== undefined) this.#giveEntries(this.#start, maxVisits, target);
    else return this.#giveChanges(maxVisits, target);
    return true;
  }

  /** Lets compaction have it. */
  stop(): void {
    this.#store.retention.stopReading(this);
  }

  #giveLeases(maxVisits: number, target: ImageTarget): void {
    for (let left = maxVisits; left > 0 && !target.isFull; left -= 1) {
      const lease = this.#leases[this.#lease];
      if (lease === undefined) return;
      const { id, ttlMs, ofPut, rank } = lease;
      this.#lease += 1;
      // Clocks have fractions: the sum less one of its terms can be above the other.
      const remainingMs = Math.min(ttlMs, Math.max(0, Math.ceil(rank - this.#nowMs)));
      target.lease({ id, ttlMs, ofPut }, remainingMs);
    }
  }

  #giveEntries(start: Uint8Array, maxVisits: number, target: ImageTarget): void {
    const { keys } = this.#store;
    const { rows } = keys;
    const shown = this.#shown;
    const walk = keys.ascend(start);
    this.#start = undefined;
    for (let visits = 1; ; visits += 1) {
      const id = walk.next();
      if (id === NO_KEY) return;
      const row = keys.liveAt(id, this.revision);
      if (row !== NO_ROW && rows.revisionOf(row) < this.#nextCommit) {
        rows.read(row, shown);
        target.entry(shown);
      }
      if (visits < maxVisits && !target.isFull) continue;
      this.#start = keyAfter(rows.keyOf(keys.newest(id)));
      return;
    }
  }

  #giveChanges(maxVisits: number, target: ImageTarget): boolean {
    const { rows } = this.#store.keys;
    const shown = this.#shown;
    for (let left = maxVisits; left > 0 && !target.isFull; left -= 1) {
      if (this.#left === 0 && !this.#beginCommit(target)) return false;
      const row = this.#row;
      rows.read(row, shown);
      target.change(shown);
      this.#left -= 1;
      if (this.#left > 0) this.#row = rows.after(row);
    }
    return true;
  }

  /** False when there is none any more. */
  #beginCommit(target: ImageTarget): boolean {
    const revision = this.#nextCommit;
    if (revision > this.header.revision) return false;
    const { history } = this.#store;
    this.#row = history.firstRowOf(revision);
    this.#left = history.lengthOf(revision);
    target.commit(revision, history.timeOf(revision), this.#left);
    this.#nextCommit += 1;
    return true;
  }
}
