// Rows at the bounds of their memory: longer than a segment, taken back, and with no segment left.

import test from "ava";
import { KvdError } from "../../../server/kv/errors.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { NO_LEASE } from "../../../server/kv/types.js";
import { MemoryBackend } from "../../../server/store/backend.js";
import { NO_LOG } from "../../../server/store/image.js";
import { ImageImport } from "../../../server/store/image-import.js";
import { KeySpace } from "../../../server/store/key-space.js";
import { NO_ROW, type Row } from "../../../server/store/row-layout.js";
import { Rows } from "../../../server/store/rows.js";
import { Store } from "../../../server/store/store.js";
import { newRow } from "../../support/rows.js";

const MIB = 1024 * 1024;

function put(keys: KeySpace, text: string, revision: number, value: Uint8Array): Row {
  const key = Buffer.from(text);
  const id = keys.find(key);
  const live = keys.live(id);
  const { rows } = keys;
  return keys.add(id, {
    revision,
    place: 0,
    deleted: undefined,
    key,
    keyStart: 0,
    keyEnd: key.length,
    value,
    valueStart: 0,
    valueEnd: value.length,
    createRevision: live === NO_ROW ? revision : rows.createRevisionOf(live),
    version: live === NO_ROW ? 1 : rows.versionOf(live) + 1,
    leaseId: NO_LEASE,
    view: undefined,
  });
}

function remove(keys: KeySpace, text: string, revision: number): Row {
  const id = keys.find(Buffer.from(text));
  return keys.addTombstone(id, { revision, place: 0, deleted: "deleted" });
}

test("where a row longer than a segment has been taken back, short ones are still found", (t) => {
  const keys = new KeySpace([1, 2]);
  put(keys, "before", 2, Buffer.from("x"));
  put(keys, "long", 3, Buffer.alloc(40 * MIB));
  keys.takeBack(keys.find(Buffer.from("long")));
  for (let at = 0; at < 20; at += 1) put(keys, `k${at}`, 3 + at, Buffer.alloc(MIB, at));
  for (let at = 0; at < 20; at += 1) {
    const value = keys.rows.valueOf(keys.live(keys.find(Buffer.from(`k${at}`))));
    t.true(Buffer.alloc(MIB, at).equals(value), `the value of k${at}`);
  }
  keys.check();
});

test("what is taken back again and again leaves no segment behind", (t) => {
  const rows = new Rows({ segmentBytes: 4096, segmentsMax: 100 });
  const keys = new KeySpace([1, 2], rows);
  const takeBack = (text: string) => keys.takeBack(keys.find(Buffer.from(text)));
  put(keys, "first", 2, Buffer.alloc(5000));
  t.notThrows(() => {
    for (let revision = 3; revision < 30; revision += 1) {
      put(keys, "short", revision, Buffer.alloc(10));
      takeBack("short");
      put(keys, `long${revision}`, revision, Buffer.alloc(5000));
    }
  });
  t.is(keys.liveKeys, 28);
});

test("without segments puts are refused, deletes go on, and compaction makes room again", (t) => {
  const rows = new Rows({ segmentBytes: 4096, segmentsMax: 80 });
  const keys = new KeySpace([1, 2], rows);
  const added: Row[] = [];
  let revision = 1;
  const fill = () => {
    for (;;) {
      added.push(put(keys, `k${revision + 1}`, revision + 1, Buffer.alloc(400)));
      revision += 1;
    }
  };
  const error = t.throws(fill, { instanceOf: KvdError });
  t.is(error.reason, "STORE_FULL");
  const full = revision;
  for (let at = 2; at <= full; at += 1) {
    if (at % 3 === 0) continue;
    revision += 1;
    added.push(remove(keys, `k${at}`, revision));
  }
  keys.floor = revision + 1;
  for (const row of added) keys.dropBehind(row);
  keys.forgetChanges(added.length);
  while (!keys.reclaim(revision + 1, 10));
  t.true(rows.garbageBytes * 2 <= rows.usedBytes + 3 * 4096);
  t.notThrows(() => put(keys, "more", revision + 2, Buffer.alloc(4000)));
  keys.check();
});

test("an image whose key is longer than a row has room for is refused", (t) => {
  const options = { storeId: "0".repeat(32), randomLeaseId: () => 1n, hashSeed: [1, 2] as const };
  const store = new Store({ ...options, limits: defaultLimits(), backend: new MemoryBackend() });
  const place = {
    storeId: options.storeId,
    revision: 2,
    compactRevision: 2,
    timeMs: 0,
    log: NO_LOG,
  };
  const filled = new ImageImport(store, place);
  const counts = { revision: 2, place: 0, createRevision: 2, version: 1 };
  const version = { ...counts, value: Buffer.alloc(1), leaseId: NO_LEASE, deleted: undefined };
  const add = (length: number) =>
    filled.entry(newRow({ key: Buffer.alloc(length, length % 256), version }));
  t.notThrows(() => add(65_535 - 1));
  t.notThrows(() => add(65_535));
  t.throws(() => add(2 * 65_536 - 1), { instanceOf: RangeError });
});
