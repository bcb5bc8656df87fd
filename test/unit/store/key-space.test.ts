// What compaction drops of a key, and that every step back is exact.

import test from "ava";
import { KeySpace } from "../../../server/store/key-space.js";
import { type KeyRecord, tombstone, type Version } from "../../../server/store/version.js";

function live(revision: number, createRevision: number, version: number): Version {
  const value = Buffer.from(`v${revision}`);
  const leaseId = 0n;
  return { revision, place: 0, createRevision, version, value, leaseId, deleted: undefined };
}

const at = (revision: number) => ({ revision, place: 0 });

/** A key created at 2, changed at 3, deleted at 5, created again at 8. */
function history(): { keys: KeySpace; record: KeyRecord } {
  const keys = new KeySpace();
  const record = keys.recordFor("k", Buffer.from("k"));
  keys.add(record, live(2, 2, 1));
  keys.add(record, live(3, 2, 2));
  keys.add(record, tombstone(at(5), "deleted"));
  keys.add(record, live(8, 8, 1));
  return { keys, record };
}

const kept: [number, number[]][] = [
  [1, [2, 3, 5, 8]],
  [2, [2, 3, 5, 8]],
  [3, [3, 5, 8]],
  [4, [3, 5, 8]],
  [5, [5, 8]],
  [6, [8]],
  [8, [8]],
  [9, [8]],
];

for (const [floor, revisions] of kept) {
  test(`compaction at ${floor} keeps the versions ${revisions}`, (t) => {
    const { keys, record } = history();
    keys.dropBelow(record, floor);
    t.deepEqual(
      record.versions.map(({ revision }) => revision),
      revisions,
    );
  });
}

test("a key that is only a tombstone goes after its revision, not at it", (t) => {
  const keys = new KeySpace();
  const record = keys.recordFor("k", Buffer.from("k"));
  keys.add(record, live(2, 2, 1));
  keys.add(record, tombstone(at(3), "deleted"));
  keys.dropBelow(record, 3);
  t.is(keys.get("k"), record);
  keys.dropBelow(record, 4);
  t.is(keys.get("k"), undefined);
  keys.forgetChanges(2);
  t.is(keys.historyBytes, 0);
});

test("taking a version back restores the sums", (t) => {
  const { keys, record } = history();
  const before = [keys.liveKeys, keys.liveBytes, keys.historyBytes];
  keys.add(record, live(9, 8, 2));
  keys.takeBack(record);
  keys.add(record, tombstone(at(9), "expired"));
  keys.takeBack(record);
  const other = keys.recordFor("other", Buffer.from("other"));
  keys.add(other, live(9, 9, 1));
  keys.takeBack(other);
  t.deepEqual([keys.liveKeys, keys.liveBytes, keys.historyBytes], before);
  t.is(keys.get("other"), undefined);
});

test("the entry at a revision is the newest at or below it", (t) => {
  const { record } = history();
  const at = [1, 2, 3, 4, 5, 7, 8, 100].map((revision) => record.liveAt(revision)?.revision);
  t.deepEqual(at, [undefined, 2, 3, 3, undefined, undefined, 8, 8]);
});
