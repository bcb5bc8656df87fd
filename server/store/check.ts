// Verifies every invariant of a store by counting anew what the store keeps as sums and indexes. It
// runs after every test; it walks everything, so a server does not run it.

import assert from "node:assert/strict";
import { NO_LEASE } from "../kv/types.js";
import type { Store } from "./store.js";
import { CHANGE_BYTES, type KeyRecord, type Version, versionBytes } from "./version.js";

/** @throws AssertionError naming the first invariant that does not hold. */
export function checkStore(store: Store): void {
  assert.ok(store.publishedRevision <= store.revision, "nothing above the head is published");
  assert.ok(
    store.retention.compactor.floor <= store.retention.compactor.compactRevision,
    "the floor is not ahead",
  );
  assert.ok(
    store.retention.compactor.compactRevision <= store.revision,
    "the future is not compacted",
  );
  checkKeys(store);
  checkHistory(store);
  checkLeases(store);
  checkHub(store);
}

function checkKeys(store: Store): void {
  let live = 0;
  let liveBytes = 0;
  let historyBytes = 0;
  let last: string | undefined;
  for (const record of records(store)) {
    const { key, versions } = record;
    assert.ok(last === undefined || last < key, "keys are in byte order");
    last = key;
    assert.equal(Buffer.from(record.bytes).toString("latin1"), key, "both forms of a key agree");
    assert.ok(versions.length > 0, "a key without versions is not kept");
    checkVersions(store, record);
    for (const version of versions) {
      const bytes = versionBytes(record, version);
      if (version === record.live) liveBytes += bytes;
      else historyBytes += bytes;
    }
    if (record.live !== undefined) live += 1;
  }
  for (const commit of commits(store)) historyBytes += commit.changes.length * CHANGE_BYTES;
  assert.equal(store.keys.liveKeys, live, "the number of keys");
  assert.equal(store.keys.liveBytes, liveBytes, "the bytes of entries");
  assert.equal(store.keys.historyBytes, historyBytes, "the bytes of history");
}

function checkVersions(store: Store, record: KeyRecord): void {
  let before: Version | undefined;
  for (const version of record.versions) {
    assert.ok(version.revision <= store.revision, "no version is newer than the head");
    assert.ok(Number.isSafeInteger(version.place) && version.place >= 0, "a version has a place");
    if (before !== undefined) {
      assert.ok(before.revision < version.revision, "versions are in order, one a revision");
    }
    if (version.deleted !== undefined) {
      assert.ok(before === undefined || before.deleted === undefined, "only entries are deleted");
    } else if (before !== undefined && before.deleted === undefined) {
      assert.equal(version.version, before.version + 1, "versions count changes");
      assert.equal(version.createRevision, before.createRevision, "an entry keeps its creation");
    } else if (before !== undefined || version.version === 1) {
      assert.equal(version.version, 1, "a creation is version 1");
      assert.equal(version.createRevision, version.revision, "a creation creates");
    }
    before = version;
  }
  const { floor } = store.retention.compactor;
  const oldest = record.versions[0] as Version;
  const second = record.versions[1];
  if (store.retention.compactor.pending || second === undefined) return;
  assert.ok(second.revision > floor || floor === 0, "what compaction superseded is gone");
  assert.ok(oldest.revision <= store.revision, "the oldest version is of the past");
}

function checkHistory(store: Store): void {
  let revision: number | undefined;
  let timeMs = 0;
  for (const commit of commits(store)) {
    assert.ok(revision === undefined || commit.revision === revision + 1, "revisions are dense");
    assert.ok(commit.timeMs >= timeMs, "commit times never go back");
    assert.ok(commit.changes.length > 0, "a commit changes something");
    const keys = new Set(commit.changes.map(({ record }) => record.key));
    assert.equal(keys.size, commit.changes.length, "a commit changes a key once");
    commit.changes.forEach(({ version }, place) => {
      assert.equal(version.revision, commit.revision, "a change is of its commit");
      assert.equal(version.place, place, "changes stand in their places");
    });
    revision = commit.revision;
    timeMs = commit.timeMs;
  }
  const { newest, oldest } = store.history;
  if (newest === undefined)
    assert.ok(store.revision <= Math.max(1, store.retention.compactor.floor));
  else assert.equal(newest.revision, store.revision, "the list of commits ends at the head");
  const { floor } = store.retention.compactor;
  if (oldest !== undefined && floor > 1 && !store.retention.compactor.pending) {
    const isOfFloor = (version: Version) => version.revision === floor;
    const skipped = [...records(store)].every(({ versions }) => !versions.some(isOfFloor));
    const first = skipped ? floor + 1 : floor;
    assert.equal(oldest.revision, first, "the list of commits begins at the floor");
  }
}

function checkLeases(store: Store): void {
  const attached = new Map<bigint, string[]>();
  for (const record of records(store)) {
    const leaseId = record.live?.leaseId ?? NO_LEASE;
    if (leaseId === NO_LEASE) continue;
    attached.set(leaseId, [...(attached.get(leaseId) ?? []), record.key]);
  }
  let granted = 0;
  for (const lease of store.lessor.above(undefined)) {
    const keys = attached.get(lease.id) ?? [];
    assert.deepEqual([...lease.keys].sort(), keys, `lease ${lease.id} has the keys that name it`);
    assert.ok(!lease.ofPut || keys.length > 0, "the lease of a put vanishes with its last key");
    assert.ok(lease.heapIndex >= 0, "a lease has a deadline");
    if (!lease.ofPut) granted += 1;
    attached.delete(lease.id);
  }
  assert.equal(attached.size, 0, "no key names a lease that is not there");
  assert.equal(store.lessor.grantedSize, granted, "the number of granted leases");
}

function checkHub(store: Store): void {
  let queuedBytes = 0;
  for (const watch of store.hub.watches) queuedBytes += watch.queuedBytes;
  assert.equal(store.hub.queuedBytes, queuedBytes, "the bytes of all queues");
}

function* records(store: Store): Generator<KeyRecord> {
  const walk = store.keys.ascend(undefined);
  for (let step = walk.next(); step !== undefined; step = walk.next()) yield step[1];
}

function* commits(store: Store) {
  const oldest = store.history.oldest;
  if (oldest === undefined) return;
  for (let revision = oldest.revision; revision <= store.revision; revision += 1) {
    const commit = store.history.at(revision);
    if (commit !== undefined) yield commit;
  }
}
