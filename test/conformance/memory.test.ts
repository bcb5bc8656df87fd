// The conformance suite on the memory engine.

import test, { type ExecutionContext } from "ava";
import { openMemoryEngine } from "../../server/engines/memory.js";
import { defaultLimits, type Limits } from "../../server/kv/limits.js";
import { ManualClock } from "../support/manual-clock.js";
import {
  all,
  bytes,
  deleteOf,
  endOf,
  one,
  op,
  openWatch,
  put,
  putOf,
  rangeOf,
  refused,
  TXN,
  takeEvents,
  txnOf,
  untilProgress,
  watchOf,
} from "./suite.js";
import { SUITES } from "./suites.js";

async function open(t: ExecutionContext, limits: Partial<Limits> = {}) {
  const clock = new ManualClock();
  const engine = await openMemoryEngine({ limits: defaultLimits(limits), clock });
  t.teardown(async () => {
    engine.check();
    await engine.close();
    if (clock.pendingTimers > 0) throw new Error(`${clock.pendingTimers} timers are left`);
  });
  return { engine, clock };
}

for (const suite of SUITES) suite(test, open);

const calls: {
  readonly [method: string]: (opened: Awaited<ReturnType<typeof open>>) => Promise<unknown>;
} = {
  get: ({ engine }) => engine.get({ key: bytes("a"), revision: 0 }),
  range: ({ engine }) => engine.range(rangeOf(all)),
  put: ({ engine }) => engine.put(putOf("a")),
  delete: ({ engine }) => engine.delete(deleteOf(one("a"))),
  txn: ({ engine }) => engine.txn(txnOf({ success: [op.put("a")] }), TXN),
  batch: ({ engine }) => engine.batch({ operations: [op.get("a")], maxBytes: 1000 }),
  "batch with writes": ({ engine }) => engine.batch({ operations: [op.put("a")], maxBytes: 1000 }),
  watch: async ({ engine }) => engine.watch(watchOf(all)),
  grant: ({ engine }) => engine.grant({ id: 1n, ttlMs: 1000 }),
  keepAlive: ({ engine }) => engine.keepAlive({ id: 1n }),
  revoke: ({ engine }) => engine.revoke({ id: 1n }),
  timeToLive: ({ engine }) => engine.timeToLive({ id: 1n, withKeys: false, maxBytes: 1000 }),
  leases: ({ engine }) => engine.leases({ after: undefined, limit: 10 }),
  compact: ({ engine }) => engine.compact({ revision: 1 }),
  hash: ({ engine }) => engine.hash({ revision: 0 }),
  status: ({ engine }) => engine.status(),
};

for (const [method, call] of Object.entries(calls)) {
  test(`after close, ${method} is refused`, async (t) => {
    const opened = await open(t);
    await opened.engine.close();
    await refused(t, call(opened), "SHUTTING_DOWN");
    await opened.engine.close();
  });
}

test("a close ends watches, waiting ones too, with the revision to go on with", async (t) => {
  const { engine } = await open(t);
  const waiting = await openWatch(t, engine, all);
  const behind = await openWatch(t, engine, all);
  await put(engine, "a");
  await takeEvents(waiting, 1);
  const ends = [endOf(waiting)];
  await engine.close();
  ends.push(endOf(behind));
  const errors = await Promise.all(ends);
  t.deepEqual(
    errors.map(({ reason }) => reason),
    ["SHUTTING_DOWN", "SHUTTING_DOWN"],
  );
  t.deepEqual(
    errors.map(({ details }) => details.resumeRevision),
    [3, 2],
  );
});

test("once watches are ended, calls go on and new watches are refused", async (t) => {
  const { engine } = await open(t);
  engine.endWatches();
  t.is(await put(engine, "a"), 2);
  t.throws(() => engine.watch(watchOf(all)), { message: /shutting down/ });
});

test("a watch that takes nothing while data waits is ended, others are not", async (t) => {
  const { engine, clock } = await open(t, { watcherIdleMaxMs: 300_000 });
  const silent = await openWatch(t, engine, all);
  const quiet = await openWatch(t, engine, one("never"));
  const busy = await openWatch(t, engine, all);
  const waiting = quiet.next();
  await put(engine, "a");
  await takeEvents(busy, 1);
  clock.advance(331_000);
  await silent.ended;
  const error = await endOf(silent);
  t.is(error.reason, "WATCHER_TOO_SLOW");
  t.is(error.details.resumeRevision, 2);
  await put(engine, "b");
  t.is((await takeEvents(busy, 1)).length, 1);
  quiet.close();
  t.is(await waiting, undefined);
});

test("queues are bounded together: the largest goes first, and its watch misses nothing", async (t) => {
  const { engine } = await open(t, { watchQueuesMaxBytes: 10_000, watcherQueueMaxBytes: 9_000 });
  const wide = await openWatch(t, engine, all);
  const narrow = await openWatch(t, engine, one("k1"));
  for (const watcher of [wide, narrow]) await untilProgress(watcher);
  const value = "x".repeat(500);
  for (let index = 0; index < 40; index += 1) await put(engine, `k${index % 10}`, value);
  const { counters } = await engine.status();
  t.true((counters["queued_bytes"] ?? 0) <= 10_000);
  t.is(counters["watchers_unsynced"], 1);
  t.is((await takeEvents(narrow, 4)).length, 4);
  t.is((await takeEvents(wide, 40)).length, 40);
  t.is((await engine.status()).counters["queued_bytes"], 0);
});
