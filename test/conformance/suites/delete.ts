// Deletes: what goes, in which order, and what keeps them from going.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import {
  ALL,
  type Bytes,
  del,
  fromHex,
  interval,
  keysOf,
  plain,
  prefix,
  put,
  range,
  toHex,
  watch,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { refused, refusedUnchanged } from "../../support/refused.js";
import { openWatch, shown, takeOne } from "../../support/take.js";

async function fill(engine: Engine, keys: readonly Bytes[]): Promise<void> {
  for (const key of keys) await engine.put(put(key, key));
}

async function keysLeft(engine: Engine): Promise<string[]> {
  return keysOf((await engine.range(range(ALL))).entries);
}

export function deleteSuite(test: TestFn, open: OpenEngine): void {
  test("a delete of one key is one revision", async (t) => {
    const engine = await open(t);
    await fill(engine, ["a", "b"]);
    const result = await engine.delete(del("a"));
    t.deepEqual(result, { revision: 4, deleted: 1, more: false, previous: [] });
    t.deepEqual(await keysLeft(engine), ["b"]);
  });

  test("a delete of nothing makes no revision and answers the current one", async (t) => {
    const engine = await open(t);
    await fill(engine, ["b"]);
    for (const selected of ["a", prefix("x"), interval("c", "d"), interval("z", "a")]) {
      const result = await engine.delete(del(selected, { returnPrevious: true }));
      t.deepEqual(result, { revision: 2, deleted: 0, more: false, previous: [] });
    }
    t.is((await engine.status()).revision, 2);
  });

  test("a key that is deleted already is nothing to delete", async (t) => {
    const engine = await open(t);
    await fill(engine, ["a"]);
    await engine.delete(del("a"));
    t.deepEqual(await engine.delete(del(ALL)), {
      revision: 3,
      deleted: 0,
      more: false,
      previous: [],
    });
  });

  test("a prefix takes all that start with it, and nothing else", async (t) => {
    const engine = await open(t);
    await fill(engine, ["a", "ab", "ab\0", "abc", "ab\u{10ffff}", "ac", "b"]);
    const { deleted, revision } = await engine.delete(del(prefix("ab")));
    t.deepEqual([deleted, revision], [4, 9]);
    t.deepEqual(await keysLeft(engine), ["a", "ac", "b"]);
  });

  test("a prefix that ends in 0xff takes its own keys alone", async (t) => {
    const engine = await open(t);
    const keys = ["61fe", "61ff", "61ff00", "61ffff", "62"].map(fromHex);
    await fill(engine, keys);
    t.is((await engine.delete(del(prefix(fromHex("61ff"))))).deleted, 3);
    const { entries } = await engine.range(range(ALL));
    t.deepEqual(
      entries.map(({ key }) => toHex(key)),
      ["61fe", "62"],
    );
  });

  for (const [what, selector, left] of [
    ["takes its start and leaves its end", interval("b", "d"), ["a", "d"]],
    ["without a start begins at the first key", interval(undefined, "c"), ["c", "d"]],
    ["without an end goes past the last key", interval("c", undefined), ["a", "b"]],
    ["without bounds takes everything", interval(undefined, undefined), []],
    ["of no width takes nothing", interval("b", "b"), ["a", "b", "c", "d"]],
    ["upside down takes nothing", interval("d", "b"), ["a", "b", "c", "d"]],
  ] as const) {
    test(`an interval ${what}`, async (t) => {
      const engine = await open(t);
      await fill(engine, ["a", "b", "c", "d"]);
      const { deleted } = await engine.delete(del(selector));
      t.is(deleted, 4 - left.length);
      t.deepEqual(await keysLeft(engine), [...left]);
    });
  }

  test("all takes every key, in one revision", async (t) => {
    const engine = await open(t);
    await fill(engine, [fromHex("00"), "a", "b", fromHex("ff"), fromHex("ffff")]);
    const { deleted, revision } = await engine.delete(del(ALL));
    t.deepEqual([deleted, revision], [5, 7]);
    t.is((await engine.status()).keys, 0);
  });

  test("the keys of one delete go in key order, in one revision", async (t) => {
    const engine = await open(t);
    await fill(engine, ["c", "a", "b"]);
    const watcher = await openWatch(engine, watch(ALL));
    await engine.delete(del(ALL));
    const { events, revision, fragment } = await takeOne(watcher, "events");
    t.deepEqual(events.map(shown), ["delete a@5", "delete b@5", "delete c@5"]);
    t.deepEqual([revision, fragment], [5, false]);
    t.true(events.every((event) => event.type === "delete" && event.reason === "deleted"));
    watcher.close();
  });

  test("a limit takes the lowest keys first and says whether more remain", async (t) => {
    const engine = await open(t);
    await fill(engine, ["d", "a", "c", "b", "e"]);
    const first = await engine.delete(del(ALL, { limit: 2 }));
    t.deepEqual([first.deleted, first.more], [2, true]);
    t.deepEqual(await keysLeft(engine), ["c", "d", "e"]);
    const second = await engine.delete(del(ALL, { limit: 3 }));
    t.deepEqual([second.deleted, second.more], [3, false]);
  });

  test("a limit at exactly what there is leaves nothing more", async (t) => {
    const engine = await open(t);
    await fill(engine, ["p1", "p2", "q"]);
    const { deleted, more } = await engine.delete(del(prefix("p"), { limit: 2 }));
    t.deepEqual([deleted, more], [2, false]);
  });

  test("a delete gives the entries before in key order when they are asked for", async (t) => {
    const engine = await open(t);
    await fill(engine, ["b", "a"]);
    await engine.put(put("a", "2"));
    const { previous } = await engine.delete(del(ALL, { returnPrevious: true }));
    t.deepEqual(previous.map(plain), [
      { key: "a", value: "2", createRevision: 3, modRevision: 4, version: 2, leaseId: 0n },
      { key: "b", value: "b", createRevision: 2, modRevision: 2, version: 1, leaseId: 0n },
    ]);
  });

  test("with a limit only what went is given back", async (t) => {
    const engine = await open(t);
    await fill(engine, ["a", "b", "c"]);
    const { previous } = await engine.delete(del(ALL, { limit: 2, returnPrevious: true }));
    t.deepEqual(keysOf(previous), ["a", "b"]);
  });

  test("a delete with the mod revision that it expects is done", async (t) => {
    const engine = await open(t);
    await fill(engine, ["a"]);
    t.is((await engine.delete(del("a", { expectedModRevision: 2 }))).deleted, 1);
  });

  for (const expectedModRevision of [0, 1, 3]) {
    test(`a delete that expects mod revision ${expectedModRevision} where it is 2 changes nothing`, async (t) => {
      const engine = await open(t);
      await fill(engine, ["a", "b"]);
      const error = await refusedUnchanged(t, "PRECONDITION_FAILED", engine, () =>
        engine.delete(del("a", { expectedModRevision })),
      );
      t.deepEqual([error.details.modRevision, error.details.revision], [2, 3]);
    });
  }

  test("a delete that expects absence of an absent key is done and changes nothing", async (t) => {
    const engine = await open(t);
    const result = await engine.delete(del("a", { expectedModRevision: 0 }));
    t.deepEqual([result.deleted, result.revision], [0, 1]);
  });

  test("a delete that expects an entry of an absent key is told mod revision 0", async (t) => {
    const engine = await open(t);
    const attempt = engine.delete(del("a", { expectedModRevision: 7 }));
    const error = await refused(t, "PRECONDITION_FAILED", attempt);
    t.is(error.details.modRevision, 0);
  });

  test("a delete of as many keys as it may is done", async (t) => {
    const engine = await open(t, { limits: { deleteMaxKeys: 3 } });
    await fill(engine, ["a", "b", "c"]);
    t.is((await engine.delete(del(ALL, { maxKeys: 3 }))).deleted, 3);
  });

  for (const limit of [0, 4, 10]) {
    test(`a delete of more keys than it may, with limit ${limit}, deletes nothing`, async (t) => {
      const engine = await open(t, { limits: { deleteMaxKeys: 3 } });
      await fill(engine, ["a", "b", "c", "d"]);
      await refusedUnchanged(t, "TOO_MANY_KEYS", engine, () =>
        engine.delete(del(ALL, { maxKeys: 3, limit })),
      );
    });
  }

  test("more keys than one delete may remove go in steps with a limit", async (t) => {
    const engine = await open(t, { limits: { deleteMaxKeys: 3 } });
    await fill(engine, ["a", "b", "c", "d", "e", "f", "g"]);
    const steps = [];
    for (let more = true; more; ) {
      const result = await engine.delete(del(ALL, { maxKeys: 3, limit: 3 }));
      steps.push(result.deleted);
      more = result.more;
    }
    t.deepEqual(steps, [3, 3, 1]);
  });

  test("entries before that do not fit the answer keep anything from being deleted", async (t) => {
    const responseMaxBytes = 16 * 1024;
    const engine = await open(t, { limits: { responseMaxBytes } });
    const value = new Uint8Array(1024);
    for (let index = 0; index < 20; index += 1) await engine.put(put(`key${index}`, value));
    const options = { maxBytes: responseMaxBytes };
    await refusedUnchanged(t, "RESULT_TOO_LARGE", engine, () =>
      engine.delete(del(ALL, { returnPrevious: true, ...options })),
    );
    const some = await engine.delete(del(ALL, { returnPrevious: true, limit: 5, ...options }));
    t.is(some.previous.length, 5);
    t.is((await engine.delete(del(ALL, options))).deleted, 15, "without them it is done");
  });
}
