// Listings: order, pages, folding, counting.

import {
  all,
  bytes,
  deleteOf,
  interval,
  keysOf,
  one,
  prefix,
  put,
  rangeOf,
  refused,
  type Suite,
  text,
} from "../suite.js";

export const rangeSuite: Suite = (test, open) => {
  test("keys are in the order of their bytes, not of their characters", async (t) => {
    const { engine } = await open(t);
    // U+FFFD sorts after U+1F600 in UTF-16, and before it in UTF-8.
    for (const key of ["\u{1f600}", "\ufffd", "a", "B"]) await put(engine, key);
    t.deepEqual(keysOf(await engine.range(rangeOf(all))), ["B", "a", "\ufffd", "\u{1f600}"]);
    const down = await engine.range(rangeOf(all, { order: "descending" }));
    t.deepEqual(keysOf(down), ["\u{1f600}", "\ufffd", "a", "B"]);
  });

  test("a prefix that ends in 0xff reaches to the end of its own keys", async (t) => {
    const { engine } = await open(t);
    const keys = [[0x61, 0xfe], [0x61, 0xff], [0x61, 0xff, 0], [0x62], [0xff], [0xff, 0xff]];
    for (const key of keys) await put(engine, Uint8Array.from(key));
    const under = async (...start: number[]) => {
      const selector = { kind: "prefix", prefix: Uint8Array.from(start) } as const;
      return (await engine.range(rangeOf(selector))).entries.length;
    };
    t.deepEqual([await under(0x61, 0xff), await under(0xff), await under(0xff, 0xff)], [2, 2, 1]);
  });

  test("an interval has its start and not its end; without them it has no bounds", async (t) => {
    const { engine } = await open(t);
    for (const key of ["a", "b", "c"]) await put(engine, key);
    const of = async (...bounds: [string?, string?]) =>
      keysOf(await engine.range(rangeOf(interval(...bounds))));
    t.deepEqual(await of("a", "c"), ["a", "b"]);
    t.deepEqual(await of(undefined, "b"), ["a"]);
    t.deepEqual(await of("b"), ["b", "c"]);
    t.deepEqual(await of(), ["a", "b", "c"]);
    t.deepEqual(await of("b", "b"), []);
    t.deepEqual(await of("c", "a"), []);
  });

  test("keys_only leaves the values out and keeps the rest", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a", "value");
    const [entry] = (await engine.range(rangeOf(one("a"), { keysOnly: true }))).entries;
    t.deepEqual([text(entry?.value), entry?.modRevision], ["", 2]);
  });

  for (const order of ["ascending", "descending"] as const) {
    test(`pages of an ${order} listing are one listing of one revision`, async (t) => {
      const { engine } = await open(t);
      const keys = Array.from({ length: 25 }, (_, index) => `k${String(index).padStart(2, "0")}`);
      for (const key of keys) await put(engine, key);
      const query = rangeOf(all, { order, limit: 7 });
      let page = await engine.range(query);
      const { revision } = page;
      const seen = keysOf(page);
      while (page.next !== undefined) {
        t.true(page.more);
        await put(engine, `k${seen.length}x`);
        await engine.delete(deleteOf(one(keys[seen.length % 25] ?? "")));
        page = await engine.range({ ...query, revision: page.revision, resume: page.next });
        t.is(page.revision, revision);
        seen.push(...keysOf(page));
      }
      t.false(page.more);
      t.deepEqual(seen, order === "ascending" ? keys : keys.toReversed());
    });
  }

  test("a page that ends right at the last row has no next", async (t) => {
    const { engine } = await open(t);
    for (const key of ["a", "b"]) await put(engine, key);
    const page = await engine.range(rangeOf(all, { limit: 2 }));
    t.deepEqual([page.more, page.next], [false, undefined]);
  });

  test("a listing that does not fit a page goes on in the next", async (t) => {
    const { engine } = await open(t);
    const value = "x".repeat(1_000_000);
    for (const key of ["a", "b", "c", "d", "e"]) await put(engine, key, value);
    const first = await engine.range(rangeOf(all));
    t.true(first.entries.length < 5 && first.next !== undefined);
    const rest = await engine.range(rangeOf(all, { revision: first.revision, resume: first.next }));
    t.deepEqual([...keysOf(first), ...keysOf(rest)], ["a", "b", "c", "d", "e"]);
  });

  for (const order of ["ascending", "descending"] as const) {
    test(`a delimiter folds groups of an ${order} listing into a row each`, async (t) => {
      const { engine } = await open(t);
      for (const key of ["a/x", "a/y/z", "a/y/zz", "a/y0", "a/", "b", "a//"])
        await put(engine, key);
      const page = await engine.range(rangeOf(prefix("a/"), { delimiter: bytes("/"), order }));
      const flip = (list: string[]) => (order === "ascending" ? list : list.toReversed());
      t.deepEqual(
        page.entries.map(({ key }) => text(key)),
        flip(["a/", "a/x", "a/y0"]),
      );
      t.deepEqual(page.prefixes.map(text), flip(["a//", "a/y/"]));
    });

    test(`rows of an ${order} folded listing count towards its limit`, async (t) => {
      const { engine } = await open(t);
      for (const key of ["a", "b/1", "b/2", "c/1", "d"]) await put(engine, key);
      const query = rangeOf(all, { delimiter: bytes("/"), order, limit: 2 });
      const first = await engine.range(query);
      const resumed = { ...query, revision: first.revision, resume: first.next };
      const second = await engine.range(resumed);
      const rows = [...keysOf(first), ...keysOf(second)];
      t.deepEqual([...rows].sort(), ["a", "b/", "c/", "d"]);
      t.deepEqual([keysOf(first).length, second.next], [2, undefined]);
    });
  }

  test("a folded group costs one seek, whatever its size", async (t) => {
    const { engine } = await open(t);
    for (let group = 0; group < 5; group += 1) {
      const operations = Array.from(
        { length: 400 },
        (_, index) =>
          ({
            kind: "put",
            put: {
              key: bytes(`${group}/${index}`),
              value: bytes("v"),
              lease: { kind: "none" },
              expectedModRevision: undefined,
              returnPrevious: false,
            },
          }) as const,
      );
      await engine.batch({ operations, maxBytes: 4_000_000 });
    }
    const visited = async () => (await engine.status()).counters["entries_visited"] ?? 0;
    const before = await visited();
    const page = await engine.range(rangeOf(all, { delimiter: bytes("/") }));
    t.deepEqual(page.prefixes.map(text), ["0/", "1/", "2/", "3/", "4/"]);
    t.is((await visited()) - before, 5);
  });

  test("counting gives no rows, and stops at its limit", async (t) => {
    const { engine } = await open(t);
    for (const key of ["a/1", "a/2", "b", "c"]) await put(engine, key);
    const counted = await engine.range(rangeOf(all, { count: "only" }));
    t.deepEqual([counted.count, counted.more, counted.entries], [4, false, []]);
    const limited = await engine.range(rangeOf(all, { count: "only", limit: 3 }));
    t.deepEqual([limited.count, limited.more], [3, true]);
    const folded = await engine.range(rangeOf(all, { count: "only", delimiter: bytes("/") }));
    t.is(folded.count, 3);
  });

  test("a long listing yields to other calls and still reflects one revision", async (t) => {
    const { engine } = await open(t);
    const operations = Array.from(
      { length: 6000 },
      (_, index) =>
        ({
          kind: "put",
          put: {
            key: bytes(`k${index}`),
            value: bytes("v"),
            lease: { kind: "none" },
            expectedModRevision: undefined,
            returnPrevious: false,
          },
        }) as const,
    );
    await engine.batch({ operations, maxBytes: 4_000_000 });
    const before = (await engine.status()).counters["slices"] ?? 0;
    const listing = engine.range(rangeOf(all, { keysOnly: true }));
    const deletion = engine.delete(deleteOf(all));
    const page = await listing;
    await deletion;
    t.is(page.entries.length, 6000);
    t.true(((await engine.status()).counters["slices"] ?? 0) - before >= 3);
  });

  test("a listing goes on for its time although its revision is compacted", async (t) => {
    const { engine, clock } = await open(t);
    for (const key of ["a", "b", "c"]) await put(engine, key);
    const query = rangeOf(all, { limit: 1 });
    const first = await engine.range(query);
    await put(engine, "b", "new");
    const { revision } = await engine.delete(deleteOf(one("c")));
    await engine.compact({ revision });
    await refused(
      t,
      engine.range(rangeOf(all, { revision: first.revision })),
      "REVISION_COMPACTED",
    );
    clock.advance(59_000);
    const resumed = { ...query, revision: first.revision, resume: first.next };
    const second = await engine.range(resumed);
    t.deepEqual([keysOf(second), text(second.entries[0]?.value)], [["b"], "v"]);
    clock.advance(62_000);
    await clock.settle();
    await refused(
      t,
      engine.range({ ...query, revision: first.revision, resume: second.next }),
      "REVISION_COMPACTED",
    );
  });
};
