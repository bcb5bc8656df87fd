// Bugs that etcd has had, each as a test of the behaviour that was broken. The numbers are those of
// its issues.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import {
  ALL,
  batch,
  del,
  get,
  keysOf,
  op,
  prefix,
  put,
  range,
  TXN_OPTIONS,
  toHex,
  txn,
  watch,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { HeldBackend } from "../../support/held-backend.js";
import { ManualClock } from "../../support/manual-clock.js";
import { onlyIf } from "../../support/only-if.js";
import { fingerprint, refused, refusedUnchanged } from "../../support/refused.js";
import { openWatch, shown, takeEvents, takeOne, until } from "../../support/take.js";

async function deleteAtCompactRevision(engine: Engine): Promise<number> {
  for (const key of ["a1", "a2", "b"]) await engine.put(put(key));
  const { revision } = await engine.delete(del(prefix("a")));
  await engine.compact({ revision });
  return revision;
}

export function knownBugsSuite(test: TestFn, open: OpenEngine): void {
  test("a write is acknowledged only after it is durable (etcd #14370)", async (t) => {
    const backend = new HeldBackend();
    const clock = new ManualClock();
    const engine = await open(t, { backend, clock });
    t.teardown(() => backend.release());
    backend.hold();
    let acknowledged = false;
    const writing = engine.put(put("a")).then(() => {
      acknowledged = true;
    });
    await until("the record is written", () => backend.records.length === 1);
    await clock.settle(30);
    t.false(acknowledged);
    backend.release();
    await writing;
    t.true(acknowledged);
  });

  test("the revision never goes back with a compaction of deleted keys (etcd #17780)", async (t) => {
    const engine = await open(t);
    for (const key of ["a", "b"]) await engine.put(put(key));
    const { revision } = await engine.delete(del(ALL));
    await engine.compact({ revision });
    t.is((await engine.status()).revision, revision);
    t.is((await engine.get(get("a"))).revision, revision);
    t.is((await engine.put(put("a"))).revision, revision + 1);
    t.is((await engine.status()).compactRevision, revision);
  });

  test("the compact revision never goes down (etcd #17780)", async (t) => {
    const engine = await open(t, { limits: { historyMaxBytes: 20_000 } });
    let last = 0;
    for (let round = 0; round < 100; round += 1) {
      const { revision } = await engine.put(put("a", `${round}`));
      if (round % 30 === 0) await engine.compact({ revision }).catch(() => {});
      const { compactRevision } = await engine.status();
      t.true(compactRevision >= last);
      last = compactRevision;
    }
    t.true(last > 2);
  });

  test("a watch at the compact revision sees the deletes of that revision (etcd #18089)", async (t) => {
    const engine = await open(t);
    const revision = await deleteAtCompactRevision(engine);
    const watcher = await openWatch(engine, watch(ALL, { startRevision: revision }));
    t.deepEqual((await takeEvents(watcher, 2)).map(shown), [
      `delete a1@${revision}`,
      `delete a2@${revision}`,
    ]);
    watcher.close();
  });

  test("a watch opened long before the compaction misses no delete at its revision (etcd #19179)", async (t) => {
    const engine = await open(t);
    const early = await openWatch(engine, watch("a1", { startRevision: 2 }));
    const revision = await deleteAtCompactRevision(engine);
    const late = await openWatch(engine, watch("a1", { startRevision: revision }));
    t.deepEqual((await takeEvents(early, 2)).map(shown), ["put a1@2", `delete a1@${revision}`]);
    t.deepEqual((await takeEvents(late, 1)).map(shown), [`delete a1@${revision}`]);
    for (const watcher of [early, late]) watcher.close();
  });

  test("a key deleted at the compact revision reads as absent there and later (etcd #19179)", async (t) => {
    const engine = await open(t);
    const revision = await deleteAtCompactRevision(engine);
    t.is((await engine.get(get("a1", revision))).entry, undefined);
    t.deepEqual(keysOf((await engine.range(range(ALL, { revision }))).entries), ["b"]);
    await engine.put(put("c"));
    t.deepEqual(keysOf((await engine.range(range(ALL))).entries), ["b", "c"]);
  });

  for (const [what, startRevision] of [
    ["a live watch", 0],
    ["a watch that catches up", 1],
  ] as const) {
    test(`progress of ${what} is never ahead of its events (etcd #15220)`, async (t) => {
      const clock = new ManualClock();
      const engine = await open(t, { clock });
      const spec = watch(prefix("a"), { startRevision, progressIntervalMs: 1000 });
      const watcher = await openWatch(engine, spec);
      const due: number[] = [];
      for (let round = 0; round < 20; round += 1) {
        for (const key of ["a", "other", "a"]) {
          const { revision } = await engine.put(put(key));
          if (key === "a") due.push(revision);
        }
        if (open.traits.progressOnRequest) watcher.requestProgress();
        clock.advance(1000);
      }
      const seen: number[] = [];
      while (seen.length < due.length) {
        const message = await watcher.next();
        if (message?.kind === "events") seen.push(...message.events.map((event) => event.revision));
        else if (message?.kind !== "progress") throw new Error(`${message?.kind} came`);
        else t.true((due[seen.length] ?? Number.POSITIVE_INFINITY) > message.revision);
      }
      t.deepEqual(seen, due);
      watcher.close();
    });
  }

  onlyIf(open.traits.progressOnRequest, test)(
    "progress that is asked for behind events comes after them, with their revision (etcd #15220)",
    async (t) => {
      const engine = await open(t);
      const watcher = await openWatch(engine, watch(prefix("a")));
      for (const key of ["a1", "a2", "b"]) await engine.put(put(key));
      watcher.requestProgress();
      t.deepEqual((await takeEvents(watcher, 2)).map(shown), ["put a1@2", "put a2@3"]);
      t.is((await takeOne(watcher, "progress")).revision, 4);
      watcher.close();
    },
  );

  test("progress goes up only, and events after it are above it (etcd #17507)", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const watcher = await openWatch(engine, watch("a", { progressIntervalMs: 1000 }));
    let bookmark = 0;
    for (let round = 0; round < 10; round += 1) {
      await engine.put(put("other"));
      const quiet = takeOne(watcher, "progress");
      await clock.settle();
      await clock.advanceAndSettle(2000);
      const { revision } = await quiet;
      t.true(revision > bookmark);
      bookmark = revision;
      await engine.put(put("a"));
      const [event] = await takeEvents(watcher, 1);
      t.is(event?.revision, bookmark + 1);
    }
    watcher.close();
  });

  test("a watch that was starved gets every event, however many others there are (etcd #17529)", async (t) => {
    const limits = { watcherQueueMaxBytes: 2048, watchQueuesMaxBytes: 8192 };
    const engine = await open(t, { limits });
    const starved = await openWatch(engine, watch(ALL));
    const others = [];
    for (let count = 0; count < 20; count += 1) others.push(await openWatch(engine, watch(ALL)));
    for (let round = 0; round < 20; round += 1) {
      const operations = Array.from({ length: 50 }, (_, index) =>
        op.put(put(`key${index}`, new Uint8Array(100))),
      );
      await engine.batch(batch(operations));
      for (const watcher of others) await takeOne(watcher, "events");
    }
    const due = Array.from({ length: 1000 }, (_, index) => `put key${index % 50}@${index + 2}`);
    t.deepEqual((await takeEvents(starved, 1000)).map(shown), due);
    for (const watcher of [starved, ...others]) watcher.close();
  });

  test("a watch from a revision of the future gives neither events nor progress before it (etcd #20221)", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const spec = watch(ALL, { startRevision: 6, progressIntervalMs: 1000 });
    const watcher = await openWatch(engine, spec);
    const next = watcher.next();
    for (const key of ["a", "b", "c", "d"]) {
      await engine.put(put(key));
      if (open.traits.progressOnRequest) watcher.requestProgress();
      await clock.advanceAndSettle(2000);
    }
    await engine.put(put("e"));
    let told = await next;
    while (told?.kind === "progress") {
      t.true(told.revision >= 5, "it does not promise what it may not give");
      told = await watcher.next();
    }
    t.deepEqual(told?.kind === "events" && told.events.map(shown), ["put e@6"]);
    watcher.close();
  });

  test("a watch of the present that starts with a store's future gives what comes then (etcd #20221)", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const watcher = await openWatch(engine, watch("a", { startRevision: 4 }));
    for (const value of ["3", "4", "5"]) await engine.put(put("a", value));
    t.deepEqual((await takeEvents(watcher, 2)).map(shown), ["put a@4", "put a@5"]);
    watcher.close();
  });

  test("a txn that reads a compacted revision is refused as a whole and harms nothing (etcd #18667)", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.put(put("a", "2"));
    await engine.compact({ revision: 3 });
    for (const read of [op.get(get("a", 2)), op.range(range(ALL, { revision: 2 }))]) {
      for (const success of [
        [op.put(put("b")), read],
        [read, op.put(put("b"))],
        [op.txn({ success: [op.put(put("b")), read] })],
      ]) {
        await refusedUnchanged(t, "REVISION_COMPACTED", engine, () =>
          engine.txn(txn({ success }), TXN_OPTIONS),
        );
      }
    }
    t.is((await engine.put(put("b"))).revision, 4);
  });

  test("a watch never travels back in time: another history is told apart (etcd #15271)", async (t) => {
    const before = await open(t);
    for (let count = 0; count < 5; count += 1) await before.put(put("a", `${count}`));
    const restarted = await open(t);
    for (let count = 0; count < 9; count += 1) await restarted.put(put("a", "other"));
    const spec = watch("a", { startRevision: 7, storeId: before.storeId });
    const watcher = await openWatch(restarted, spec);
    const error = await refused(t, "STORE_CHANGED", watcher.next());
    t.is(error.details.storeId, restarted.storeId);
  });

  test("a watch that goes on at the next revision never sees an older one again (etcd #15271)", async (t) => {
    const engine = await open(t);
    let next = 2;
    for (let round = 0; round < 10; round += 1) {
      for (let count = 0; count < 5; count += 1) await engine.put(put("a"));
      const watcher = await openWatch(engine, watch("a", { startRevision: next }));
      for (const { revision } of await takeEvents(watcher, 5)) {
        t.is(revision, next);
        next += 1;
      }
      watcher.close();
    }
  });

  test("the same commands make the same store, failures between them or not (etcd #13766)", async (t) => {
    const clean = await open(t);
    const troubled = await open(t);
    for (let round = 0; round < 20; round += 1) {
      const success = [
        op.put(put(`key${round % 5}`, `${round}`)),
        op.delete(del(`key${(round + 2) % 5}`)),
      ];
      const command = txn({ success });
      await clean.txn(command, TXN_OPTIONS);
      const fails = op.put(put("x", "", { expectedModRevision: 999 }));
      const failing = txn({ success: [...success, fails] });
      await refused(t, "PRECONDITION_FAILED", troubled.txn(failing, TXN_OPTIONS));
      await troubled.txn(command, TXN_OPTIONS);
    }
    t.is(await fingerprint(troubled), await fingerprint(clean));
    const hashes = [];
    for (const engine of [clean, troubled]) {
      hashes.push(toHex((await engine.hash({ revision: 10 })).hash));
    }
    t.is(hashes[0], hashes[1]);
  });

  test("no revision holds half a txn, while many run at once (etcd #13766)", async (t) => {
    const engine = await open(t);
    const watcher = await openWatch(engine, watch(ALL));
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        engine.txn(
          txn({ success: [op.put(put("left", `${index}`)), op.put(put("right", `${index}`))] }),
          TXN_OPTIONS,
        ),
      ),
    );
    const events = await takeEvents(watcher, 100);
    for (let index = 0; index < 100; index += 2) {
      const [left, right] = [events[index], events[index + 1]];
      t.is(left?.revision, right?.revision);
      if (left?.type !== "put" || right?.type !== "put") throw new Error("puts are due");
      t.is(toHex(left.entry.value), toHex(right.entry.value));
    }
    watcher.close();
  });

  test("a store that was never written to can be watched, compacted and hashed (etcd #13766)", async (t) => {
    const engine = await open(t);
    t.is((await engine.hash({ revision: 0 })).revision, 1);
    t.is((await engine.compact({ revision: 1 })).compactRevision, 1);
    const watcher = await openWatch(engine, watch(ALL, { startRevision: 1 }));
    await engine.put(put("a"));
    t.deepEqual((await takeEvents(watcher, 1)).map(shown), ["put a@2"]);
    watcher.close();
  });
}
