// What is shown before it is durable: nothing. These run over a backend that holds back.

import type { ExecutionContext, TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import { KvdError } from "../../../server/kv/errors.js";
import {
  ALL,
  batch,
  del,
  get,
  keysOf,
  op,
  put,
  range,
  TXN_OPTIONS,
  txn,
  watch,
  withTtl,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { HeldBackend } from "../../support/held-backend.js";
import { ManualClock } from "../../support/manual-clock.js";
import { onlyIf } from "../../support/only-if.js";
import { refused } from "../../support/refused.js";
import { openWatch, shown, takeEvents, until } from "../../support/take.js";

async function openHeld(t: ExecutionContext, open: OpenEngine) {
  const backend = new HeldBackend();
  const clock = new ManualClock();
  const engine = await open(t, { backend, clock });
  t.teardown(() => backend.release());
  await engine.put(put("a", "durable"));
  backend.hold();
  const appended = (count: number) =>
    until("the record is there", () => backend.records.length >= count);
  return { engine, backend, clock, appended };
}

/** Whether a promise has settled, after everything that is ready has run. */
async function isPending(clock: ManualClock, promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  await clock.settle(30);
  return !settled;
}

const WRITES: readonly (readonly [what: string, (engine: Engine) => Promise<unknown>])[] = [
  ["a put", (engine) => engine.put(put("b"))],
  ["a delete", (engine) => engine.delete(del("a"))],
  ["a txn", (engine) => engine.txn(txn({ success: [op.put(put("b"))] }), TXN_OPTIONS)],
  ["a batch", (engine) => engine.batch(batch([op.get(get("a")), op.put(put("b"))]))],
  ["a grant", (engine) => engine.grant({ id: 7n, ttlMs: 1000 })],
];

export function durableSuite(test: TestFn, open: OpenEngine): void {
  for (const [what, write] of WRITES) {
    test(`${what} is answered only once it is durable`, async (t) => {
      const { engine, backend, clock, appended } = await openHeld(t, open);
      const writing = write(engine);
      await appended(2);
      t.true(await isPending(clock, writing));
      backend.release();
      await t.notThrowsAsync(writing);
    });
  }

  test("no read shows what is not durable, and none waits for it", async (t) => {
    const { engine, appended } = await openHeld(t, open);
    const writing = engine.put(put("b"));
    await appended(2);
    const { entry, revision } = await engine.get(get("b"));
    t.deepEqual([entry, revision], [undefined, 2]);
    const listed = await engine.range(range(ALL));
    t.deepEqual([keysOf(listed.entries), listed.revision], [["a"], 2]);
    t.is((await engine.hash({ revision: 0 })).revision, 2);
    const read = await engine.batch(batch([op.get(get("b"))]));
    t.is(read.revision, 2);
    const { revision: shownRevision, durableRevision } = await engine.status();
    t.deepEqual([shownRevision, durableRevision], [2, 2]);
    await refused(t, "REVISION_FUTURE", engine.get(get("a", 3)));
    t.true(writing instanceof Promise);
  });

  const ifRefused = onlyIf(open.traits.takesRefusedOperations, test);
  ifRefused("a batch with a write that was refused sees the head, as with others", async (t) => {
    const { engine, backend, clock, appended } = await openHeld(t, open);
    const writing = engine.put(put("b"));
    await appended(2);
    const error = new KvdError("KEY_EMPTY", "refused before");
    const with_ = (isWrite: boolean) =>
      engine.batch(batch([{ kind: "refused", error, isWrite }, op.get(get("b"))]));
    t.is((await with_(false)).revision, 2);
    const wrote = with_(true);
    t.true(await isPending(clock, wrote));
    backend.release();
    t.is((await wrote).revision, 3);
    await writing;
  });

  test("no watch shows what is not durable", async (t) => {
    const { engine, backend, clock, appended } = await openHeld(t, open);
    const live = await openWatch(engine, watch(ALL));
    const writing = engine.put(put("b"));
    await appended(2);
    const late = engine.watch(watch(ALL, { startRevision: 2 }));
    const created = await late.next();
    t.is(created?.revision, 2);
    t.deepEqual((await takeEvents(late, 1)).map(shown), ["put a@2"]);
    const events = [takeEvents(live, 1), takeEvents(late, 1)];
    for (const each of events) t.true(await isPending(clock, each));
    backend.release();
    await writing;
    for (const each of events) t.deepEqual((await each).map(shown), ["put b@3"]);
    for (const watcher of [live, late]) watcher.close();
  });

  test("present entries of a watch are durable ones, what follows comes once it is", async (t) => {
    const { engine, backend, appended } = await openHeld(t, open);
    const writing = engine.put(put("b"));
    await appended(2);
    const watcher = await openWatch(engine, watch(ALL, { includeCurrent: true }));
    const current = await watcher.next();
    t.deepEqual(current?.kind === "current" && keysOf(current.entries), ["a"]);
    t.deepEqual(await watcher.next(), { kind: "synced", revision: 2 });
    backend.release();
    await writing;
    t.deepEqual((await takeEvents(watcher, 1)).map(shown), ["put b@3"]);
    watcher.close();
  });

  test("a refusal that tells of what is not durable waits for it", async (t) => {
    const { engine, backend, clock, appended } = await openHeld(t, open);
    const writing = engine.put(put("b"));
    await appended(2);
    const refusal = refused(
      t,
      "PRECONDITION_FAILED",
      engine.put(put("b", "", { expectedModRevision: 0 })),
    );
    t.true(await isPending(clock, refusal));
    backend.release();
    await writing;
    t.is((await refusal).details.modRevision, 3);
  });

  test("a txn that only compares waits for what it saw", async (t) => {
    const { engine, backend, clock, appended } = await openHeld(t, open);
    const writing = engine.put(put("b"));
    await appended(2);
    const comparing = engine.txn(txn({ success: [op.get(get("b"))] }), TXN_OPTIONS);
    t.true(await isPending(clock, comparing));
    backend.release();
    await writing;
    t.is((await comparing).revision, 3);
  });

  test("a renewal is durable before it is answered", async (t) => {
    const backend = new HeldBackend();
    const clock = new ManualClock();
    const engine = await open(t, { backend, clock });
    t.teardown(() => backend.release());
    await engine.grant({ id: 7n, ttlMs: 1000 });
    backend.hold();
    const renewing = engine.keepAlive({ id: 7n });
    await until("the record is there", () => backend.records.length === 2);
    t.true(await isPending(clock, renewing));
    backend.release();
    t.deepEqual(await renewing, { ttlMs: 1000 });
  });

  test("an expiry is shown once it is durable", async (t) => {
    const backend = new HeldBackend();
    const clock = new ManualClock();
    const engine = await open(t, { backend, clock });
    t.teardown(() => backend.release());
    await engine.put(put("a", "", { lease: withTtl(1000) }));
    backend.hold();
    await clock.advanceAndSettle(1000);
    t.is(backend.records.length, 2);
    t.deepEqual(keysOf((await engine.range(range(ALL))).entries), ["a"]);
    backend.release();
    t.deepEqual(keysOf((await engine.range(range(ALL))).entries), []);
  });

  test("writes at once become durable together, and are answered in one go", async (t) => {
    const { engine, backend, appended } = await openHeld(t, open);
    const writing = Array.from({ length: 50 }, (_, index) => engine.put(put(`key${index}`)));
    await appended(51);
    backend.release();
    const revisions = (await Promise.all(writing)).map(({ revision }) => revision);
    t.is(new Set(revisions).size, 50);
  });

  test("a log has each commit whole, with the leases that began and ended with it", async (t) => {
    const backend = new HeldBackend();
    const engine = await open(t, { backend });
    const { leaseId } = await engine.put(put("a", "", { lease: withTtl(1000) }));
    await engine.txn(txn({ success: [op.put(put("b")), op.delete(del("a"))] }), TXN_OPTIONS);
    const [first, second] = backend.records;
    t.deepEqual(first?.granted, [{ id: leaseId, ttlMs: 1000, ofPut: true }]);
    t.deepEqual([second?.changes.length, second?.ended], [2, [leaseId]]);
  });

  test("close waits until what was written is durable", async (t) => {
    const { engine, backend, appended } = await openHeld(t, open);
    const writing = engine.put(put("b"));
    await appended(2);
    await engine.close();
    t.is((await writing).revision, 3);
    t.is(backend.durablePosition, 2);
  });
}
