// Verifies every invariant of a store by counting anew what the store keeps as sums and indexes. It
// runs after every test; it walks everything, so a server does not run it.

import assert from "node:assert/strict";
import { NO_LEASE, type Revision } from "../kv/types.js";
import { compareBytes } from "../lib/bytes.js";
import type { Commit } from "./commit.js";
import { type KeyId, NO_KEY } from "./key-table.js";
import { NO_ROW, type Row } from "./row-layout.js";
import type { Rows } from "./rows.js";
import type { Store } from "./store.js";
import { CHANGE_BYTES, rowBytes } from "./weights.js";

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
  const { keys } = store;
  const { rows } = keys;
  let live = 0;
  let liveBytes = 0;
  let historyBytes = 0;
  let last: Uint8Array | undefined;
  const reachable = new Set<Row>();
  for (const id of ids(store)) {
    const key = rows.keyOf(keys.newest(id));
    assert.ok(last === undefined || compareBytes(last, key) < 0, "keys are in byte order");
    last = key;
    assert.equal(keys.find(key), id, "a key is found by its bytes");
    checkChain(store, id);
    for (const row of chain(store, id)) {
      assert.ok(!reachable.has(row), "a row is of one key");
      reachable.add(row);
      assert.equal(compareBytes(rows.keyOf(row), key), 0, "the rows of a key have its bytes");
      if (row === keys.live(id)) liveBytes += rowBytes(rows, row);
      else historyBytes += rowBytes(rows, row);
    }
    if (keys.live(id) !== NO_ROW) live += 1;
  }
  for (const commit of commits(store)) historyBytes += commit.length * CHANGE_BYTES;
  assert.equal(keys.liveKeys, live, "the number of keys");
  assert.equal(keys.liveBytes, liveBytes, "the bytes of entries");
  assert.equal(keys.historyBytes, historyBytes, "the bytes of history");
  let bytes = 0;
  for (const row of reachable) bytes += rows.lengthOf(row);
  assert.equal(rows.usedBytes - rows.garbageBytes, bytes, "what is not garbage is pointed to");
  keys.check();
}

function checkChain(store: Store, id: KeyId): void {
  const { keys } = store;
  const { rows } = keys;
  let after: Row = NO_ROW;
  for (const row of chain(store, id)) {
    const revision = rows.revisionOf(row);
    assert.ok(revision <= store.revision, "no version is newer than the head");
    if (after !== NO_ROW) checkPair(rows, row, after);
    assert.equal(keys.at(id, Math.max(revision, keys.floor)), rowAtSlowly(store, id, revision));
    after = row;
  }
  if (after !== NO_ROW && rows.isPut(after) && rows.versionOf(after) === 1) {
    assert.equal(rows.createRevisionOf(after), rows.revisionOf(after), "a creation creates");
  }
  const { floor } = keys;
  const [, oldest = NO_ROW] = [...chain(store, id)].reverse();
  if (store.retention.compactor.pending || oldest === NO_ROW) return;
  assert.ok(rows.revisionOf(oldest) > floor || floor === 0, "what compaction superseded is gone");
}

/** Two rows of a key that follow each other. */
function checkPair(rows: Rows, row: Row, after: Row): void {
  assert.ok(rows.revisionOf(row) < rows.revisionOf(after), "versions are in order, one a revision");
  if (!rows.isPut(after)) {
    assert.ok(rows.isPut(row), "only entries are deleted");
  } else if (rows.isPut(row)) {
    assert.equal(rows.versionOf(after), rows.versionOf(row) + 1, "versions count changes");
    const [created, before] = [rows.createRevisionOf(after), rows.createRevisionOf(row)];
    assert.equal(created, before, "an entry keeps its creation");
  } else {
    assert.equal(rows.versionOf(after), 1, "a creation is version 1");
    assert.equal(rows.createRevisionOf(after), rows.revisionOf(after), "a creation creates");
  }
}

/** Without jumps. */
function rowAtSlowly(store: Store, id: KeyId, revision: Revision): Row {
  const { rows, floor } = store.keys;
  const wanted = Math.max(revision, floor);
  for (const row of chain(store, id)) if (rows.revisionOf(row) <= wanted) return row;
  return NO_ROW;
}

function checkHistory(store: Store): void {
  const { rows, floor } = store.keys;
  let revision: number | undefined;
  let timeMs = 0;
  for (const commit of commits(store)) {
    assert.ok(revision === undefined || commit.revision === revision + 1, "revisions are dense");
    assert.ok(commit.timeMs >= timeMs, "commit times never go back");
    assert.ok(commit.length > 0, "a commit changes something");
    const keys = new Set<string>();
    let row = store.history.firstRowOf(commit.revision);
    for (let place = 0; place < commit.length; place += 1) {
      assert.equal(rows.revisionOf(row), commit.revision, "a change is of its commit");
      assert.equal(rows.placeOf(row), place, "changes stand in their places");
      keys.add(commit.at(place).text);
      row = rows.after(row);
    }
    assert.equal(keys.size, commit.length, "a commit changes a key once");
    revision = commit.revision;
    timeMs = commit.timeMs;
  }
  const { newestRevision, oldestRevision } = store.history;
  if (newestRevision === undefined) assert.ok(store.revision <= Math.max(1, floor));
  else assert.equal(newestRevision, store.revision, "the list of commits ends at the head");
  if (oldestRevision !== undefined && floor > 1 && !store.retention.compactor.pending) {
    const first = isOfCommit(store, floor) ? floor : floor + 1;
    assert.equal(oldestRevision, first, "the list of commits begins at the floor");
  }
}

/** Whether a revision made a row that is kept. */
function isOfCommit(store: Store, revision: Revision): boolean {
  for (const id of ids(store)) {
    for (const row of chain(store, id)) {
      if (store.keys.rows.revisionOf(row) === revision) return true;
    }
  }
  return false;
}

function checkLeases(store: Store): void {
  const attached = new Map<bigint, KeyId[]>();
  for (const id of ids(store)) {
    const live = store.keys.live(id);
    const leaseId = live === NO_ROW ? NO_LEASE : store.keys.rows.leaseIdOf(live);
    if (leaseId === NO_LEASE) continue;
    attached.set(leaseId, [...(attached.get(leaseId) ?? []), id]);
  }
  let granted = 0;
  for (const lease of store.lessor.above(undefined)) {
    const keys = attached.get(lease.id) ?? [];
    assert.deepEqual(
      new Set(lease.keys),
      new Set(keys),
      `lease ${lease.id} has the keys that name it`,
    );
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

function* ids(store: Store): Generator<KeyId> {
  const walk = store.keys.ascend(undefined);
  for (let id = walk.next(); id !== NO_KEY; id = walk.next()) yield id;
}

/** From the newest row of a key on. */
function* chain(store: Store, id: KeyId): Generator<Row> {
  const { rows } = store.keys;
  for (let row = store.keys.newest(id); row !== NO_ROW; row = rows.previousOf(row)) yield row;
}

function* commits(store: Store): Generator<Commit> {
  const { oldestRevision } = store.history;
  if (oldestRevision === undefined) return;
  for (let revision = oldestRevision; revision <= store.revision; revision += 1) {
    const commit = store.history.at(revision);
    if (commit !== undefined) yield commit;
  }
}
