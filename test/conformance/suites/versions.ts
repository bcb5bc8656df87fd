// The walk over everything that is retained.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import {
  ALL,
  batch,
  del,
  get,
  op,
  prefix,
  put,
  TXN_OPTIONS,
  toHex,
  txn,
  withLease,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { HeldBackend } from "../../support/held-backend.js";
import { ManualClock } from "../../support/manual-clock.js";
import { onlyIf } from "../../support/only-if.js";
import { refused } from "../../support/refused.js";
import { counterOf, until } from "../../support/take.js";
import { shownVersion, versionsOf } from "../../support/versions.js";

const THREE = txn({ success: [op.put(put("c", "3")), op.put(put("b", "3")), op.put(put("d"))] });

/** a at 2; c, b, d at 3; b and d gone at 4; a at 5; b at 6. */
async function write(engine: Engine): Promise<void> {
  await engine.put(put("a", "2"));
  await engine.txn(THREE, TXN_OPTIONS);
  const both = [op.delete(del("d")), op.delete(del("b"))];
  await engine.txn(txn({ success: both }), TXN_OPTIONS);
  await engine.put(put("a", "5"));
  await engine.put(put("b", "6"));
}

const shown = async (engine: Engine, revision = 0) =>
  (await versionsOf(engine, revision)).map(shownVersion);

