// Listings of one page: which keys, in which order, at which revision.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import type { Selector } from "../../../server/kv/selector.js";
import {
  ALL,
  type Bytes,
  batch,
  bytes,
  del,
  fromHex,
  interval,
  key,
  keysOf,
  op,
  plain,
  prefix,
  put,
  range,
  text,
  toHex,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { onlyIf } from "../../support/only-if.js";
import { refused } from "../../support/refused.js";
import { counterOf } from "../../support/take.js";

async function fill(engine: Engine, keys: readonly Bytes[]): Promise<void> {
  await engine.batch(batch(keys.map((each) => op.put(put(each, each)))));
}

async function hexKeys(engine: Engine, selector: Selector): Promise<string[]> {
  const { entries } = await engine.range(range(selector));
  return entries.map((entry) => toHex(entry.key));
}

const IN_BYTE_ORDER = [
  "00",
  "0000",
  "0001",
  "01",
  "61",
  "6100",
  "6161",
  "7f",
  "80",
  "c3",
  "ff",
].concat(["ff00", "fffe", "ffff", "ffff00"]);

const SELECTIONS: readonly (readonly [what: string, Selector, readonly string[]])[] = [
  ["one key", key("a"), ["61"]],
  ["a key that is not there", key("nothing"), []],
  ["the prefix 00", prefix(fromHex("00")), ["00", "0000", "0001"]],
  ["the prefix 61", prefix(fromHex("61")), ["61", "6100", "6161"]],
  ["the prefix ff", prefix(fromHex("ff")), ["ff", "ff00", "fffe", "ffff", "ffff00"]],
  ["the prefix ffff", prefix(fromHex("ffff")), ["ffff", "ffff00"]],
  ["the prefix 7fff, which no key has", prefix(fromHex("7fff")), []],
  ["from 7f to 80", interval(fromHex("7f"), fromHex("80")), ["7f"]],
  ["from 61 to 6100", interval(fromHex("61"), fromHex("6100")), ["61"]],
  ["from ff on", interval(fromHex("ff"), undefined), ["ff", "ff00", "fffe", "ffff", "ffff00"]],
  ["up to 0001", interval(undefined, fromHex("0001")), ["00", "0000"]],
  ["an interval of no width", interval(fromHex("61"), fromHex("61")), []],
  ["an interval upside down", interval(fromHex("ff"), fromHex("00")), []],
  ["an interval without bounds", interval(undefined, undefined), IN_BYTE_ORDER],
  ["all", ALL, IN_BYTE_ORDER],
];

export function rangeSuite(test: TestFn, open: OpenEngine): void {
  test("keys come in the order of their bytes, in both directions", async (t) => {
    const engine = await open(t);
    await fill(engine, IN_BYTE_ORDER.toReversed().map(fromHex));
    const up = await engine.range(range(ALL));
    const down = await engine.range(range(ALL, { order: "descending" }));
    const hexOf = (page: typeof up) => page.entries.map((entry) => toHex(entry.key));
    t.deepEqual(hexOf(up), IN_BYTE_ORDER);
    t.deepEqual(hexOf(down), IN_BYTE_ORDER.toReversed());
  });

  test("the order is that of bytes, not of UTF-16: U+FFFD comes before U+1F600", async (t) => {
    const engine = await open(t);
    await fill(engine, ["\u{1f600}", "\ufffd", "\ue000", "\u{10000}", "a"]);
    const { entries } = await engine.range(range(ALL));
    t.deepEqual(keysOf(entries), ["a", "\ue000", "\ufffd", "\u{10000}", "\u{1f600}"]);
  });

  for (const [what, selector, expected] of SELECTIONS) {
    test(`a listing of ${what} has exactly those keys`, async (t) => {
      const engine = await open(t);
      await fill(engine, IN_BYTE_ORDER.map(fromHex));
      t.deepEqual(await hexKeys(engine, selector), [...expected]);
      const down = await engine.range(range(selector, { order: "descending" }));
      t.deepEqual(
        down.entries.map((entry) => toHex(entry.key)),
        expected.toReversed(),
      );
      const counted = await engine.range(range(selector, { count: "only" }));
      t.is(counted.count, expected.length);
    });
  }

  test("rows are whole entries", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.put(put("b", "2"));
    await engine.put(put("a", "3"));
    const page = await engine.range(range(ALL));
    t.deepEqual(page.entries.map(plain), [
      { key: "a", value: "3", createRevision: 2, modRevision: 4, version: 2, leaseId: 0n },
      { key: "b", value: "2", createRevision: 3, modRevision: 3, version: 1, leaseId: 0n },
    ]);
    t.deepEqual(
      [page.revision, page.more, page.next, page.count],
      [4, false, undefined, undefined],
    );
  });

  test("an empty listing still tells the revision that it reflects", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const page = await engine.range(range(prefix("x")));
    t.deepEqual([page.revision, page.entries.length, page.more], [2, 0, false]);
  });

  test("keys only leaves the values out and nothing else", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.put(put("a", "2"));
    const { entries } = await engine.range(range("a", { keysOnly: true }));
    t.deepEqual(entries.map(plain), [
      { key: "a", value: "", createRevision: 2, modRevision: 3, version: 2, leaseId: 0n },
    ]);
  });

  test("a limit gives the first rows of the order and says that there are more", async (t) => {
    const engine = await open(t);
    await fill(engine, ["a", "b", "c", "d"]);
    const up = await engine.range(range(ALL, { limit: 2 }));
    t.deepEqual([keysOf(up.entries), up.more], [["a", "b"], true]);
    const down = await engine.range(range(ALL, { limit: 2, order: "descending" }));
    t.deepEqual([keysOf(down.entries), down.more], [["d", "c"], true]);
  });

  test("a limit at exactly what there is leaves no more", async (t) => {
    const engine = await open(t);
    await fill(engine, ["a", "b", "c"]);
    const page = await engine.range(range(prefix(bytes("a")), { limit: 1 }));
    t.deepEqual([keysOf(page.entries), page.more, page.next], [["a"], false, undefined]);
    const all = await engine.range(range(ALL, { limit: 3 }));
    t.deepEqual([all.entries.length, all.more, all.next], [3, false, undefined]);
  });

  test("counting gives how many rows there are, and no rows", async (t) => {
    const engine = await open(t);
    await fill(engine, ["a", "b", "c"]);
    await engine.delete(del("b"));
    const page = await engine.range(range(ALL, { count: "only" }));
    t.deepEqual([page.count, page.entries, page.more, page.next], [2, [], false, undefined]);
  });

  test("counting stops at its limit and says so", async (t) => {
    const engine = await open(t);
    await fill(engine, ["a", "b", "c"]);
    const stopped = await engine.range(range(ALL, { count: "only", limit: 2 }));
    t.deepEqual([stopped.count, stopped.more], [2, true]);
    const reached = await engine.range(range(ALL, { count: "only", limit: 3 }));
    t.deepEqual([reached.count, reached.more], [3, false]);
  });

  onlyIf(open.traits.countsBesidesRows, test)(
    "rows can come with how many there are in all, whatever the limit",
    async (t) => {
      const engine = await open(t);
      await fill(engine, ["a", "b", "c", "d"]);
      const page = await engine.range(range(ALL, { count: "also", limit: 1 }));
      t.deepEqual([keysOf(page.entries), page.count, page.more], [["a"], 4, true]);
    },
  );

  test("a listing at a past revision shows all as it was", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.put(put("b", "1"));
    await engine.delete(del("a"));
    await engine.put(put("b", "2"));
    await engine.put(put("c", "1"));
    const seen = [];
    for (const revision of [1, 2, 3, 4, 5, 6]) {
      const page = await engine.range(range(ALL, { revision }));
      t.is(page.revision, revision);
      seen.push(page.entries.map((entry) => `${text(entry.key)}${text(entry.value)}`).join(" "));
    }
    t.deepEqual(seen, ["", "a1", "a1 b1", "b1", "b2", "b2 c1"]);
  });

  test("a listing above the newest revision is refused, and told that revision", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const error = await refused(t, "REVISION_FUTURE", engine.range(range(ALL, { revision: 3 })));
    t.is(error.details.revision, 2);
  });

  test("the largest entry fits a page by itself", async (t) => {
    const engine = await open(t);
    const value = new Uint8Array(1.5 * 1024 * 1024).fill(1);
    await engine.put(put("a", value));
    const page = await engine.range(range(ALL));
    t.is(page.entries[0]?.value.length, value.length);
  });

  test("a long listing goes in slices, between which other calls have their turn", async (t) => {
    const engine = await open(t);
    const keys = Array.from({ length: 10_000 }, (_, index) => `key${index}`);
    await fill(engine, keys);
    const before = await counterOf(engine, "slices");
    t.is((await engine.range(range(ALL, { count: "only" }))).count, 10_000);
    t.true((await counterOf(engine, "slices")) - before >= 3);
  });

  test("a listing in slices reflects one revision, whatever is written meanwhile", async (t) => {
    const engine = await open(t);
    const keys = Array.from({ length: 10_000 }, (_, index) => `key${10_000 + index}`);
    await fill(engine, keys);
    const listing = engine.range(range(ALL, { keysOnly: true }));
    const counting = engine.range(range(ALL, { count: "only" }));
    const [listed, counted] = await Promise.all([
      listing,
      counting,
      engine.delete(del(prefix("key15"))),
      engine.put(put("key10000x")),
      engine.put(put("zzz")),
    ]);
    for (const page of [listed, counted]) {
      const again = await engine.range(range(ALL, { revision: page.revision, count: "only" }));
      t.is(page.count ?? page.entries.length, again.count ?? -1);
    }
    const rows = new Set(keysOf(listed.entries));
    const whole = [rows.has("key15000"), rows.has("key15999")];
    t.is(whole[0], whole[1], "a delete is in a listing as a whole or not at all");
  });
}
