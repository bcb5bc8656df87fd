// Fills an empty store from an image, item by item. Items come from outside: whatever could not
// have been exported throws, and the store is not used then.

import type { LeaseId, Revision } from "../kv/types.js";
import { NO_LEASE } from "../kv/types.js";
import { compareBytes } from "../lib/bytes.js";
import type { ImageHeader, ImageItem } from "./image.js";
import { type KeyId, NO_KEY } from "./key-table.js";
import { KEY_MAX_BYTES, NO_ROW, type Row } from "./row-layout.js";
import type { Store } from "./store.js";
import type { Version } from "./version.js";

const NO_BYTES: Uint8Array = new Uint8Array(0);

export class ImageImport {
  readonly #store: Store;
  readonly #header: ImageHeader;
  readonly #leases: (ImageItem & { kind: "lease" })[] = [];
  /** Those that may be attached to a lease. */
  readonly #leased = new Set<KeyId>();
  #lastKey = NO_BYTES;
  #commit:
    | { revision: Revision; timeMs: number; first: Row; length: number; left: number }
    | undefined;
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
    for (const id of this.#leased) this.#attach(id);
  }

  #addEntry(key: Uint8Array, version: Version): void {
    const { compactRevision } = this.#header;
    expect(compareBytes(key, this.#lastKey) > 0, "the entries are not in the order of their keys");
    expect(this.#lastRevision === 0, "an entry comes after a commit");
    expect(version.revision <= compactRevision, "an entry is newer than the compact revision");
    expect(version.deleted === undefined, "an entry is deleted");
    this.#lastKey = key;
    this.#add(NO_KEY, key, version);
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
    this.#commit = { revision, timeMs, first: NO_ROW, length: 0, left: changes };
  }

  #addChange(key: Uint8Array, version: Version): void {
    const commit = this.#commit;
    if (commit === undefined) throw new RangeError("a change belongs to no commit");
    expect(version.revision === commit.revision, "a change is of another revision");
    const { keys, history } = this.#store;
    const id = keys.find(key);
    const newest = keys.newest(id);
    const before = newest === NO_ROW ? 0 : keys.rows.revisionOf(newest);
    expect(before < version.revision, "a commit changes a key twice");
    const row = this.#add(id, key, version);
    if (commit.length === 0) commit.first = row;
    commit.length += 1;
    commit.left -= 1;
    if (commit.left > 0) return;
    history.push(commit);
    this.#commit = undefined;
  }

  #add(id: KeyId, key: Uint8Array, version: Version): Row {
    expect(key.length > 0, "a key is empty");
    expect(key.length <= KEY_MAX_BYTES, "a key is too long");
    const { keys } = this.#store;
    const { revision, place, deleted, value, createRevision, leaseId } = version;
    const row = keys.add(id, {
      revision,
      place,
      deleted,
      key,
      keyStart: 0,
      keyEnd: key.length,
      value,
      valueStart: 0,
      valueEnd: value.length,
      createRevision,
      version: version.version,
      leaseId,
      view: undefined,
    });
    if (version.leaseId !== NO_LEASE) this.#leased.add(keys.keyOf(row));
    return row;
  }

  #addLease({ lease, remainingMs }: ImageItem & { kind: "lease" }): void {
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
