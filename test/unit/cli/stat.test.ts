// The parts of kvctl stat and kvctl top: columns, the largest of many, counts of prefixes.

import test from "ava";
import fc from "fast-check";
import { COLUMNS, shortCount } from "../../../client/cli/stat/columns.js";
import { Largest } from "../../../client/cli/stat/largest.js";
import { PrefixCounts } from "../../../client/cli/stat/prefix-counts.js";
import type { Status } from "../../../client/index.js";

function status(revision: number, counters: Record<string, number> = {}): Status {
  return { revision, durableRevision: revision - 1, keys: 3, counters } as unknown as Status;
}

const columnOf = (name: string, interval: Parameters<(typeof COLUMNS)[number]["value"]>[0]) =>
  COLUMNS.find((column) => column.name === name)?.value(interval);

test("rates are of the interval, and levels of its end", (t) => {
  const interval = { before: status(10, { seeks: 5 }), now: status(30, { seeks: 9 }), seconds: 2 };
  t.is(columnOf("revisionsPerSecond", interval), 10);
  t.is(columnOf("seeksPerSecond", interval), 2);
  t.is(columnOf("keys", interval), 3);
  t.is(columnOf("revisionsNotDurable", interval), 1);
});

test("what cannot be told is left open: a first line, a counter that the server lacks", (t) => {
  t.is(
    columnOf("revisionsPerSecond", { before: undefined, now: status(3), seconds: 0 }),
    undefined,
  );
  const interval = { before: status(1), now: status(2), seconds: 1 };
  t.is(columnOf("seeksPerSecond", interval), undefined);
  t.is(columnOf("watchersUnsynced", interval), undefined);
  t.is(columnOf("revisionsPerSecond", { ...interval, before: status(9) }), 0);
});

test("numbers keep to the width of their column", (t) => {
  t.deepEqual([0, 9_999, 10_000, 123_456, 9_999_999, 2 ** 53].map(shortCount), [
    "0",
    "9999",
    "10k",
    "123k",
    "10M",
    "9010T",
  ]);
  for (const column of COLUMNS) {
    for (const value of [0, 9_999, 10_239, 999_499, 123_456_789, 99_999_999_999]) {
      t.true(column.text(value).length <= column.width, `${column.name} ${column.text(value)}`);
    }
    t.true(column.head.length <= column.width, column.name);
  }
});

test("the largest of many are those that sorting finds", (t) => {
  const sizes = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 200 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 0, max: 20 }), (list, limit) => {
      const largest = new Largest(limit);
      for (const bytes of list) largest.add({ bytes });
      const sorted = [...list].sort((one, other) => other - one).slice(0, limit);
      t.deepEqual(
        largest.list.map(({ bytes }) => bytes),
        sorted,
      );
    }),
  );
});

const put = { type: "put", bytes: 10 } as const;

function counted(keys: readonly string[], depth: number, max?: number): PrefixCounts {
  const bounded = max === undefined ? {} : { max };
  const counts = new PrefixCounts({ delimiter: Buffer.from("/"), depth, ...bounded });
  for (const key of keys) counts.add(Buffer.from(key, "latin1"), put);
  return counts;
}

const top = (counts: PrefixCounts, limit = 10) =>
  counts.top(limit).map(({ prefix, puts }) => `${Buffer.from(prefix).toString("latin1")} ${puts}`);

test("keys are folded at the delimiter, to a depth", (t) => {
  const keys = ["a/b/1", "a/b/2", "a/c", "d", "\xff/x", "\xff/y", "\xff/z"];
  t.deepEqual(top(counted(keys, 1)), ["a/ 3", "\xff/ 3", "d 1"]);
  t.deepEqual(top(counted(keys, 2), 2), ["a/b/ 2", "a/c 1"]);
});

test("puts, deletes and bytes are counted apart", (t) => {
  const counts = counted(["a/1"], 1);
  counts.add(Buffer.from("a/1"), { type: "delete", bytes: 0 });
  t.deepEqual(counts.top(1), [{ prefix: Buffer.from("a/"), puts: 1, deletes: 1, bytes: 10 }]);
  t.false(counts.approximate);
});

test("with too many prefixes the most written stay, and it is said", (t) => {
  const keys = Array.from({ length: 100 }, (_, index) => [`often/${index}`, `${index}/x`]).flat();
  const counts = counted(keys, 1, 10);
  t.true(counts.approximate);
  t.deepEqual(top(counts, 1), ["often/ 100"]);
});
