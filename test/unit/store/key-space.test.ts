// What compaction drops of a key, that every step back is exact, and that memory is let go.

import test from "ava";
import fc from "fast-check";
import { NO_LEASE } from "../../../server/kv/types.js";
import { KeySpace } from "../../../server/store/key-space.js";
import { NO_KEY } from "../../../server/store/key-table.js";
import { NO_ROW, type Row } from "../../../server/store/row-layout.js";

const NO_BYTES = new Uint8Array(0);

function newKeys(): KeySpace {
  return new KeySpace([1, 2]);
}

function put(keys: KeySpace, text: string, revision: number, value = `v${revision}`): Row {
  const key = Buffer.from(text);
  const id = keys.find(key);
  const live = keys.live(id);
  const { rows } = keys;
  const bytes = Buffer.from(value);
  return keys.add(id, {
    revision,
    place: 0,
    deleted: undefined,
    key,
    keyStart: 0,
    keyEnd: key.length,
    value: bytes,
    valueStart: 0,
    valueEnd: bytes.length,
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

/** A key created at 2, changed at 3, deleted at 5, created again at 8. */
function history(): { keys: KeySpace; rows: Row[] } {
  const keys = newKeys();
  const rows = [put(keys, "k", 2), put(keys, "k", 3), remove(keys, "k", 5), put(keys, "k", 8)];
  return { keys, rows };
}

function compact(keys: KeySpace, rows: readonly Row[], floor: number): void {
  keys.floor = floor;
  for (const row of rows) if (keys.rows.revisionOf(row) <= floor) keys.dropBehind(row);
}

function revisionsOf(keys: KeySpace, text: string): number[] {
  const revisions: number[] = [];
  let row = keys.newest(keys.find(Buffer.from(text)));
  for (; row !== NO_ROW; row = keys.rows.previousOf(row)) {
    revisions.unshift(keys.rows.revisionOf(row));
  }
  return revisions;
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
    const { keys, rows } = history();
    compact(keys, rows, floor);
    t.deepEqual(revisionsOf(keys, "k"), revisions);
  });
}

test("a key that is only a tombstone goes after its revision, not at it", (t) => {
  const keys = newKeys();
  const rows = [put(keys, "k", 2), remove(keys, "k", 3)];
  compact(keys, rows, 3);
  t.not(keys.find(Buffer.from("k")), NO_KEY);
  keys.floor = 4;
  keys.dropBehind(rows[1] as Row);
  t.is(keys.find(Buffer.from("k")), NO_KEY);
  keys.forgetChanges(2);
  t.is(keys.historyBytes, 0);
  t.is(keys.rows.usedBytes, keys.rows.garbageBytes);
});

test("taking a version back restores the sums, and the memory", (t) => {
  const { keys } = history();
  const sums = () => [keys.liveKeys, keys.liveBytes, keys.historyBytes, keys.rows.usedBytes];
  const id = () => keys.find(Buffer.from("k"));
  const before = sums();
  put(keys, "k", 9);
  keys.takeBack(id());
  remove(keys, "k", 9);
  t.not(keys.takeBack(id()), NO_ROW);
  put(keys, "other", 9, "x".repeat(100_000));
  put(keys, "k", 9, "x".repeat(100_000));
  keys.takeBack(id());
  t.is(keys.takeBack(keys.find(Buffer.from("other"))), NO_ROW);
  t.deepEqual(sums(), before);
  t.is(keys.find(Buffer.from("other")), NO_KEY);
});

test("the entry at a revision is the newest at or below it", (t) => {
  const { keys } = history();
  const id = keys.find(Buffer.from("k"));
  const revisionAt = (revision: number) => {
    const row = keys.liveAt(id, revision);
    return row === NO_ROW ? undefined : keys.rows.revisionOf(row);
  };
  const at = [1, 2, 3, 4, 5, 7, 8, 100].map(revisionAt);
  t.deepEqual(at, [undefined, 2, 3, 3, undefined, undefined, 8, 8]);
});

test("any of many versions is found, in few steps, wherever history begins", (t) => {
  const keys = newKeys();
  const rows: Row[] = [];
  const versions = 3000;
  for (let revision = 2; revision <= versions; revision += 1) {
    rows.push(put(keys, "k", revision));
    if (revision % 700 === 0) compact(keys, rows.splice(0, 500), rows.length + 2);
  }
  const id = keys.find(Buffer.from("k"));
  const steps = countingSteps(keys);
  for (let revision = keys.floor; revision <= versions; revision += 1) {
    t.is(keys.rows.revisionOf(keys.at(id, revision)), revision);
  }
  t.true(steps.longest() < 200, `${steps.longest()} steps`);
});

/** How many rows a search looks at, at most. */
function countingSteps(keys: KeySpace) {
  const { rows } = keys;
  let steps = 0;
  let longest = 0;
  const { at } = keys;
  const { previousOf, jumpOf } = rows;
  rows.previousOf = (row) => {
    steps += 1;
    return previousOf.call(rows, row);
  };
  rows.jumpOf = (row) => {
    steps += 1;
    return jumpOf.call(rows, row);
  };
  keys.at = (id, revision) => {
    steps = 0;
    const row = at.call(keys, id, revision);
    longest = Math.max(longest, steps);
    return row;
  };
  return { longest: () => longest };
}

const step = fc.record({
  key: fc.integer({ min: 0, max: 8 }).map((number) => `key ${number}`),
  removes: fc.boolean(),
  size: fc.oneof({ weight: 9, arbitrary: fc.nat(300) }, fc.constant(40_000)),
});

test("rows that are moved so that memory can go are the same", (t) => {
  const property = fc.property(fc.array(step, { maxLength: 400 }), fc.nat(399), (steps, kept) => {
    const keys = newKeys();
    const rows: Row[] = [];
    const model = new Map<string, string>();
    steps.forEach(({ key, removes, size }, index) => {
      const revision = index + 2;
      const isLive = keys.live(keys.find(Buffer.from(key))) !== NO_ROW;
      if (removes && isLive) {
        rows.push(remove(keys, key, revision));
        model.delete(key);
      } else {
        rows.push(put(keys, key, revision, `${revision} `.repeat(size / 4)));
        model.set(key, `${revision} `.repeat(size / 4));
      }
    });
    const floor = Math.max(1, steps.length + 1 - kept);
    compact(keys, rows, floor);
    while (!keys.reclaim(floor + 1, 7));
    keys.check();
    for (const [key, value] of model) {
      const live = keys.live(keys.find(Buffer.from(key)));
      t.is(Buffer.from(keys.rows.valueOf(live)).toString(), value);
      t.is(Buffer.from(keys.rows.keyOf(live)).toString(), key);
    }
    t.is(keys.liveKeys, model.size);
    let bytes = 0;
    const walk = keys.ascend(NO_BYTES);
    for (let id = walk.next(); id !== NO_KEY; id = walk.next()) {
      for (let row = keys.newest(id); row !== NO_ROW; row = keys.rows.previousOf(row)) {
        bytes += keys.rows.lengthOf(row);
      }
    }
    t.is(keys.rows.usedBytes - keys.rows.garbageBytes, bytes);
  });
  fc.assert(property, { numRuns: 300 });
});
