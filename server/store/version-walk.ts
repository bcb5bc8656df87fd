// Walks over everything that is retained up to a revision, in the order in which it was changed,
// in slices, while the store goes on. What it still has to read is kept from compaction until
// stop(), except from a write that the store's own limit leaves no other room for: then next()
// throws.
//
// Keys are not in the order of their changes, so the entries as of the compact revision are
// gathered first: those of a slice of keys are sorted into a run, and the runs are merged as they
// are read.

import type { Revision, VersionRow } from "../kv/types.js";
import { Heap, type HeapItem } from "../lib/heap.js";
import type { Store } from "./store.js";
import { type Change, entryOfVersion } from "./version.js";

/** Entries in the order of their changes; ranked by the revision of the next. */
interface Run extends HeapItem {
  readonly changes: readonly Change[];
  at: number;
}

export class StoredVersions {
  /** It goes up to it. */
  readonly lastRevision: Revision;
  /** The compact revision, kept from compaction. */
  readonly revision: Revision;
  readonly #store: Store;
  /** Where the keys go on that are not gathered yet. */
  #start: string | undefined = "";
  readonly #runs = new Heap<Run>();
  #nextCommit: Revision;
  /** Of one revision. */
  #changes: readonly Change[] = [];
  #at = 0;

  /** `lastRevision` can be read. */
  constructor(store: Store, lastRevision: Revision) {
    this.#store = store;
    this.lastRevision = lastRevision;
    this.revision = store.retention.compactor.compactRevision;
    const oldest = store.history.oldest?.revision ?? store.revision + 1;
    this.#nextCommit = Math.max(oldest, this.revision + 1);
    store.retention.startReading(this);
  }

  /**
   * The next rows, after looking at about `maxVisits` things: none while it gathers; undefined at
   * the end.
   *
   * @throws KvdError REVISION_COMPACTED when history had to go.
   */
  next(maxVisits: number): readonly VersionRow[] | undefined {
    this.#store.retention.refuseGone(this.revision);
    this.#store.counters.slices += 1;
    if (this.#start !== undefined) {
      this.#gather(this.#start, maxVisits);
      return [];
    }
    const rows: VersionRow[] = [];
    for (let change = this.#next(); change !== undefined; change = this.#next()) {
      rows.push(this.#row(change));
      if (rows.length === maxVisits) break;
    }
    return rows.length === 0 ? undefined : rows;
  }

  /** Lets compaction have it. */
  stop(): void {
    this.#store.retention.stopReading(this);
  }

  #gather(start: string, maxVisits: number): void {
    const changes: Change[] = [];
    const walk = this.#store.keys.ascend(start);
    this.#start = undefined;
    for (let visits = 1; visits <= maxVisits; visits += 1) {
      const record = walk.next()?.[1];
      if (record === undefined) break;
      const version = record.liveAt(this.revision);
      if (version !== undefined) changes.push({ record, version });
      if (visits === maxVisits) this.#start = `${record.key}\0`;
    }
    const first = changes.sort(inOrder)[0];
    if (first === undefined) return;
    this.#runs.push({ changes, at: 0, rank: first.version.revision, heapIndex: -1 });
  }

  #next(): Change | undefined {
    if (this.#at === this.#changes.length) {
      this.#changes = this.#entriesOfOne() ?? this.#commit() ?? [];
      this.#at = 0;
    }
    const change = this.#changes[this.#at];
    if (change !== undefined) this.#at += 1;
    return change;
  }

  /** The entries of the lowest revision, from all runs: no more than one commit has made. */
  #entriesOfOne(): Change[] | undefined {
    const revision = this.#runs.peek()?.rank;
    if (revision === undefined) return undefined;
    const entries: Change[] = [];
    for (let run = this.#runs.peek(); run?.rank === revision; run = this.#runs.peek()) {
      const next = run.changes[run.at] as Change;
      entries.push(next);
      run.at += 1;
      const after = run.changes[run.at];
      if (after === undefined) this.#runs.remove(run);
      else if (after.version.revision > revision) {
        run.rank = after.version.revision;
        this.#runs.update(run);
      }
    }
    return entries.sort(inOrder);
  }

  #commit(): readonly Change[] | undefined {
    if (this.#nextCommit > this.lastRevision) return undefined;
    const commit = this.#store.history.at(this.#nextCommit);
    this.#nextCommit += 1;
    return commit?.changes;
  }

  #row({ record, version }: Change): VersionRow {
    const isDeleted = version.deleted !== undefined;
    return {
      revision: version.revision,
      place: version.place,
      key: record.bytes,
      entry: isDeleted ? undefined : entryOfVersion(record, version),
      newest: record.versions[record.indexAt(this.lastRevision)] === version,
    };
  }
}

/** Snapshots of version 1 knew no places: then the order of the keys decides. */
function inOrder(left: Change, right: Change): number {
  const { revision, place } = left.version;
  return revision - right.version.revision || place - right.version.place;
}
