// One commit in the making: applies puts and deletes to the keys at once, so that what follows in
// the same txn sees them, and can take all of it back.
//
// Nothing outside sees it before the store adopts the commit: the store's revision has not moved.

import { type DeleteReason, type LeaseId, NO_LEASE, type Revision } from "../kv/types.js";
import { copyBytes } from "../lib/bytes.js";
import type { GrantedLease } from "./backend.js";
import type { KeySpace } from "./key-space.js";
import type { Lease, Lessor } from "./lessor.js";
import { undoChanges } from "./unpublished.js";
import { type Change, type KeyRecord, tombstone, type Version } from "./version.js";

export class CommitBuilder {
  /** The revision that the commit gets, if it changes anything. */
  readonly revision: Revision;
  readonly changes: Change[] = [];
  readonly #keys: KeySpace;
  readonly #lessor: Lessor;
  readonly #begun: Lease[] = [];
  /** Leases of puts that lost a key: they may end with the commit. */
  readonly #loosened = new Set<Lease>();

  constructor(keys: KeySpace, lessor: Lessor, revision: Revision) {
    this.#keys = keys;
    this.#lessor = lessor;
    this.revision = revision;
  }

  /** The revision before it. */
  get headRevision(): Revision {
    return this.revision - 1;
  }

  /** The revision that what reads in it reflects: its own once it has changed something. */
  get seenRevision(): Revision {
    return this.changes.length > 0 ? this.revision : this.headRevision;
  }

  /** Puts a key; the bytes are copied. The lease, if any, exists. */
  put(command: {
    readonly text: string;
    readonly key: Uint8Array;
    readonly value: Uint8Array;
    readonly leaseId: LeaseId;
  }): void {
    const record = this.#keys.recordFor(command.text, command.key);
    const before = record.live;
    this.#change(record, before, {
      revision: this.revision,
      place: this.changes.length,
      createRevision: before?.createRevision ?? this.revision,
      version: (before?.version ?? 0) + 1,
      value: copyBytes(command.value),
      leaseId: command.leaseId,
      deleted: undefined,
    });
  }

  delete(record: KeyRecord, reason: DeleteReason): void {
    this.#change(record, record.live, tombstone(this.#next, reason));
  }

  /** Begins the lease of a put. */
  beginLease(ttlMs: number, nowMs: number): LeaseId {
    const id = this.#lessor.chooseId();
    this.#begun.push(this.#lessor.begin({ id, ttlMs, ofPut: true, nowMs }));
    return id;
  }

  /** The leases that began with it. */
  get begun(): readonly Lease[] {
    return this.#begun;
  }

  get granted(): readonly GrantedLease[] {
    return this.#begun.map(({ id, ttlMs, ofPut }) => ({ id, ttlMs, ofPut }));
  }

  /** The leases that end with it: of puts that have lost their last key, and `ending`. */
  ended(ending: Lease | undefined): readonly Lease[] {
    const emptied = [...this.#loosened].filter((lease) => lease.keys.size === 0);
    return ending === undefined ? emptied : [...new Set([...emptied, ending])];
  }

  /** Takes everything back. */
  abandon(): void {
    undoChanges(this.changes, { keys: this.#keys, lessor: this.#lessor });
    for (const lease of this.#begun) this.#lessor.end(lease);
  }

  /** The revision and the place of the next change. */
  get #next() {
    return { revision: this.revision, place: this.changes.length };
  }

  #change(record: KeyRecord, before: Version | undefined, version: Version): void {
    this.#keys.add(record, version);
    if (before !== undefined && before.leaseId !== version.leaseId) {
      const lease = before.leaseId === NO_LEASE ? undefined : this.#lessor.find(before.leaseId);
      lease?.keys.delete(record.key);
      if (lease?.ofPut === true) this.#loosened.add(lease);
    }
    this.#lessor.attach(version.leaseId, record.key);
    this.changes.push({ record, version });
  }
}
