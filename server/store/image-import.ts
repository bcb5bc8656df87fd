// Fills an empty store from an image, item by item. Items come from outside: whatever could not
// have been exported throws, and the store is not used then.

import type { LeaseId, Revision } from "../kv/types.js";
import { NO_LEASE } from "../kv/types.js";
import type { GrantedLease } from "./backend.js";
import type { ImageHeader, ImageTarget } from "./image.js";
import { type KeyId, NO_KEY } from "./key-table.js";
import { KEY_MAX_BYTES, type NewRow, NO_ROW, type Row } from "./row-layout.js";
import type { Store } from "./store.js";

interface ReadLease {
  readonly lease: GrantedLease;
  readonly remainingMs: number;
}

export class ImageImport implements ImageTarget {
  readonly isFull = false;
  readonly #store: Store;
  readonly #header: ImageHeader;
  readonly #leases: ReadLease[] = [];
  /** Those that may be attached to a lease. */
  readonly #leased = new Set<KeyId>();
  #lastEntry: Row = NO_ROW;
  /** The commit that is being read: where its rows are, how many it has, and how many are left. */
  #firstRow: Row = NO_ROW;
  #length = 0;
  #left = 0;
  #lastRevision: Revision = 0;
  #lastTimeMs = 0;

  constructor(store: Store, header: ImageHeader) {
    this.#store = store;
    this.#header = header;
    expect(header.compactRevision <= header.revision, "the compact revision is above the head");
    expect(header.revision >= 1, "the head is below 1");
  }

  /** Deadlines of leases are in running time: see Store.start(). */
  finish(): void {
    expect(this.#left === 0, "the last commit is not complete");
    const { revision, compactRevision } = this.#header;
    const complete = this.#lastRevision === revision || revision <= Math.max(1, compactRevision);
    expect(complete, `the commits end at ${this.#lastRevision}, not at ${revision}`);
    expect(this.#lastTimeMs <= this.#header.timeMs, "a commit is newer than the head");
    this.#store.journal.resume(this.#header);
    for (const item of this.#leases) this.#addLease(item);
    for (const id of this.#leased) this.#attach(id);
  }

  lease(lease: GrantedLease, remainingMs: number): void {
    this.#leases.push({ lease, remainingMs });
  }

  entry(row: NewRow): void {
    const { rows } = this.#store.keys;
    const last = this.#lastEntry;
    const isNext = last === NO_ROW || rows.compareKey(last, row.key, row.keyStart, row.keyEnd) < 0;
    expect(isNext, "the entries are not in the order of their keys");
    expect(this.#lastRevision === 0, "an entry comes after a commit");
    expect(
      row.revision <= this.#header.compactRevision,
      "an entry is newer than the compact revision",
    );
    expect(row.deleted === undefined, "an entry is deleted");
    this.#lastEntry = this.#add(NO_KEY, row);
    this.#store.keys.forgetChanges(1);
  }

  commit(revision: Revision, timeMs: number, changes: number): void {
    const next = this.#lastRevision === 0 ? revision : this.#lastRevision + 1;
    expect(this.#left === 0, "a commit begins inside another");
    expect(changes > 0, "a commit changes nothing");
    expect(revision === next, "a commit does not follow the one before");
    expect(revision >= this.#header.compactRevision, "a commit is compacted");
    expect(revision <= this.#header.revision, "a commit is above the head");
    expect(timeMs >= this.#lastTimeMs, "a commit is earlier than the one before");
    this.#lastRevision = revision;
    this.#lastTimeMs = timeMs;
    this.#firstRow = NO_ROW;
    this.#length = changes;
    this.#left = changes;
  }

  change(row: NewRow): void {
    expect(this.#left > 0, "a change belongs to no commit");
    expect(row.revision === this.#lastRevision, "a change is of another revision");
    const { keys, history } = this.#store;
    const id = keys.findIn(row.key, row.keyStart, row.keyEnd);
    const newest = keys.newest(id);
    const before = newest === NO_ROW ? 0 : keys.rows.revisionOf(newest);
    expect(before < row.revision, "a commit changes a key twice");
    const added = this.#add(id, row);
    if (this.#firstRow === NO_ROW) this.#firstRow = added;
    this.#left -= 1;
    if (this.#left > 0) return;
    const revision = this.#lastRevision;
    const timeMs = this.#lastTimeMs;
    history.push({ revision, timeMs, first: this.#firstRow, length: this.#length });
  }

  #add(id: KeyId, row: NewRow): Row {
    const keyLength = row.keyEnd - row.keyStart;
    expect(keyLength > 0, "a key is empty");
    expect(keyLength <= KEY_MAX_BYTES, "a key is too long");
    const { keys } = this.#store;
    const added = keys.add(id, row);
    if (row.leaseId !== NO_LEASE) this.#leased.add(keys.keyOf(added));
    return added;
  }

  #addLease({ lease, remainingMs }: ReadLease): void {
    const { id, ttlMs } = lease;
    expect(this.#store.lessor.find(id) === undefined, `lease ${id} is there twice`);
    expect(id !== NO_LEASE && ttlMs > 0 && remainingMs <= ttlMs, `lease ${id} cannot be`);
    this.#store.lessor.begin({ ...lease, nowMs: this.#header.log.runningMs - ttlMs + remainingMs });
  }

  #attach(keyId: KeyId): void {
    const { keys, lessor } = this.#store;
    const live = keys.live(keyId);
    const id: LeaseId = live === NO_ROW ? NO_LEASE : keys.rows.leaseIdOf(live);
    if (id === NO_LEASE) return;
    expect(lessor.find(id) !== undefined, `a key names lease ${id}, which is not there`);
    lessor.attach(id, keyId);
  }
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new RangeError(otherwise);
}
