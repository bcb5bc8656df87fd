// Listings of many pages: one revision, no row twice, none missing, and how long a page can wait
// for the next.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import type { RangeQuery, RangeResult } from "../../../server/kv/types.js";
import {
  ALL,
  batch,
  del,
  fromHex,
  interval,
  keysOf,
  op,
  prefix,
  put,
  range,
  text,
  toHex,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { ManualClock } from "../../support/manual-clock.js";
import { refused } from "../../support/refused.js";

const PIN_MS = 60_000;
/** A pin may hold up to a sixtieth longer. */
const PIN_MAX_MS = PIN_MS + 2 * (PIN_MS / 60);

async function fill(engine: Engine, keys: readonly string[]): Promise<void> {
  await engine.batch(batch(keys.map((each) => op.put(put(each, each)))));
}

const letters = (count: number) =>
  Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));

function nextPage(engine: Engine, query: RangeQuery, page: RangeResult): Promise<RangeResult> {
  return engine.range({ ...query, revision: page.revision, resume: page.next });
}

/** All pages; between them runs `between`. */
async function pages(
  engine: Engine,
  query: RangeQuery,
  between: () => Promise<unknown> = async () => {},
): Promise<RangeResult[]> {
  const all = [await engine.range(query)];
  for (let last = all[0]; last?.next !== undefined; last = all.at(-1)) {
    await between();
    all.push(await nextPage(engine, query, last));
  }
  return all;
}

const rowsOf = (all: readonly RangeResult[]) => all.flatMap(({ entries }) => keysOf(entries));

