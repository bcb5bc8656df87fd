// One commit in the making: applies puts and deletes to the keys at once, so that what follows in
// the same txn sees them, and can take all of it back.
//
// Nothing outside sees it before the store adopts the commit: the store's revision has not moved.

import { type DeleteReason, type LeaseId, NO_LEASE, type Revision } from "../kv/types.js";
import type { GrantedLease, RowSpan } from "./backend.js";
import type { KeySpace } from "./key-space.js";
import type { KeyId } from "./key-table.js";
import type { Lease, Lessor } from "./lessor.js";
import { type NewRow, NO_ROW, type Row } from "./row-layout.js";
import { undoRows } from "./unpublished.js";

export class CommitBuilder {
  /** The revision that the commit gets, if it changes anything. */
  readonly revision: Revision;
  /** Its rows follow each other. */
  #first: Row = NO_ROW;
  #length = 0;
  readonly #keys: KeySpace;
  readonly #lessor: Lessor;
  #begun: Lease[] | undefined;
  /** Leases of puts that lost a key: they may end with the commit. */
  #loosened: Set<Lease> | undefined;

  constructor(keys: KeySpace, lessor: Lessor, revision: Revision) {
    this.#keys = keys;
    this.#lessor = lessor;
    this.revision = revision;
  }

  /** The revision before it. */
  get headRevision(): Revision {
    return this.revision - 1;
  }

  /** How many changes it has made. */
  get length(): number {
    return this.#length;
  }

  get changes(): RowSpan {
    return { rows: this.#keys.rows, first: this.#first, length: this.#length };
  }

  /** The revision that what reads in it reflects: its own once it has changed something. */
  get seenRevision(): Revision {
    return this.#length > 0 ? this.revision : this.headRevision;
  }

  /** Puts a key; the bytes are copied. The lease, if any, exists. */
  put(command: {
    readonly key: Uint8Array;
    readonly value: Uint8Array;
    readonly leaseId: LeaseId;
  }): Row {
    const { key, value, leaseId } = command;
    const { rows } = this.#keys;
    const id = this.#keys.find(key);
    const live = this.#keys.live(id);
    return this.add(id, {
      revision: this.revision,
      place: this.#length,
      deleted: undefined,
      key,
      keyStart: 0,
      keyEnd: key.length,
      value,
      valueStart: 0,
      valueEnd: value.length,
      createRevision: live === NO_ROW ? this.revision : rows.createRevisionOf(live),
      version: live === NO_ROW ? 1 : rows.versionOf(live) + 1,
      leaseId,
      view: undefined,
    });
  }

  /** Adds what a put makes of a key: its version after the one that it has now. */
  add(id: KeyId, version: NewRow): Row {
    const { rows } = this.#keys;
    const live = this.#keys.live(id);
    const before = live === NO_ROW ? NO_LEASE : rows.leaseIdOf(live);
    const row = this.#keys.add(id, version);
    this.#added(row);
    const { leaseId } = version;
    if (before !== leaseId || leaseId !== NO_LEASE) this.#moveLease(row, before, leaseId);
    return row;
  }

  /** Deletes a key that is present. */
  delete(id: KeyId, deleted: DeleteReason): void {
    const before = this.#keys.rows.leaseIdOf(this.#keys.newest(id));
    const place = this.#length;
    const row = this.#keys.addTombstone(id, { revision: this.revision, place, deleted });
    this.#added(row);
    if (before !== NO_LEASE) this.#leave(id, before);
  }

  /** Begins the lease of a put. */
  beginLease(ttlMs: number, nowMs: number): LeaseId {
    const id = this.#lessor.chooseId();
    this.#begun ??= [];
    this.#begun.push(this.#lessor.begin({ id, ttlMs, ofPut: true, nowMs }));
    return id;
  }

  /** The leases that began with it. */
  get begun(): readonly Lease[] {
    return this.#begun ?? [];
  }

  get granted(): readonly GrantedLease[] {
    return this.begun.map(({ id, ttlMs, ofPut }) => ({ id, ttlMs, ofPut }));
  }

  /** The leases that end with it: of puts that have lost their last key, and `ending`. */
  ended(ending: Lease | undefined): readonly Lease[] {
    const emptied = [...(this.#loosened ?? [])].filter((lease) => lease.keys.size === 0);
    return ending === undefined ? emptied : [...new Set([...emptied, ending])];
  }

  /** Takes everything back. */
  abandon(): void {
    undoRows(this.changes, { keys: this.#keys, lessor: this.#lessor });
    for (const lease of this.begun) this.#lessor.end(lease);
  }

  #added(row: Row): void {
    if (this.#length === 0) this.#first = row;
    this.#length += 1;
  }

  #moveLease(row: Row, before: LeaseId, after: LeaseId): void {
    const id = this.#keys.keyOf(row);
    if (before !== after && before !== NO_LEASE) this.#leave(id, before);
    this.#lessor.attach(after, id);
  }

  #leave(id: KeyId, leaseId: LeaseId): void {
    const lease = this.#lessor.find(leaseId);
    lease?.keys.delete(id);
    if (lease?.ofPut !== true) return;
    this.#loosened ??= new Set();
    this.#loosened.add(lease);
  }
}
