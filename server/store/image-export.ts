// Walks a store in slices and gives its image at the revision at which it began, while the store
// goes on. What it still has to read is kept from compaction until stop(), except from a write that
// the store's own limit leaves no other room for: then next() throws.

import type { Revision } from "../kv/types.js";
import type { Now } from "../lib/clock.js";
import type { Walk } from "../lib/ordered-map.js";
import { type ImageHeader, type ImageItem, type LogPlace, NO_LOG } from "./image.js";
import type { Lease } from "./lessor.js";
import type { Store } from "./store.js";
import type { Commit, KeyRecord } from "./version.js";

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
  #start: string | undefined = "";
  #commit: Commit | undefined;
  #change = 0;

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
    const oldest = store.history.oldest?.revision ?? store.revision + 1;
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

  #nextEntries(start: string, maxVisits: number): ImageItem[] {
    const items: ImageItem[] = [];
    const walk: Walk<string, KeyRecord> = this.#store.keys.ascend(start);
    for (let visits = 0; visits < maxVisits; visits += 1) {
      const record = walk.next()?.[1];
      if (record === undefined) {
        this.#start = undefined;
        return items;
      }
      const version = record.liveAt(this.revision);
      if (version !== undefined && version.revision < this.#nextCommit) {
        items.push({ kind: "entry", key: record.bytes, version });
      }
      this.#start = `${record.key}\0`;
    }
    return items;
  }

  #nextChanges(maxVisits: number): ImageItem[] | undefined {
    const items: ImageItem[] = [];
    while (items.length < maxVisits) {
      if (this.#commit === undefined && !this.#beginCommit(items)) break;
      const changes = this.#commit?.changes ?? [];
      const end = Math.min(changes.length, this.#change + maxVisits - items.length);
      for (; this.#change < end; this.#change += 1) {
        const { record, version } = changes[this.#change] as Commit["changes"][number];
        items.push({ kind: "change", key: record.bytes, version });
      }
      if (this.#change === changes.length) this.#commit = undefined;
    }
    return items.length === 0 ? undefined : items;
  }

  /** False when there is none any more. */
  #beginCommit(items: ImageItem[]): boolean {
    if (this.#nextCommit > this.header.revision) return false;
    const commit = this.#store.history.at(this.#nextCommit) as Commit;
    const { revision, timeMs } = commit;
    items.push({ kind: "commit", revision, timeMs, changes: commit.changes.length });
    this.#commit = commit;
    this.#change = 0;
    this.#nextCommit += 1;
    return true;
  }
}
