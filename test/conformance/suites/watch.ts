// Watches and compaction.

import {
  all,
  brief,
  bytes,
  deleteOf,
  endOf,
  interval,
  one,
  op,
  openWatch,
  prefix,
  put,
  rangeOf,
  refused,
  type Suite,
  TXN,
  takeEvents,
  text,
  txnOf,
  untilProgress,
  watchOf,
} from "../suite.js";

export const watchSuite: Suite = (test, open) => {
  test("created comes first, with the revision and the store", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    const watcher = engine.watch(watchOf(all));
    t.teardown(() => watcher.close());
    t.deepEqual(await watcher.next(), { kind: "created", revision: 2, storeId: engine.storeId });
  });

  test("a watch from now tells what comes after, and nothing before", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    const watcher = await openWatch(t, engine, all);
    await put(engine, "b");
    t.deepEqual((await takeEvents(watcher, 1)).map(brief), ["3 put b"]);
  });

  test("a watch from a past revision catches up and goes on live", async (t) => {
    const { engine } = await open(t);
    for (const key of ["a", "b", "c"]) await put(engine, key);
    const watcher = await openWatch(t, engine, all, { startRevision: 3 });
    await put(engine, "d");
    t.deepEqual((await takeEvents(watcher, 3)).map(brief), ["3 put b", "4 put c", "5 put d"]);
  });

  test("a watch from a revision of the future gives nothing earlier (etcd #20221)", async (t) => {
    const { engine } = await open(t);
    const watcher = await openWatch(t, engine, all, { startRevision: 4 });
    for (const key of ["a", "b", "c"]) await put(engine, key);
    t.deepEqual((await takeEvents(watcher, 1)).map(brief), ["4 put c"]);
  });

  for (const [title, selector] of [
    ["one key", one("b/1")],
    ["a prefix", prefix("b/")],
    ["an interval", interval("b", "c")],
  ] as const) {
    test(`a watch of ${title} tells only that`, async (t) => {
      const { engine } = await open(t);
      const watcher = await openWatch(t, engine, selector);
      for (const key of ["a", "b/1", "c"]) await put(engine, key);
      await engine.delete(deleteOf(all));
      const events = await takeEvents(watcher, 2);
      t.deepEqual(events.map(brief), ["3 put b/1", "5 delete b/1"]);
    });
  }

  test("all changes of a txn come in one message, in their order", async (t) => {
    const { engine } = await open(t);
    await put(engine, "x");
    const watcher = await openWatch(t, engine, all);
    await engine.txn(txnOf({ success: [op.put("b"), op.delete(one("x")), op.put("a")] }), TXN);
    const message = await watcher.next();
    t.deepEqual(message?.kind === "events" && [message.events.map(brief), message.fragment], [
      ["3 put b", "3 delete x", "3 put a"],
      false,
    ]);
  });

  test("events carry the entry before when it is asked for", async (t) => {
    const { engine } = await open(t);
    const watcher = await openWatch(t, engine, one("a"), { previous: true });
    await put(engine, "a", "1");
    await put(engine, "a", "2");
    await engine.delete(deleteOf(one("a")));
    const before = (await takeEvents(watcher, 3)).map(({ previous }) => text(previous?.value));
    t.deepEqual(before, [undefined, "1", "2"]);
  });

  test("excluded types are left out", async (t) => {
    const { engine } = await open(t);
    const deletes = await openWatch(t, engine, all, { excludePuts: true });
    const puts = await openWatch(t, engine, all, { excludeDeletes: true });
    await put(engine, "a");
    await engine.delete(deleteOf(one("a")));
    await put(engine, "b");
    t.deepEqual((await takeEvents(deletes, 1)).map(brief), ["3 delete a"]);
    t.deepEqual((await takeEvents(puts, 2)).map(brief), ["2 put a", "4 put b"]);
  });

  test("the present entries come first, then events without a gap", async (t) => {
    const { engine } = await open(t);
    for (const key of ["b", "a", "x"]) await put(engine, key);
    const watcher = await openWatch(t, engine, interval(undefined, "x"), { includeCurrent: true });
    await put(engine, "c");
    const current = await watcher.next();
    t.deepEqual(
      current?.kind === "current" && [
        current.revision,
        current.entries.map(({ key }) => text(key)),
      ],
      [4, ["a", "b"]],
    );
    t.deepEqual(await watcher.next(), { kind: "synced", revision: 4 });
    t.deepEqual((await takeEvents(watcher, 1)).map(brief), ["5 put c"]);
  });

  test("with nothing present, synced says so", async (t) => {
    const { engine } = await open(t);
    const watcher = await openWatch(t, engine, prefix("none"), { includeCurrent: true });
    t.deepEqual(await watcher.next(), { kind: "synced", revision: 1 });
  });

  test("progress is never ahead of its events (etcd #15220)", async (t) => {
    const { engine } = await open(t);
    const watcher = await openWatch(t, engine, prefix("a"), { startRevision: 1 });
    for (const key of ["a1", "a2", "other"]) await put(engine, key);
    const messages = await untilProgress(watcher);
    const events = messages.flatMap((each) => (each.kind === "events" ? each.events : []));
    t.deepEqual(events.map(brief), ["2 put a1", "3 put a2"]);
    t.is(messages.at(-1)?.revision, 4);
  });

  test("a quiet watch tells its progress at its interval", async (t) => {
    const { engine, clock } = await open(t);
    const watcher = await openWatch(t, engine, one("quiet"), { progressIntervalMs: 1000 });
    await put(engine, "other");
    const next = watcher.next();
    await clock.settle();
    clock.advance(1000);
    clock.advance(1000);
    t.deepEqual(await next, { kind: "progress", revision: 2 });
  });

  test("commit times never go back, even if the wall clock does", async (t) => {
    const { engine, clock } = await open(t);
    await put(engine, "a");
    clock.jumpWall(-3_600_000);
    await put(engine, "b");
    clock.jumpWall(7_200_000);
    await put(engine, "c");
    const watcher = await openWatch(t, engine, all, { startRevision: 2 });
    const [first, second, third] = (await takeEvents(watcher, 3)).map(
      (event) => event.commitTimeMs,
    );
    t.is(first, second);
    t.is((third ?? 0) - (second ?? 0), 3_600_000);
  });

  test("a revision larger than a message comes in fragments, each but the last marked", async (t) => {
    const { engine } = await open(t, { watcherQueueMaxBytes: 100_000 });
    const watcher = await openWatch(t, engine, all, { maxBytes: 1_000_000 });
    const success = Array.from({ length: 8 }, (_, index) =>
      op.put(`k${index}`, "x".repeat(400_000)),
    );
    await engine.batch({ operations: [], maxBytes: 1 });
    await engine.txn(txnOf({ success: success.slice(0, 7) }), TXN);
    const marks: boolean[] = [];
    const keys: string[] = [];
    while (keys.length < 7) {
      const message = await watcher.next();
      if (message?.kind !== "events") throw new Error(`${message?.kind}`);
      marks.push(message.fragment);
      keys.push(...message.events.map(brief));
    }
    t.true(marks.length > 1);
    t.deepEqual(marks, [...Array.from({ length: marks.length - 1 }, () => true), false]);
    t.deepEqual(
      keys,
      Array.from({ length: 7 }, (_, index) => `2 put k${index}`),
    );
  });

  test("a watch that does not keep up catches up from history, and misses nothing (etcd #17529)", async (t) => {
    const { engine } = await open(t, { watcherQueueMaxBytes: 2_000 });
    const watcher = await openWatch(t, engine, all);
    const due: string[] = [];
    for (let index = 0; index < 200; index += 1) {
      due.push(`${await put(engine, `k${index}`, "x".repeat(200))} put k${index}`);
    }
    t.deepEqual((await takeEvents(watcher, 200)).map(brief), due);
  });

  test("a watch of another store is refused after created", async (t) => {
    const { engine } = await open(t);
    const watcher = await openWatch(t, engine, all, { storeId: "another" });
    const error = await endOf(watcher);
    t.is(error.reason, "STORE_CHANGED");
    t.is(error.details.storeId, engine.storeId);
    const same = await openWatch(t, engine, all, { storeId: engine.storeId });
    await put(engine, "a");
    t.is((await takeEvents(same, 1)).length, 1);
  });

  test("more watches than there may be are refused", async (t) => {
    const { engine } = await open(t, { watchersMax: 1 });
    await openWatch(t, engine, all);
    const reasonOf = async () => {
      const watcher = engine.watch(watchOf(all));
      return (await endOf(watcher)).reason;
    };
    const reason = await reasonOf().catch((error: { reason?: string }) => error.reason);
    t.is(reason, "TOO_MANY_WATCHERS");
  });

  test("below the compact revision a watch ends, after created; at it, it works", async (t) => {
    const { engine } = await open(t);
    for (const key of ["a", "b", "c"]) await put(engine, key);
    await engine.compact({ revision: 3 });
    const below = await openWatch(t, engine, all, { startRevision: 2 });
    const error = await endOf(below);
    t.is(error.reason, "REVISION_COMPACTED");
    t.is(error.details.compactRevision, 3);
    const at = await openWatch(t, engine, all, { startRevision: 3 });
    t.deepEqual((await takeEvents(at, 2)).map(brief), ["3 put b", "4 put c"]);
  });

  test("a delete right at the compact revision is still told (etcd #18089, #19179)", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    const { revision } = await engine.delete(deleteOf(one("a")));
    await engine.compact({ revision });
    const watcher = await openWatch(t, engine, one("a"), { startRevision: revision });
    t.deepEqual((await takeEvents(watcher, 1)).map(brief), [`${revision} delete a`]);
  });

  test("a tombstone below the compact revision is gone for good", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    await engine.delete(deleteOf(one("a")));
    await put(engine, "b");
    await engine.compact({ revision: 4 });
    t.is((await engine.range(rangeOf(all, { revision: 4 }))).entries.length, 1);
    const { historyBytes } = await engine.status();
    await put(engine, "c");
    await engine.compact({ revision: 5 });
    t.true((await engine.status()).historyBytes <= historyBytes);
  });
};