export function rangePagesSuite(test: TestFn, open: OpenEngine): void {
  for (const order of ["ascending", "descending"] as const) {
    for (const limit of [1, 2, 3, 7, 10]) {
      test(`pages of ${limit} rows, ${order}, give every row once`, async (t) => {
        const engine = await open(t);
        await fill(engine, letters(10));
        const all = await pages(engine, range(ALL, { limit, order }));
        t.is(all.length, Math.ceil(10 / limit));
        t.deepEqual(rowsOf(all), order === "ascending" ? letters(10) : letters(10).toReversed());
        t.deepEqual(
          all.map(({ more }) => more),
          all.map((_, index) => index < all.length - 1),
        );
      });
    }

    test(`all pages, ${order}, reflect the revision of the first, whatever is written`, async (t) => {
      const engine = await open(t);
      await fill(engine, letters(8));
      let round = 0;
      const all = await pages(engine, range(ALL, { limit: 2, order }), async () => {
        round += 1;
        await engine.put(put(`${String.fromCharCode(97 + round)}-new`));
        await engine.delete(del(String.fromCharCode(97 + round)));
        await engine.put(put(String.fromCharCode(104 - round), "changed"));
      });
      t.true(all.every(({ revision }) => revision === 9));
      t.deepEqual(rowsOf(all), order === "ascending" ? letters(8) : letters(8).toReversed());
      for (const { entries } of all) {
        for (const { key, value } of entries) t.is(text(value), text(key));
      }
    });

    test(`pages of a prefix and of an interval, ${order}, stay inside of it`, async (t) => {
      const engine = await open(t);
      await fill(engine, ["a", "b1", "b2", "b3", "c"]);
      const expected = order === "ascending" ? ["b1", "b2", "b3"] : ["b3", "b2", "b1"];
      for (const selector of [prefix("b"), interval("b", "c")]) {
        t.deepEqual(rowsOf(await pages(engine, range(selector, { limit: 1, order }))), expected);
      }
    });

    test(`keys of zero and 0xff bytes come once each over pages, ${order}`, async (t) => {
      const engine = await open(t);
      const keys = ["00", "0000", "01", "fe", "feff", "ff", "ff00", "ffff", "ffffff"];
      for (const key of keys) await engine.put(put(fromHex(key)));
      const all = await pages(engine, range(ALL, { limit: 1, order }));
      const seen = all.flatMap(({ entries }) => entries.map(({ key }) => toHex(key)));
      t.deepEqual(seen, order === "ascending" ? keys : keys.toReversed());
    });
  }

  test("the limit may differ from page to page", async (t) => {
    const engine = await open(t);
    await fill(engine, letters(10));
    const first = await engine.range(range(ALL, { limit: 1 }));
    const second = await nextPage(engine, range(ALL, { limit: 4 }), first);
    const third = await nextPage(engine, range(ALL), second);
    t.deepEqual(
      [first, second, third].map(({ entries }) => entries.length),
      [1, 4, 5],
    );
    t.deepEqual(rowsOf([first, second, third]), letters(10));
  });

  test("keys of the greatest length can be where a page ends", async (t) => {
    const engine = await open(t);
    const keys = [1, 2, 3].map((last) => new Uint8Array(8192).fill(0xff).fill(last, 8191));
    for (const key of keys) await engine.put(put(key));
    const all = await pages(engine, range(ALL, { limit: 1 }));
    t.deepEqual(
      all.map(({ entries }) => entries[0]?.key.at(-1)),
      [1, 2, 3],
    );
  });

  test("a page ends before its rows are too large, and has at least one row", async (t) => {
    const responseMaxBytes = 64 * 1024;
    const engine = await open(t, { limits: { responseMaxBytes } });
    for (let index = 0; index < 50; index += 1) {
      await engine.put(put(`key${10 + index}`, new Uint8Array(8 * 1024)));
    }
    const all = await pages(engine, range(ALL, { maxBytes: responseMaxBytes }));
    t.true(all.length >= 50 / 8);
    for (const { entries } of all) {
      t.true(entries.length >= 1);
      t.true(entries.length * 8 * 1024 < responseMaxBytes);
    }
    t.is(new Set(rowsOf(all)).size, 50);
  });

  test("entries beside which no other fits come in pages of their own", async (t) => {
    const engine = await open(t);
    const value = new Uint8Array(1.5 * 1024 * 1024);
    for (const key of ["a", "b", "c", "d", "e"]) await engine.put(put(key, value));
    const all = await pages(engine, range(ALL));
    t.deepEqual(rowsOf(all), ["a", "b", "c", "d", "e"]);
    t.true(all.length >= 3);
  });

  test("keys only makes more rows fit a page", async (t) => {
    const engine = await open(t, { limits: { responseMaxBytes: 64 * 1024 } });
    for (let index = 0; index < 50; index += 1) {
      await engine.put(put(`key${index}`, new Uint8Array(4096)));
    }
    const page = await engine.range(range(ALL, { keysOnly: true, maxBytes: 64 * 1024 }));
    t.is(page.entries.length, 50);
  });

  test("pages go on where a key was that is deleted meanwhile", async (t) => {
    const engine = await open(t);
    await fill(engine, ["a", "b", "c"]);
    const query = range(ALL, { limit: 1 });
    const first = await engine.range(query);
    await engine.delete(del(ALL));
    t.deepEqual(keysOf((await nextPage(engine, query, first)).entries), ["b"]);
  });

  test("a listing goes on for 60 s after a page although its revision is compacted", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await fill(engine, ["a", "b", "c", "d"]);
    const query = range(ALL, { limit: 1 });
    const first = await engine.range(query);
    await engine.put(put("b", "new"));
    await engine.delete(del("c"));
    const { revision } = await engine.put(put("d", "new"));
    await engine.compact({ revision });
    await clock.advanceAndSettle(PIN_MS - 1);
    const second = await nextPage(engine, query, first);
    t.deepEqual(
      second.entries.map(({ value }) => text(value)),
      ["b"],
    );
    await clock.advanceAndSettle(PIN_MS - 1);
    const third = await nextPage(engine, query, second);
    t.deepEqual([keysOf(third.entries), third.revision], [["c"], first.revision]);
  });

  test("a listing that pauses longer over a compaction is refused, and told the compact revision", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await fill(engine, ["a", "b", "c"]);
    const query = range(ALL, { limit: 1 });
    const first = await engine.range(query);
    await engine.put(put("b", "new"));
    const { revision } = await engine.put(put("c", "new"));
    await engine.compact({ revision });
    await clock.advanceAndSettle(PIN_MAX_MS);
    const error = await refused(t, "REVISION_COMPACTED", nextPage(engine, query, first));
    t.is(error.details.compactRevision, revision);
  });

  test("without a compaction a listing may pause as long as it likes", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await fill(engine, ["a", "b"]);
    const query = range(ALL, { limit: 1 });
    const first = await engine.range(query);
    await engine.put(put("b", "new"));
    await clock.advanceAndSettle(24 * 3600 * 1000);
    t.deepEqual(
      (await nextPage(engine, query, first)).entries.map(({ value }) => text(value)),
      ["b"],
    );
  });

  test("a compacted revision is kept for listings that go on, not for new ones", async (t) => {
    const engine = await open(t);
    await fill(engine, ["a", "b"]);
    const first = await engine.range(range(ALL, { limit: 1 }));
    const { revision } = await engine.put(put("b", "new"));
    await engine.compact({ revision });
    const attempt = engine.range(range(ALL, { revision: first.revision }));
    await refused(t, "REVISION_COMPACTED", attempt);
  });

  test("the last page of a listing keeps nothing from compaction", async (t) => {
    const engine = await open(t);
    await fill(engine, ["a", "b"]);
    await engine.range(range(ALL));
    const before = (await engine.status()).historyBytes;
    for (let index = 0; index < 50; index += 1) await engine.put(put("a", `${index}`));
    const { revision } = await engine.put(put("b", "new"));
    await engine.compact({ revision });
    t.true((await engine.status()).historyBytes <= before);
  });

  test("what a paused listing pins is freed once its time is over", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await fill(engine, ["a", "b"]);
    await engine.range(range(ALL, { limit: 1 }));
    for (let index = 0; index < 50; index += 1) await engine.put(put("a", `${index}`));
    const { revision } = await engine.status();
    await engine.compact({ revision });
    const pinned = (await engine.status()).historyBytes;
    await clock.advanceAndSettle(PIN_MAX_MS);
    t.true((await engine.status()).historyBytes < pinned / 10);
  });

  test("a pinned listing yields to the budget of history", async (t) => {
    const engine = await open(t, { limits: { historyMaxBytes: 3000 } });
    await fill(engine, ["a", "b", "c"]);
    const query = range(ALL, { limit: 1 });
    const first = await engine.range(query);
    for (let index = 0; index < 100; index += 1) await engine.put(put("c", `${index}`));
    await refused(t, "REVISION_COMPACTED", nextPage(engine, query, first));
    t.true((await engine.status()).historyBytes <= 3000);
  });
}
