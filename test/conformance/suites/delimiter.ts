// Listings that fold keys into groups at a delimiter.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import type { RangeQuery, RangeResult } from "../../../server/kv/types.js";
import {
  ALL,
  batch,
  bytes,
  del,
  interval,
  keysOf,
  op,
  prefix,
  put,
  range,
  text,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { counterOf } from "../../support/take.js";

const TREE = ["a", "a/", "a/b", "a/b/c", "a/b/d", "a/c/e", "a0", "b//x", "b/x", "c"];

async function openWith(engine: Promise<Engine>, keys: readonly string[]): Promise<Engine> {
  await (await engine).batch(batch(keys.map((each) => op.put(put(each)))));
  return engine;
}

const rows = (page: RangeResult) => ({
  entries: keysOf(page.entries),
  prefixes: page.prefixes.map(text),
});

/** All rows of all pages, folded ones marked, in the order of their bytes or against it. */
async function rowsByPages(engine: Engine, query: RangeQuery): Promise<string[]> {
  const seen: string[] = [];
  for (let next: Pick<RangeQuery, "revision" | "resume"> | undefined = query; next; ) {
    const page: RangeResult = await engine.range({ ...query, ...next });
    const { entries, prefixes } = rows(page);
    seen.push(...entries, ...prefixes.map((each) => `${each}*`));
    next = page.next === undefined ? undefined : { revision: page.revision, resume: page.next };
  }
  return seen;
}

export function delimiterSuite(test: TestFn, open: OpenEngine): void {
  test("of all keys, what comes up to the first delimiter is folded, delimiter included", async (t) => {
    const engine = await openWith(open(t), TREE);
    const page = await engine.range(range(ALL, { delimiter: "/" }));
    t.deepEqual(rows(page), { entries: ["a", "a0", "c"], prefixes: ["a/", "b/"] });
  });

  test("of a prefix, what follows it is folded", async (t) => {
    const engine = await openWith(open(t), TREE);
    const page = await engine.range(range(prefix("a/"), { delimiter: "/" }));
    t.deepEqual(rows(page), { entries: ["a/", "a/b"], prefixes: ["a/b/", "a/c/"] });
  });

  test("a prefix that ends in the middle of a name folds from there", async (t) => {
    const engine = await openWith(open(t), TREE);
    const page = await engine.range(range(prefix("a"), { delimiter: "/" }));
    t.deepEqual(rows(page), { entries: ["a", "a0"], prefixes: ["a/"] });
  });

  test("a delimiter right after the prefix makes a group of itself", async (t) => {
    const engine = await openWith(open(t), TREE);
    const page = await engine.range(range(prefix("b/"), { delimiter: "/" }));
    t.deepEqual(rows(page), { entries: ["b/x"], prefixes: ["b//"] });
  });

  test("of an interval, keys fold from their beginning, also where it begins inside a group", async (t) => {
    const engine = await openWith(open(t), TREE);
    const page = await engine.range(range(interval("a/b/d", "b/x"), { delimiter: "/" }));
    t.deepEqual(rows(page), { entries: ["a0"], prefixes: ["a/", "b/"] });
  });

  test("a delimiter of several characters folds at the whole of it", async (t) => {
    const engine = await openWith(open(t), ["a:b", "a::b", "a:::c", "b::", "\u{1f600}::x"]);
    const page = await engine.range(range(ALL, { delimiter: "::" }));
    t.deepEqual(rows(page), { entries: ["a:b"], prefixes: ["a::", "b::", "\u{1f600}::"] });
  });

  test("a delimiter beyond ASCII folds at its bytes", async (t) => {
    const engine = await openWith(open(t), ["a→b", "a→c", "b"]);
    const page = await engine.range(range(ALL, { delimiter: "→" }));
    t.deepEqual(rows(page), { entries: ["b"], prefixes: ["a→"] });
  });

  test("a delimiter that no key has folds nothing", async (t) => {
    const engine = await openWith(open(t), ["a", "b"]);
    const page = await engine.range(range(ALL, { delimiter: "#" }));
    t.deepEqual(rows(page), { entries: ["a", "b"], prefixes: [] });
  });

  test("against the order, rows come the other way round", async (t) => {
    const engine = await openWith(open(t), TREE);
    const page = await engine.range(range(ALL, { delimiter: "/", order: "descending" }));
    t.deepEqual(rows(page), { entries: ["c", "a0", "a"], prefixes: ["b/", "a/"] });
  });

  test("a group is one row of the count", async (t) => {
    const engine = await openWith(open(t), TREE);
    const page = await engine.range(range(ALL, { delimiter: "/", count: "only" }));
    t.deepEqual([page.count, rows(page)], [5, { entries: [], prefixes: [] }]);
    const stopped = await engine.range(range(ALL, { delimiter: "/", count: "only", limit: 2 }));
    t.deepEqual([stopped.count, stopped.more], [2, true]);
  });

  for (const order of ["ascending", "descending"] as const) {
    for (const limit of [1, 2, 3]) {
      test(`a group is one row of pages of ${limit}, ${order}`, async (t) => {
        const engine = await openWith(open(t), TREE);
        const query = range(ALL, { delimiter: "/", order, limit });
        const first = await engine.range(query);
        t.is(first.entries.length + first.prefixes.length, limit);
        t.deepEqual((await rowsByPages(engine, query)).sort(), ["a", "a/*", "a0", "b/*", "c"]);
      });
    }
  }

  test("a page that ends with a group goes on after all of it", async (t) => {
    const engine = await openWith(open(t), ["g/1", "g/2", "g/3", "h"]);
    const query = range(ALL, { delimiter: "/", limit: 1 });
    t.deepEqual(await rowsByPages(engine, query), ["g/*", "h"]);
    const down = range(ALL, { delimiter: "/", limit: 1, order: "descending" });
    t.deepEqual(await rowsByPages(engine, down), ["h", "g/*"]);
  });

  test("a group whose keys are all deleted is no row, and is one in the past", async (t) => {
    const engine = await openWith(open(t), ["g/1", "g/2", "h/1"]);
    await engine.delete(del(prefix("g/")));
    const now = await engine.range(range(ALL, { delimiter: "/" }));
    const before = await engine.range(range(ALL, { delimiter: "/", revision: 4 }));
    t.deepEqual(now.prefixes.map(text), ["h/"]);
    t.deepEqual(before.prefixes.map(text), ["g/", "h/"]);
  });

  test("a group appears as long as one of its keys is there", async (t) => {
    const engine = await openWith(open(t), ["g/1", "g/2", "g/3"]);
    for (const key of ["g/1", "g/3"]) await engine.delete(del(key));
    t.deepEqual((await engine.range(range(ALL, { delimiter: "/" }))).prefixes.map(text), ["g/"]);
  });

  test("groups of the highest keys end the listing", async (t) => {
    const engine = await openWith(open(t), ["\u{10ffff}/1", "\u{10ffff}/2"]);
    await engine.put(put(Buffer.concat([Buffer.from("ffff", "hex"), bytes("/x")])));
    for (const order of ["ascending", "descending"] as const) {
      const page = await engine.range(range(ALL, { delimiter: "/", order }));
      t.is(page.prefixes.length, 2);
      t.is(page.more, false);
    }
  });

  test("keys only and folding go together", async (t) => {
    const engine = await openWith(open(t), ["a", "g/1"]);
    const page = await engine.range(range(ALL, { delimiter: "/", keysOnly: true }));
    t.deepEqual(rows(page), { entries: ["a"], prefixes: ["g/"] });
  });

  test("100 groups of 1,000 keys cost a seek each, in both orders, counted too", async (t) => {
    const engine = await open(t);
    for (let group = 0; group < 100; group += 10) {
      const keys = Array.from({ length: 10_000 }, (_, index) =>
        put(`dir${100 + group + Math.floor(index / 1000)}/${index % 1000}`),
      );
      await engine.batch(batch(keys.map(op.put)));
    }
    for (const options of [
      {},
      { order: "descending" as const },
      { count: "only" as const },
      { order: "descending" as const, count: "only" as const },
    ]) {
      const visited = await counterOf(engine, "entries_visited");
      const seeks = await counterOf(engine, "seeks");
      const page = await engine.range(range(ALL, { delimiter: "/", ...options }));
      t.is(page.count ?? page.prefixes.length, 100);
      t.true((await counterOf(engine, "entries_visited")) - visited <= 200);
      t.true((await counterOf(engine, "seeks")) - seeks <= 200);
    }
  });
}