export const compactionSuite: Suite = (test, open) => {
  test("compaction keeps the state at its revision and refuses what is below", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a", "1");
    await put(engine, "a", "2");
    await put(engine, "a", "3");
    t.deepEqual(await engine.compact({ revision: 3 }), { revision: 4, compactRevision: 3 });
    const below = engine.get({ key: bytes("a"), revision: 2 });
    t.is((await refused(t, below, "REVISION_COMPACTED")).details.compactRevision, 3);
    t.is(text((await engine.get({ key: bytes("a"), revision: 3 })).entry?.value), "2");
  });

  test("compaction goes forward only, and not into the future", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    await put(engine, "a");
    await engine.compact({ revision: 2 });
    await refused(t, engine.compact({ revision: 2 }), "REVISION_COMPACTED");
    await refused(t, engine.compact({ revision: 1 }), "REVISION_COMPACTED");
    await refused(t, engine.compact({ revision: 4 }), "REVISION_FUTURE");
    await engine.compact({ revision: 3 });
    t.is((await engine.status()).compactRevision, 3);
  });

  test("a txn that reads a compacted revision is refused and changes nothing (etcd #18667)", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    await put(engine, "a");
    await engine.compact({ revision: 3 });
    const success = [op.put("b"), op.get("a", 2)];
    const error = await refused(t, engine.txn(txnOf({ success }), TXN), "REVISION_COMPACTED");
    t.is(error.details.operation, "success[1]");
    t.is((await engine.status()).revision, 3);
  });

  test("the revision never goes back after a compaction (etcd #17780)", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    await engine.delete(deleteOf(one("a")));
    await engine.compact({ revision: 3 });
    t.is((await engine.status()).revision, 3);
    t.is(await put(engine, "a"), 4);
  });

  test("history beyond its budget goes by itself, and reads of now are untouched", async (t) => {
    const { engine, clock } = await open(t, { historyMaxBytes: 50_000 });
    for (let index = 0; index < 500; index += 1) await put(engine, "a", `${index}`);
    await clock.settle();
    const { historyBytes, compactRevision } = await engine.status();
    t.true(historyBytes <= 50_000, `${historyBytes}`);
    t.true(compactRevision > 1);
    t.is(text((await engine.get({ key: bytes("a"), revision: 0 })).entry?.value), "499");
    t.is(
      text((await engine.get({ key: bytes("a"), revision: compactRevision })).entry?.value),
      `${compactRevision - 2}`,
    );
  });

  test("history older than its age goes by itself", async (t) => {
    const { engine, clock } = await open(t, { historyMaxAgeMs: 60_000 });
    await put(engine, "a", "1");
    await put(engine, "a", "2");
    clock.advance(120_000);
    await put(engine, "a", "3");
    await clock.settle();
    t.true((await engine.status()).compactRevision >= 3);
  });

  test("a full store drops history first, then refuses what grows, and still deletes", async (t) => {
    const { engine, clock } = await open(t, { storeMaxBytes: 100_000, historyMaxBytes: 0 });
    const value = "x".repeat(1_000);
    for (let index = 0; index < 200; index += 1) await put(engine, "same", value);
    await clock.settle();
    const filling = async () => {
      for (let index = 0; index < 200; index += 1) await put(engine, `k${index}`, value);
    };
    await refused(t, filling(), "STORE_FULL");
    const { liveBytes, historyBytes, keys } = await engine.status();
    t.true(liveBytes + historyBytes <= 100_000 + 10_000, `${liveBytes} + ${historyBytes}`);
    t.true(keys > 30);
    await put(engine, "k0", "smaller");
    t.is((await engine.delete(deleteOf(prefix("k1")))).deleted > 0, true);
    await put(engine, "k10", value);
    t.is((await engine.status()).keys > 1, true);
  });

  test("equal entries have equal hashes, whatever was compacted below", async (t) => {
    const left = await open(t);
    const right = await open(t);
    for (const { engine } of [left, right]) {
      for (const key of ["a", "b", "a"]) await put(engine, key);
    }
    await left.engine.compact({ revision: 4 });
    const [one_, two] = [
      await left.engine.hash({ revision: 0 }),
      await right.engine.hash({ revision: 4 }),
    ];
    t.deepEqual(Buffer.from(one_.hash), Buffer.from(two.hash));
    t.is(one_.compactRevision, 4);
    const past = await right.engine.hash({ revision: 3 });
    t.notDeepEqual(Buffer.from(past.hash), Buffer.from(two.hash));
    await refused(t, left.engine.hash({ revision: 3 }), "REVISION_COMPACTED");
    await refused(t, left.engine.hash({ revision: 9 }), "REVISION_FUTURE");
  });
};
