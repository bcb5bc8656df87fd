// Walks over everything that is retained up to a revision, in the order in which it was changed,
// in slices, while the store goes on. What it still has to read is kept from compaction until
// stop(), except from a write that the store's own limit leaves no other room for: then next()
// throws.
//
// Keys are not in the order of their changes, so the entries as of the compact revision are
// gathered first: those of a slice of keys are sorted into a run, and the runs are merged as they
// are read.

import { keyAfter } from "../kv/selector.js";
import type { Revision, VersionRow } from "../kv/types.js";
import { copyBytes } from "../lib/bytes.js";
import { Heap, type HeapItem } from "../lib/heap.js";
import { NO_KEY } from "./key-table.js";
import { NO_ROW, type Row } from "./row-layout.js";
import type { Store } from "./store.js";
import { entryOfRow } from "./version.js";

/**
 * Entries in the order of their changes; ranked by the revision of the next. Compaction may move
 * their rows, so there is what finds them again: their keys.
 */
interface Run extends HeapItem {
  readonly entries: readonly Gathered[];
  at: number;
}

interface Gathered {
  readonly revision: Revision;
  readonly place: number;
  readonly key: Uint8Array;
}

export class StoredVersions {
  /** It goes up to it. */
  readonly lastRevision: Revision;
  /** The compact revision, kept from compaction. */
  readonly revision: Revision;
  readonly #store: Store;
  /** Where the keys go on that are not gathered yet. */
  #start: Uint8Array | undefined = new Uint8Array(0);
  readonly #runs = new Heap<Run>();
  #nextCommit: Revision;
  /** Of one revision, in their order. */
  #rows: readonly Row[] = [];
  #at = 0;
  /** Whose rows those are, unless they are of a commit. */
  #entries: readonly Gathered[] = [];

  /** `lastRevision` can be read. */
  constructor(store: Store, lastRevision: Revision) {
    this.#store = store;
    this.lastRevision = lastRevision;
    this.revision = store.retention.compactor.compactRevision;
    const oldest = store.history.oldestRevision ?? store.revision + 1;
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
    if (this.#entries.length > 0) this.#rows = this.#rowsOf(this.#entries);
    const rows: VersionRow[] = [];
    while (rows.length < maxVisits) {
      if (this.#at === this.#rows.length && !this.#advance()) break;
      rows.push(this.#row(this.#rows[this.#at] as Row));
      this.#at += 1;
    }
    return rows.length === 0 ? undefined : rows;
  }

  /** Lets compaction have it. */
  stop(): void {
    this.#store.retention.stopReading(this);
  }

  #gather(start: Uint8Array, maxVisits: number): void {
    const entries: Gathered[] = [];
    const { keys } = this.#store;
    const { rows } = keys;
    const walk = keys.ascend(start);
    this.#start = undefined;
    for (let visits = 1; visits <= maxVisits; visits += 1) {
      const id = walk.next();
      if (id === NO_KEY) break;
      const row = keys.liveAt(id, this.revision);
      if (row !== NO_ROW) {
        const key = copyBytes(rows.keyOf(row));
        entries.push({ revision: rows.revisionOf(row), place: rows.placeOf(row), key });
      }
      if (visits === maxVisits) this.#start = keyAfter(rows.keyOf(keys.newest(id)));
    }
    const first = entries.sort(inOrder)[0];
    if (first === undefined) return;
    this.#runs.push({ entries, at: 0, rank: first.revision, heapIndex: -1 });
  }

  /** Goes to the rows of the next revision; false when there is none. */
  #advance(): boolean {
    this.#at = 0;
    this.#entries = this.#entriesOfOne();
    this.#rows = this.#entries.length > 0 ? this.#rowsOf(this.#entries) : this.#commit();
    return this.#rows.length > 0;
  }

  /** The entries of the lowest revision, from all runs: no more than one commit has made. */
  #entriesOfOne(): Gathered[] {
    const revision = this.#runs.peek()?.rank;
    if (revision === undefined) return [];
    const entries: Gathered[] = [];
    for (let run = this.#runs.peek(); run?.rank === revision; run = this.#runs.peek()) {
      entries.push(run.entries[run.at] as Gathered);
      run.at += 1;
      const after = run.entries[run.at];
      if (after === undefined) this.#runs.remove(run);
      else if (after.revision > revision) {
        run.rank = after.revision;
        this.#runs.update(run);
      }
    }
    return entries.sort(inOrder);
  }

  #rowsOf(entries: readonly Gathered[]): Row[] {
    const { keys } = this.#store;
    return entries.map(({ key }) => keys.liveAt(keys.find(key), this.revision));
  }

  #commit(): Row[] {
    const { history, keys } = this.#store;
    const revision = this.#nextCommit;
    if (revision > this.lastRevision || !history.has(revision)) return [];
    this.#nextCommit += 1;
    const found: Row[] = [];
    let row = history.firstRowOf(revision);
    for (let left = history.lengthOf(revision); left > 0; left -= 1) {
      found.push(row);
      if (left > 1) row = keys.rows.after(row);
    }
    return found;
  }

  #row(row: Row): VersionRow {
    const { keys } = this.#store;
    const { rows } = keys;
    return {
      revision: rows.revisionOf(row),
      place: rows.placeOf(row),
      key: rows.keyOf(row),
      entry: rows.isPut(row) ? entryOfRow(rows, row) : undefined,
      newest: keys.at(keys.keyOf(row), this.lastRevision) === row,
    };
  }
}

/** Snapshots of version 1 knew no places: then the order of the keys decides. */
function inOrder(left: Gathered, right: Gathered): number {
  return left.revision - right.revision || left.place - right.place;
}
