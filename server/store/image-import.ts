// Fills an empty store from an image, item by item. Items come from outside: whatever could not
// have been exported throws, and the store is not used then.

import type { LeaseId, Revision } from "../kv/types.js";
import { NO_LEASE } from "../kv/types.js";
import { latin1FromBytes } from "../lib/bytes.js";
import type { ImageHeader, ImageItem } from "./image.js";
import type { Store } from "./store.js";
import type { Change, KeyRecord, Version } from "./version.js";

export class ImageImport {
  readonly #store: Store;
  readonly #header: ImageHeader;
  readonly #leases: (ImageItem & { kind: "lease" })[] = [];
  /** Those that may be attached to a lease. */
  readonly #leased = new Set<KeyRecord>();
  #lastKey = "";
  #commit: { revision: Revision; timeMs: number; changes: Change[]; left: number } | undefined;
  #lastRevision: Revision = 0;
  #lastTimeMs = 0;

  constructor(store: Store, header: ImageHeader) {
    this.#store = store;
    this.#header = header;
    expect(header.compactRevision <= header.revision, "the compact revision is above the head");
    expect(header.revision >= 1, "the head is below 1");
  }

  add(item: ImageItem): void {
    switch (item.kind) {
      case "lease":
        this.#leases.push(item);
        return;
      case "entry":
        this.#addEntry(item.key, item.version);
        return;
      case "commit":
        this.#beginCommit(item);
        return;
      case "change":
        this.#addChange(item.key, item.version);
        return;
    }
  }

  /** Deadlines of leases are in running time: see Store.start(). */
  finish(): void {
    expect(this.#commit === undefined, "the last commit is not complete");
    const { revision, compactRevision } = this.#header;
    const complete = this.#lastRevision === revision || revision <= Math.max(1, compactRevision);
    expect(complete, `the commits end at ${this.#lastRevision}, not at ${revision}`);
    expect(this.#lastTimeMs <= this.#header.timeMs, "a commit is newer than the head");
    this.#store.journal.resume(this.#header);
    for (const item of this.#leases) this.#addLease(item);
    for (const record of this.#leased) this.#attach(record);
  }

  #addEntry(key: Uint8Array, version: Version): void {
    const { compactRevision } = this.#header;
    const text = latin1FromBytes(key);
    expect(text > this.#lastKey, "the entries are not in the order of their keys");
    expect(this.#lastRevision === 0, "an entry comes after a commit");
    expect(version.revision <= compactRevision, "an entry is newer than the compact revision");
    expect(version.deleted === undefined, "an entry is deleted");
    this.#lastKey = text;
    this.#store.keys.add(this.#record(text, key, version), version);
    this.#store.keys.forgetChanges(1);
  }

  #beginCommit(item: ImageItem & { kind: "commit" }): void {
    const { revision, timeMs, changes } = item;
    const next = this.#lastRevision === 0 ? revision : this.#lastRevision + 1;
    expect(this.#commit === undefined, "a commit begins inside another");
    expect(changes > 0, "a commit changes nothing");
    expect(revision === next, `commit ${revision} follows ${this.#lastRevision}`);
    expect(revision >= this.#header.compactRevision, "a commit is compacted");
    expect(revision <= this.#header.revision, "a commit is above the head");
    expect(timeMs >= this.#lastTimeMs, "a commit is earlier than the one before");
    this.#lastRevision = revision;
    this.#lastTimeMs = timeMs;
    this.#commit = { revision, timeMs, changes: [], left: changes };
  }

  #addChange(key: Uint8Array, version: Version): void {
    const commit = this.#commit;
    if (commit === undefined) throw new RangeError("a change belongs to no commit");
    expect(version.revision === commit.revision, "a change is of another revision");
    const record = this.#record(latin1FromBytes(key), key, version);
    const before = record.versions.at(-1);
    expect((before?.revision ?? 0) < version.revision, "a commit changes a key twice");
    this.#store.keys.add(record, version);
    commit.changes.push({ record, version });
    commit.left -= 1;
    if (commit.left > 0) return;
    const { revision, timeMs, changes } = commit;
    this.#store.history.push({ revision, timeMs, changes });
    this.#commit = undefined;
  }

  #record(text: string, key: Uint8Array, version: Version): KeyRecord {
    expect(key.length > 0, "a key is empty");
    const record = this.#store.keys.recordFor(text, key);
    if (version.leaseId !== NO_LEASE) this.#leased.add(record);
    return record;
  }

  #addLease({ lease, remainingMs }: ImageItem & { kind: "lease" }): void {
    const { id, ttlMs } = lease;
    expect(this.#store.lessor.find(id) === undefined, `lease ${id} is there twice`);
    expect(id !== NO_LEASE && ttlMs > 0 && remainingMs <= ttlMs, `lease ${id} cannot be`);
    this.#store.lessor.begin({ ...lease, nowMs: this.#header.log.runningMs - ttlMs + remainingMs });
  }

  #attach(record: KeyRecord): void {
    const id: LeaseId = record.live?.leaseId ?? NO_LEASE;
    if (id === NO_LEASE) return;
    expect(
      this.#store.lessor.find(id) !== undefined,
      `a key names lease ${id}, which is not there`,
    );
    this.#store.lessor.attach(id, record.key);
  }
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new RangeError(otherwise);
}
