// How watches end: by whom, why, and with which revision to go on with.

import type { TestFn } from "ava";
import type { Watcher } from "../../../server/kv/engine.js";
import { KvdError } from "../../../server/kv/errors.js";
import { ALL, del, prefix, put, watch } from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { ManualClock } from "../../support/manual-clock.js";
import { onlyIf } from "../../support/only-if.js";
import { refused } from "../../support/refused.js";
import { openWatch, shown, takeEvents, takeMessages, takeOne, until } from "../../support/take.js";

const IDLE_MAX_MS = 300_000;
/** Silent watches are looked for ten times in that span. */
const NOTICED_MS = IDLE_MAX_MS * 1.2;
/** More than any transport between a watch and its reader holds. */
const VALUE = new Uint8Array(64 * 1024);
const VALUES = 200;

/** The error that ends a watch, after whatever events come before it. */
async function endOf(watcher: Watcher): Promise<{ error: KvdError; events: number }> {
  let events = 0;
  for (;;) {
    try {
      events += (await takeOne(watcher, "events")).events.length;
    } catch (error) {
      if (error instanceof KvdError) return { error, events };
      throw error;
    }
  }
}

export function watchEndSuite(test: TestFn, open: OpenEngine): void {
  test("a watch that is closed gives no more, and can be closed again", async (t) => {
    const engine = await open(t);
    const watcher = await openWatch(engine, watch(ALL));
    watcher.close();
    watcher.close();
    await engine.put(put("a"));
    t.is(await watcher.next(), undefined);
    t.is(await watcher.next(), undefined);
  });

  test("a watch that is closed while it is waited for gives up the wait", async (t) => {
    const engine = await open(t);
    const watcher = await openWatch(engine, watch(ALL));
    const next = watcher.next();
    watcher.close();
    t.is(await next, undefined);
  });

  test("a watch that is closed counts no more", async (t) => {
    const engine = await open(t);
    const watchers = [await openWatch(engine, watch(ALL)), await openWatch(engine, watch("a"))];
    t.is((await engine.status()).watchers, 2);
    for (const watcher of watchers) watcher.close();
    await until("both are gone", async () => (await engine.status()).watchers === 0);
    t.pass();
  });

  test("a watch of another store ends after created, and is told which store this is", async (t) => {
    const engine = await open(t);
    const watcher = engine.watch(watch(ALL, { storeId: "another", startRevision: 7 }));
    const created = await takeOne(watcher, "created");
    t.is(created.storeId, engine.storeId);
    const error = await refused(t, "STORE_CHANGED", watcher.next());
    t.is(error.details.storeId, engine.storeId);
    await refused(t, "STORE_CHANGED", watcher.next());
  });

  test("a watch of another store is refused also when it wants the present or the future", async (t) => {
    const engine = await open(t);
    for (const options of [{}, { includeCurrent: true }, { startRevision: 1 }]) {
      const watcher = await openWatch(engine, watch(ALL, { ...options, storeId: "another" }));
      await refused(t, "STORE_CHANGED", watcher.next());
    }
  });

  test("a watch that names this store goes on", async (t) => {
    const engine = await open(t);
    const watcher = await openWatch(engine, watch(ALL, { storeId: engine.storeId }));
    await engine.put(put("a"));
    t.deepEqual((await takeEvents(watcher, 1)).map(shown), ["put a@2"]);
    watcher.close();
  });

  test("there are as many watches as there may be; one that ends makes room", async (t) => {
    const engine = await open(t, { limits: { watchersMax: 2 } });
    const watchers = [await openWatch(engine, watch(ALL)), await openWatch(engine, watch("a"))];
    await refused(t, "TOO_MANY_WATCHERS", async () => engine.watch(watch("b")).next());
    watchers[0]?.close();
    await until("there is room", async () => (await engine.status()).watchers < 2);
    (await openWatch(engine, watch("b"))).close();
    watchers[1]?.close();
  });

  test("watches that are ended say SHUTTING_DOWN and where to go on, each time", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const now = await openWatch(engine, watch(ALL));
    const future = await openWatch(engine, watch(ALL, { startRevision: 9 }));
    await engine.put(put("b"));
    t.is((await takeEvents(now, 1)).length, 1);
    engine.endWatches();
    for (const [watcher, resumeRevision] of [
      [now, 4],
      [future, 9],
    ] as const) {
      const error = await refused(t, "SHUTTING_DOWN", watcher.next());
      t.is(error.details.resumeRevision, resumeRevision);
      await refused(t, "SHUTTING_DOWN", watcher.next());
      watcher.close();
      t.is(await watcher.next(), undefined);
    }
  });

  test("a watch that is waited for is ended too", async (t) => {
    const engine = await open(t);
    const watcher = await openWatch(engine, watch(ALL));
    const next = refused(t, "SHUTTING_DOWN", watcher.next());
    engine.endWatches();
    t.is((await next).details.resumeRevision, 2);
  });

  test("what is not taken when watches are ended is where to go on", async (t) => {
    const engine = await open(t);
    const watcher = await openWatch(engine, watch(ALL));
    for (let count = 0; count < VALUES; count += 1) await engine.put(put("a", VALUE));
    engine.endWatches();
    const { error, events } = await endOf(watcher);
    t.is(error.details.resumeRevision, 2 + events);
    t.true(events < VALUES, "the rest was not given");
  });

  test("a watch whose present entries are not complete is not told where to go on", async (t) => {
    const engine = await open(t);
    for (let count = 0; count < VALUES; count += 1) await engine.put(put(`key${count}`, VALUE));
    const watcher = await openWatch(engine, watch(ALL, { includeCurrent: true }));
    engine.endWatches();
    const error = await refused(t, "SHUTTING_DOWN", async () => {
      for (;;) await takeOne(watcher, "current");
    });
    t.is(error.details.resumeRevision, undefined);
  });

  test("once watches are ended new ones are refused and all else goes on", async (t) => {
    const engine = await open(t);
    engine.endWatches();
    engine.endWatches();
    await refused(t, "SHUTTING_DOWN", async () => engine.watch(watch(ALL)).next());
    t.is((await engine.put(put("a"))).revision, 2);
  });

  onlyIf(open.traits.pulledOneByOne, test)(
    "present entries of which some went while they were read are never said to be complete",
    async (t) => {
      const engine = await open(t, { limits: { storeMaxBytes: 9_000_000, historyMaxBytes: 0 } });
      await engine.put(put("z", "old"));
      for (let index = 0; index < 5000; index += 1) await engine.put(put(`a${index}`));
      await engine.delete(del(prefix("a")));
      const watcher = await openWatch(engine, watch(ALL, { includeCurrent: true }));
      const given: string[] = [];
      const pull = watcher.next();
      // While its slices run, history that it needs has to go.
      for (let index = 0; index < 30; index += 1) {
        await engine.put(put("z", Buffer.alloc(1_000_000)));
      }
      const error = await refused(t, "REVISION_COMPACTED", async () => {
        for (let message = await pull; ; message = await watcher.next()) {
          given.push(message?.kind ?? "closed");
        }
      });
      t.false(given.includes("synced"), given.join());
      t.is(error.details.resumeRevision, undefined);
    },
  );

  test("a watch that takes nothing for too long while data waits is ended, and told where to go on", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const watcher = await openWatch(engine, watch(ALL));
    for (let count = 0; count < VALUES; count += 1) await engine.put(put("a", VALUE));
    await clock.settle(50);
    await clock.advanceAndSettle(NOTICED_MS);
    const { error, events } = await endOf(watcher);
    t.is(error.reason, "WATCHER_TOO_SLOW");
    const { resumeRevision } = error.details;
    t.is(resumeRevision, open.traits.endsWatchesAlone ? 2 + events : undefined);
    t.true(events < VALUES);
    await until("it is freed", async () => {
      watcher.close();
      return (await engine.status()).watchers === 0;
    });
  });

  test("a watch that takes something from time to time is not ended", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const watcher = await openWatch(engine, watch(ALL, { maxBytes: VALUE.length + 1000 }));
    for (let count = 0; count < VALUES; count += 1) await engine.put(put("a", VALUE));
    let taken = 0;
    while (taken < VALUES) {
      const messages = await takeMessages(watcher, Math.min(40, VALUES - taken));
      for (const { events } of messages) taken += events.length;
      await clock.settle(50);
      await clock.advanceAndSettle(IDLE_MAX_MS / 2);
    }
    await engine.put(put("last"));
    t.deepEqual((await takeEvents(watcher, 1)).map(shown), [`put last@${VALUES + 2}`]);
    watcher.close();
  });

  test("a watch that has nothing to take is not ended, however long it waits", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const waiting = await openWatch(engine, watch("a"));
    const quiet = await openWatch(engine, watch("a"));
    await engine.put(put("a"));
    for (const watcher of [waiting, quiet]) await takeEvents(watcher, 1);
    const next = takeEvents(waiting, 1);
    await engine.put(put("other"));
    for (let round = 0; round < 20; round += 1) await clock.advanceAndSettle(IDLE_MAX_MS);
    await engine.put(put("a"));
    t.deepEqual((await next).map(shown), ["put a@4"]);
    t.deepEqual((await takeEvents(quiet, 1)).map(shown), ["put a@4"]);
    for (const watcher of [waiting, quiet]) watcher.close();
  });

  onlyIf(open.traits.tellsWatchState, test)(
    "that a watch has ended is told also while nobody takes anything",
    async (t) => {
      const clock = new ManualClock();
      const engine = await open(t, { clock, limits: { watcherIdleMaxMs: 1000 } });
      const ended = await openWatch(engine, watch(ALL));
      const closed = await openWatch(engine, watch(ALL));
      await engine.put(put("a"));
      await clock.advanceAndSettle(1200);
      await ended.ended;
      closed.close();
      await closed.ended;
      await refused(t, "WATCHER_TOO_SLOW", ended.next());
    },
  );

  onlyIf(open.traits.tellsWatchState, test)(
    "a watch is synced once all up to the newest revision is taken",
    async (t) => {
      const engine = await open(t);
      await engine.put(put("a"));
      const watcher = engine.watch(watch("a", { startRevision: 2 }));
      t.false(watcher.synced);
      await takeOne(watcher, "created");
      t.false(watcher.synced);
      await takeEvents(watcher, 1);
      t.true(watcher.synced);
      await engine.put(put("other"));
      t.true(watcher.synced, "there is nothing for it");
      await engine.put(put("a"));
      t.false(watcher.synced);
      await takeEvents(watcher, 1);
      t.true(watcher.synced);
      watcher.close();
    },
  );
}
