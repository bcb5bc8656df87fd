// Walks a store in slices and gives its image at the revision at which it began, while the store
// goes on. What it still has to read is kept from compaction until stop(), except from a write that
// the store's own limit leaves no other room for: then next() throws.

import { keyAfter } from "../kv/selector.js";
import type { Revision } from "../kv/types.js";
import type { Now } from "../lib/clock.js";
import { type ImageHeader, type ImageItem, type LogPlace, NO_LOG } from "./image.js";
import { NO_KEY } from "./key-table.js";
import type { Lease } from "./lessor.js";
import { NO_ROW, type Row } from "./row-layout.js";
import type { Store } from "./store.js";
import { versionOfRow } from "./version.js";

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
   * The next items, after looking at about `maxVisits` things; undefined at the end.
   *
   * @throws KvdError REVISION_COMPACTED when history had to go.
   */
  next(maxVisits: number): readonly ImageItem[] | undefined {
    this.#store.retention.refuseGone(this.revision);
    this.#store.counters.slices += 1;
    if (this.#lease < this.#leases.length) return this.#nextLeases(maxVisits);
    if (this.#start !== undefined) return this.#nextEntries(this.#start, maxVisits);
    return this.#nextChanges(maxVisits);
  }

  /** Lets compaction have it. */
  stop(): void {
    this.#store.retention.stopReading(this);
  }

  #nextLeases(maxVisits: number): ImageItem[] {
    const leases = this.#leases.slice(this.#lease, this.#lease + maxVisits);
    this.#lease += leases.length;
    return leases.map(({ id, ttlMs, ofPut, rank }) => ({
      kind: "lease",
      lease: { id, ttlMs, ofPut },
      // Clocks have fractions: the sum less one of its terms can be above the other.
      remainingMs: Math.min(ttlMs, Math.max(0, Math.ceil(rank - this.#nowMs))),
    }));
  }

  #nextEntries(start: Uint8Array, maxVisits: number): ImageItem[] {
    const items: ImageItem[] = [];
    const { keys } = this.#store;
    const { rows } = keys;
    const walk = keys.ascend(start);
    this.#start = undefined;
    for (let visits = 1; visits <= maxVisits; visits += 1) {
      const id = walk.next();
      if (id === NO_KEY) break;
      const row = keys.liveAt(id, this.revision);
      if (row !== NO_ROW && rows.revisionOf(row) < this.#nextCommit) {
        items.push({ kind: "entry", key: rows.keyOf(row), version: versionOfRow(rows, row) });
      }
      if (visits === maxVisits) this.#start = keyAfter(rows.keyOf(keys.newest(id)));
    }
    return items;
  }

  #nextChanges(maxVisits: number): ImageItem[] | undefined {
    const items: ImageItem[] = [];
    const { rows } = this.#store.keys;
    while (items.length < maxVisits) {
      if (this.#left === 0 && !this.#beginCommit(items)) break;
      for (; this.#left > 0 && items.length < maxVisits; this.#left -= 1) {
        const row = this.#row;
        items.push({ kind: "change", key: rows.keyOf(row), version: versionOfRow(rows, row) });
        if (this.#left > 1) this.#row = rows.after(row);
      }
    }
    return items.length === 0 ? undefined : items;
  }

  /** False when there is none any more. */
  #beginCommit(items: ImageItem[]): boolean {
    const revision = this.#nextCommit;
    if (revision > this.header.revision) return false;
    const { history } = this.#store;
    this.#row = history.firstRowOf(revision);
    this.#left = history.lengthOf(revision);
    items.push({ kind: "commit", revision, timeMs: history.timeOf(revision), changes: this.#left });
    this.#nextCommit += 1;
    return true;
  }
}