export function versionsSuite(every: TestFn, open: OpenEngine): void {
  const test = onlyIf(open.traits.walksVersions, every);

  onlyIf(!open.traits.walksVersions, every)("an engine without the walk says so", async (t) => {
    const engine = await open(t);
    await refused(t, "NOT_SUPPORTED", engine.versions({ revision: 0 }));
  });

  test("every change is given, in the order of revisions and of places", async (t) => {
    const engine = await open(t);
    t.deepEqual(await shown(engine), []);
    await write(engine);
    t.deepEqual(await shown(engine), [
      "2.0 a=2",
      "3.0 c=3!",
      "3.1 b=3",
      "3.2 d=",
      "4.0 d gone!",
      "4.1 b gone",
      "5.0 a=5!",
      "6.0 b=6!",
    ]);
  });

  test("a walk of the past ends there, and tells what was newest then", async (t) => {
    const engine = await open(t);
    await write(engine);
    t.deepEqual(await shown(engine, 3), ["2.0 a=2!", "3.0 c=3!", "3.1 b=3!", "3.2 d=!"]);
    t.deepEqual(await shown(engine, 1), []);
  });

  test("up to the compact revision there are entries, in the order of their changes", async (t) => {
    const engine = await open(t);
    await write(engine);
    await engine.compact({ revision: 3 });
    const entries = ["2.0 a=2", "3.0 c=3!", "3.1 b=3", "3.2 d="];
    const changes = ["4.0 d gone!", "4.1 b gone", "5.0 a=5!", "6.0 b=6!"];
    t.deepEqual(await shown(engine), [...entries, ...changes]);
    await engine.compact({ revision: 5 });
    t.deepEqual(await shown(engine), ["3.0 c=3!", "5.0 a=5!", "6.0 b=6!"]);
    t.deepEqual(await shown(engine, 5), ["3.0 c=3!", "5.0 a=5!"]);
  });

  test("a delete right at the compact revision is not told any more", async (t) => {
    const engine = await open(t);
    await write(engine);
    await engine.compact({ revision: 4 });
    t.deepEqual(await shown(engine, 4), ["2.0 a=2!", "3.0 c=3!"]);
  });

  test("a row has all of its entry", async (t) => {
    const engine = await open(t);
    await engine.grant({ id: -7n, ttlMs: 60_000 });
    await engine.put(put("a", "1"));
    await engine.put(put("a", "2", { lease: withLease(-7n) }));
    const { entry } = await engine.get(get("a"));
    const row = (await versionsOf(engine))[1];
    t.deepEqual(row, { revision: 3, place: 0, key: row?.key, entry, newest: true });
    t.is(toHex(row?.key ?? new Uint8Array()), "61");
  });

  test("a lease that ends deletes its keys in the order of their places", async (t) => {
    const engine = await open(t);
    await engine.grant({ id: 7n, ttlMs: 60_000 });
    for (const key of ["b", "a", "c"]) await engine.put(put(key, "", { lease: withLease(7n) }));
    await engine.revoke({ id: 7n });
    const rows = await shown(engine);
    t.deepEqual(rows.slice(3), ["5.0 a gone!", "5.1 b gone!", "5.2 c gone!"]);
  });

  test("a walk names its revision and the compact revision", async (t) => {
    const engine = await open(t);
    await write(engine);
    await engine.compact({ revision: 3 });
    for (const [revision, told] of [
      [0, 6],
      [3, 3],
      [5, 5],
    ] as const) {
      const walk = await engine.versions({ revision });
      t.deepEqual([walk.revision, walk.compactRevision], [told, 3]);
      walk.close();
      walk.close();
    }
  });

  test("a walk of the future or below the compact revision is refused", async (t) => {
    const engine = await open(t);
    await write(engine);
    await engine.compact({ revision: 4 });
    await refused(t, "REVISION_FUTURE", engine.versions({ revision: 7 }));
    await refused(t, "REVISION_COMPACTED", engine.versions({ revision: 3 }));
  });

  test("what is written and compacted meanwhile does not change a walk", async (t) => {
    const engine = await open(t);
    const puts = (value: string) =>
      Array.from({ length: 2500 }, (_, index) => op.put(put(`key${index}`, value)));
    for (const value of ["1", "2"]) await engine.batch(batch(puts(value)));
    await engine.txn(txn({ success: puts("3") }), TXN_OPTIONS);
    await engine.delete(del(prefix("key1")));
    const { revision } = await engine.compact({ revision: 5002 });
    const before = await shown(engine);
    const places = (await versionsOf(engine)).map(({ place }) => place);
    t.deepEqual(places.slice(0, 2500), [...new Array(2500).keys()]);
    const walk = await engine.versions({ revision: 0 });
    const rows = [...((await walk.next()) ?? [])];
    await engine.delete(del(ALL));
    await engine.compact({ revision: revision + 1 });
    for (let some = await walk.next(); some !== undefined; some = await walk.next()) {
      rows.push(...some);
    }
    walk.close();
    t.is(rows.length, before.length);
    t.deepEqual(rows.map(shownVersion), before);
  });

  test("compaction waits for a walk, and goes on when it is closed", async (t) => {
    const engine = await open(t);
    await write(engine);
    const kept = () => counterOf(engine, "commits_kept");
    const walk = await engine.versions({ revision: 0 });
    await engine.compact({ revision: 6 });
    t.is(await kept(), 5);
    walk.close();
    await until("the commits are gone", async () => (await kept()) === 1);
  });

  test("a walk ends as compacted when the store is full and history has to go", async (t) => {
    const limits = { storeMaxBytes: 200_000, historyMaxBytes: 0 };
    const engine = await open(t, { limits });
    await engine.put(put("a"));
    const walk = await engine.versions({ revision: 0 });
    for (let index = 0; index < 300; index += 1) await engine.put(put("a", new Uint8Array(1000)));
    await refused(t, "REVISION_COMPACTED", walk.next());
    walk.close();
    t.true((await shown(engine)).length > 10);
  });

  test("a walk shows nothing that is not durable", async (t) => {
    const backend = new HeldBackend();
    const clock = new ManualClock();
    const engine = await open(t, { backend, clock });
    t.teardown(() => backend.release());
    await engine.put(put("a", "durable"));
    backend.hold();
    const writing = engine.put(put("a", "held"));
    t.deepEqual(await shown(engine), ["2.0 a=durable!"]);
    backend.release();
    await writing;
    t.deepEqual(await shown(engine), ["2.0 a=durable", "3.0 a=held!"]);
  });
}
