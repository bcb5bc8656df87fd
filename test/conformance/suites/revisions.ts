// The revision as the store-wide counter, commit times, and the name of the history.

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
  ROWS_MAX_BYTES,
  range,
  TXN_OPTIONS,
  txn,
  watch,
  withTtl,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { ManualClock } from "../../support/manual-clock.js";
import { openWatch, takeEvents } from "../../support/take.js";

const lease = 7n;

const NO_CHANGES: readonly (readonly [what: string, (engine: Engine) => Promise<unknown>])[] = [
  ["a get", (engine) => engine.get(get("a"))],
  ["a listing", (engine) => engine.range(range(ALL))],
  ["a delete of nothing", (engine) => engine.delete(del(prefix("x")))],
  ["a txn of reads", (engine) => engine.txn(txn({ success: [op.get(get("a"))] }), TXN_OPTIONS)],
  ["a txn of nothing", (engine) => engine.txn(txn({}), TXN_OPTIONS)],
  ["a batch of gets", (engine) => engine.batch(batch([op.get(get("a"))]))],
  ["a grant", (engine) => engine.grant({ id: 8n, ttlMs: 1000 })],
  ["a renewal", (engine) => engine.keepAlive({ id: lease })],
  ["a revocation without keys", (engine) => engine.revoke({ id: lease })],
  [
    "asking after a lease",
    (engine) => engine.timeToLive({ id: lease, withKeys: true, maxBytes: ROWS_MAX_BYTES }),
  ],
  ["a list of leases", (engine) => engine.leases({ after: undefined, limit: 10 })],
  ["a compaction", (engine) => engine.compact({ revision: 2 })],
  ["a hash", (engine) => engine.hash({ revision: 0 })],
  ["asking for the status", (engine) => engine.status()],
];

export function revisionsSuite(test: TestFn, open: OpenEngine): void {
  for (const [what, call] of NO_CHANGES) {
    test(`the revision stays as it is with ${what}`, async (t) => {
      const engine = await open(t);
      await engine.put(put("a"));
      await engine.grant({ id: lease, ttlMs: 60_000 });
      await call(engine);
      t.is((await engine.status()).revision, 2);
      t.is((await engine.put(put("a"))).revision, 3);
    });
  }

  test("revisions of all kinds of changes are dense", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const watcher = await openWatch(engine, watch(ALL));
    await engine.put(put("a", "", { lease: withTtl(1000) }));
    await engine.txn(txn({ success: [op.put(put("b")), op.put(put("c"))] }), TXN_OPTIONS);
    await engine.delete(del("b"));
    await engine.batch(batch([op.put(put("d")), op.delete(del("d"))]));
    await clock.advanceAndSettle(1000);
    await engine.put(put("e"));
    const events = await takeEvents(watcher, 8);
    t.deepEqual(
      events.map(({ revision }) => revision),
      [2, 3, 3, 4, 5, 6, 7, 8],
    );
    watcher.close();
  });

  test("the newest revision is durable as soon as it is shown", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const { revision, durableRevision } = await engine.status();
    t.is(durableRevision, revision);
  });

  test("a store has a name, the same in its status and for its watches", async (t) => {
    const engine = await open(t);
    const { storeId } = await engine.status();
    t.true(storeId.length > 0);
    t.is(engine.storeId, storeId);
    const created = await engine.watch(watch(ALL)).next();
    t.is(created?.kind === "created" && created.storeId, storeId);
  });

  test("every store in memory has another name", async (t) => {
    const names = new Set<string>();
    for (let count = 0; count < 5; count += 1) names.add((await open(t)).storeId);
    t.is(names.size, 5);
  });

  test("the commit time is the wall clock's, in milliseconds, one for a revision", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const watcher = await openWatch(engine, watch(ALL));
    await engine.put(put("a"));
    const first = clock.wallMs();
    clock.advance(1234);
    await engine.txn(txn({ success: [op.put(put("b")), op.delete(del("a"))] }), TXN_OPTIONS);
    const times = (await takeEvents(watcher, 3)).map(({ commitTimeMs }) => commitTimeMs);
    t.deepEqual(times, [first, first + 1234, first + 1234]);
    watcher.close();
  });

  test("a commit time is in whole milliseconds", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const watcher = await openWatch(engine, watch(ALL));
    clock.jumpWall(0.75);
    await engine.put(put("a"));
    const [event] = await takeEvents(watcher, 1);
    t.true(Number.isInteger(event?.commitTimeMs));
    watcher.close();
  });

  test("commit times never go back, however the wall clock jumps", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const start = clock.wallMs();
    for (const jumpMs of [0, -3_600_000, 1000, 7_200_000, -7_200_000, -1]) {
      clock.jumpWall(jumpMs);
      await engine.put(put("a"));
    }
    const watcher = await openWatch(engine, watch(ALL, { startRevision: 2 }));
    const times = (await takeEvents(watcher, 6)).map(({ commitTimeMs }) => commitTimeMs - start);
    t.deepEqual(times, [0, 0, 0, 3_601_000, 3_601_000, 3_601_000]);
    watcher.close();
  });

  test("history tells the same commit times as live events", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const live = await openWatch(engine, watch(ALL));
    for (let count = 0; count < 5; count += 1) {
      clock.advance(100);
      await engine.put(put("a"));
    }
    const later = await openWatch(engine, watch(ALL, { startRevision: 2 }));
    const timesOf = async (watcher: typeof live) =>
      (await takeEvents(watcher, 5)).map(({ commitTimeMs }) => commitTimeMs);
    t.deepEqual(await timesOf(later), await timesOf(live));
    for (const watcher of [live, later]) watcher.close();
  });

  test("status counts what there is", async (t) => {
    const engine = await open(t);
    const empty = await engine.status();
    await engine.put(put("a", new Uint8Array(1000)));
    await engine.put(put("a", new Uint8Array(1000)));
    await engine.grant({ id: lease, ttlMs: 1000 });
    const watcher = await openWatch(engine, watch(ALL));
    const filled = await engine.status();
    t.deepEqual(
      [empty.keys, empty.leases, empty.watchers, empty.liveBytes, empty.historyBytes],
      [0, 0, 0, 0, 0],
    );
    t.deepEqual([filled.keys, filled.leases, filled.watchers], [1, 1, 1]);
    t.true(filled.liveBytes > 1000 && filled.liveBytes < 3000);
    t.true(filled.historyBytes > 1000 && filled.historyBytes < 3000);
    t.deepEqual([filled.engine.length > 0, filled.problems, filled.diskBytes], [true, [], 0]);
    t.is(filled.fsyncPolicy, "memory");
    t.deepEqual(filled.capabilities, []);
    watcher.close();
  });
}
