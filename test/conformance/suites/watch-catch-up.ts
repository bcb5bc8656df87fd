// Watches that are behind: from history, through bounded queues, in fragments.

import type { TestFn } from "ava";
import type { Engine, Watcher } from "../../../server/kv/engine.js";
import {
  ALL,
  batch,
  del,
  op,
  prefix,
  put,
  TXN_OPTIONS,
  text,
  txn,
  watch,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { ManualClock } from "../../support/manual-clock.js";
import { onlyIf } from "../../support/only-if.js";
import { refused } from "../../support/refused.js";
import {
  counterOf,
  openWatch,
  shown,
  takeEvents,
  takeMessages,
  takeOne,
} from "../../support/take.js";

const KIB = 1024;

/** Revisions from `first` on, each once and in order, up to `last`. */
async function revisionsTo(watcher: Watcher, last: number): Promise<number[]> {
  const revisions: number[] = [];
  while (revisions.at(-1) !== last) {
    const { events } = await takeOne(watcher, "events");
    revisions.push(...events.map(({ revision }) => revision));
  }
  return revisions;
}

const from = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

async function writeMany(engine: Engine, count: number, value: Uint8Array): Promise<number> {
  let revision = 0;
  for (let index = 0; index < count; index += 1) {
    revision = (await engine.put(put(`key${index % 10}`, value))).revision;
  }
  return revision;
}

export function watchCatchUpSuite(test: TestFn, open: OpenEngine): void {
  for (const startRevision of [1, 2, 5, 11]) {
    test(`a watch from revision ${startRevision} gives all from it on, then goes on live`, async (t) => {
      const engine = await open(t);
      for (let index = 0; index < 10; index += 1) await engine.put(put(`key${index}`));
      const watcher = await openWatch(engine, watch(ALL, { startRevision }));
      for (let index = 0; index < 10; index += 1) await engine.put(put(`key${index}`));
      t.deepEqual(await revisionsTo(watcher, 21), from(Math.max(2, startRevision), 21));
      watcher.close();
    });
  }

  test("between history and live nothing is missing and nothing comes twice", async (t) => {
    const engine = await open(t);
    const operations = Array.from({ length: 5000 }, (_, index) => op.put(put(`key${index}`)));
    await engine.batch(batch(operations));
    const watcher = await openWatch(engine, watch(ALL, { startRevision: 2 }));
    const writing = (async () => {
      let revision = 0;
      for (let index = 0; index < 300; index += 1) {
        revision = (await engine.put(put(`live${index}`))).revision;
      }
      return revision;
    })();
    t.deepEqual(await revisionsTo(watcher, 5301), from(2, 5301));
    t.is(await writing, 5301);
    watcher.close();
  });

  test("history tells the same events as a live watch did", async (t) => {
    const engine = await open(t);
    const live = await openWatch(engine, watch(ALL, { previous: true }));
    for (let round = 0; round < 30; round += 1) {
      await engine.put(put(`key${round % 4}`, `${round}`));
      if (round % 3 === 0) await engine.delete(del(prefix("key1")));
      if (round % 5 === 0) {
        const success = [op.put(put("x", `${round}`)), op.delete(del("key2")), op.put(put("y"))];
        await engine.txn(txn({ success }), TXN_OPTIONS);
      }
    }
    const { revision } = await engine.put(put("last"));
    const late = await openWatch(engine, watch(ALL, { previous: true, startRevision: 2 }));
    const all = async (watcher: Watcher) => {
      const events = [];
      while (events.at(-1)?.revision !== revision) {
        events.push(...(await takeOne(watcher, "events")).events);
      }
      return events.map((event) => [
        shown(event),
        event.type === "put" ? text(event.entry.value) : event.reason,
        event.previous?.modRevision,
        event.commitTimeMs,
      ]);
    };
    t.deepEqual(await all(late), await all(live));
    for (const watcher of [live, late]) watcher.close();
  });

  test("a watch can go on from any revision at which another stopped", async (t) => {
    const engine = await open(t);
    for (let index = 0; index < 20; index += 1) await engine.put(put(`key${index}`));
    for (const stop of [2, 7, 20]) {
      const watcher = await openWatch(engine, watch(ALL, { startRevision: stop + 1 }));
      t.deepEqual(await revisionsTo(watcher, 21), from(stop + 1, 21));
      watcher.close();
    }
  });

  test("a revision that fits a message is never split", async (t) => {
    const engine = await open(t, { limits: { responseMaxBytes: 64 * KIB } });
    const value = new Uint8Array(4 * KIB);
    for (let round = 0; round < 10; round += 1) {
      const success = Array.from({ length: 7 }, (_, index) => op.put(put(`key${index}`, value)));
      await engine.txn(txn({ success }), TXN_OPTIONS);
    }
    const spec = watch(ALL, { startRevision: 2, maxBytes: 64 * KIB });
    const messages = await takeMessages(await openWatch(engine, spec), 70);
    for (const { events, fragment } of messages) {
      t.false(fragment);
      t.is(events.length % 7, 0);
    }
  });

  test("a revision larger than a message comes in fragments, each but the last marked", async (t) => {
    const engine = await open(t, { limits: { responseMaxBytes: 64 * KIB } });
    const spec = watch(ALL, { maxBytes: 64 * KIB });
    const live = await openWatch(engine, spec);
    await engine.put(put("before"));
    const value = new Uint8Array(8 * KIB);
    const success = Array.from({ length: 30 }, (_, index) =>
      op.put(put(`key${10 + index}`, value)),
    );
    await engine.txn(txn({ success }), TXN_OPTIONS);
    await engine.put(put("after"));
    const late = await openWatch(engine, { ...spec, startRevision: 2 });
    for (const watcher of [live, late]) {
      const messages = await takeMessages(watcher, 32);
      const marked = messages.filter(({ fragment }) => fragment);
      t.true(marked.length >= 3);
      t.true(marked.every(({ revision }) => revision === 3));
      t.false(messages.at(-1)?.fragment);
      t.deepEqual(
        messages.flatMap(({ events }) => events.map(shown)),
        [
          "put before@2",
          ...Array.from({ length: 30 }, (_, index) => `put key${10 + index}@3`),
          "put after@4",
        ],
      );
      for (const [index, { fragment, revision }] of messages.entries()) {
        if (fragment) t.is(messages[index + 1]?.events[0]?.revision, revision);
      }
      watcher.close();
    }
  });

  test("fragments leave out what the watch does not select, and are marked all the same", async (t) => {
    const engine = await open(t, { limits: { responseMaxBytes: 64 * KIB } });
    const value = new Uint8Array(8 * KIB);
    const keys = Array.from({ length: 40 }, (_, index) => `${index % 2 === 0 ? "a" : "b"}${index}`);
    await engine.txn(txn({ success: keys.map((key) => op.put(put(key, value))) }), TXN_OPTIONS);
    const spec = watch(prefix("a"), { startRevision: 2, maxBytes: 64 * KIB });
    const messages = await takeMessages(await openWatch(engine, spec), 20);
    const events = messages.flatMap((message) => message.events.map(shown));
    t.deepEqual(
      events,
      keys.filter((key) => key.startsWith("a")).map((key) => `put ${key}@2`),
    );
    t.deepEqual(
      messages.map(({ fragment }) => fragment),
      messages.map((_, index) => index < messages.length - 1),
    );
  });

  test("a revision larger than any queue comes whole", async (t) => {
    const limits = { watcherQueueMaxBytes: 16 * KIB, responseMaxBytes: 64 * KIB };
    const engine = await open(t, { limits });
    const watcher = await openWatch(engine, watch(ALL, { maxBytes: 64 * KIB }));
    const value = new Uint8Array(8 * KIB);
    const success = Array.from({ length: 100 }, (_, index) => op.put(put(`key${index}`, value)));
    await engine.txn(txn({ success }), TXN_OPTIONS);
    t.true((await counterOf(engine, "queued_bytes")) <= 16 * KIB);
    const events = await takeEvents(watcher, 100);
    t.deepEqual(
      events.map(shown),
      success.map((_, index) => `put key${index}@2`),
    );
    watcher.close();
  });

  test("an entry of the largest value comes with the one before it", async (t) => {
    const engine = await open(t);
    const value = new Uint8Array(1.5 * KIB * KIB).fill(7);
    const watcher = await openWatch(engine, watch("a", { previous: true }));
    await engine.put(put("a", value));
    await engine.put(put("a", value));
    const [, event] = await takeEvents(watcher, 2);
    t.is(event?.type === "put" && event.entry.value.length, value.length);
    t.is(event?.previous?.value.length, value.length);
    watcher.close();
  });

  test("what waits for a watch that does not keep up is bounded, and all of it comes later", async (t) => {
    const watcherQueueMaxBytes = 512 * KIB;
    const engine = await open(t, { limits: { watcherQueueMaxBytes } });
    const watchers = [
      await openWatch(engine, watch(ALL)),
      await openWatch(engine, watch(prefix("key"))),
    ];
    await engine.put(put("key"));
    for (const watcher of watchers) await takeEvents(watcher, 1);
    const last = await writeMany(engine, 250, new Uint8Array(64 * KIB));
    t.true((await counterOf(engine, "queued_bytes")) <= 2 * watcherQueueMaxBytes);
    t.true((await counterOf(engine, "watchers_unsynced")) >= 2);
    for (const watcher of watchers) {
      t.deepEqual(await revisionsTo(watcher, last), from(3, last));
      watcher.close();
    }
  });

  onlyIf(open.traits.pulledOneByOne, test)(
    "a queue is dropped only when it passes its bound",
    async (t) => {
      const engine = await open(t, { limits: { watcherQueueMaxBytes: 20 * KIB } });
      const watcher = await openWatch(engine, watch(ALL));
      await takeEvents(watcher, 0);
      const pulled = watcher.next();
      await writeMany(engine, 2, new Uint8Array(1000));
      await pulled;
      await writeMany(engine, 10, new Uint8Array(1000));
      t.is(await counterOf(engine, "watchers_unsynced"), 0);
      t.true((await counterOf(engine, "queued_bytes")) > 10 * 1000);
      await writeMany(engine, 20, new Uint8Array(1000));
      t.is(await counterOf(engine, "watchers_unsynced"), 1);
      t.is(await counterOf(engine, "queued_bytes"), 0);
      t.deepEqual((await revisionsTo(watcher, 33)).at(-1), 33);
      watcher.close();
    },
  );

  onlyIf(open.traits.pulledOneByOne, test)(
    "when all queues together pass their bound the largest goes first",
    async (t) => {
      const limits = { watcherQueueMaxBytes: 100 * KIB, watchQueuesMaxBytes: 30 * KIB };
      const engine = await open(t, { limits });
      const small = await openWatch(engine, watch("key0"));
      const large = await openWatch(engine, watch(ALL));
      for (const watcher of [small, large]) {
        watcher.requestProgress();
        await takeOne(watcher, "progress");
      }
      await writeMany(engine, 40, new Uint8Array(1000));
      t.is(await counterOf(engine, "watchers_unsynced"), 1);
      t.true((await counterOf(engine, "queued_bytes")) <= 30 * KIB);
      const queued = await counterOf(engine, "queued_bytes");
      await takeEvents(small, 4);
      t.is(await counterOf(engine, "queued_bytes"), 0);
      t.true(queued >= 4 * 1000, "the small queue was kept");
      t.deepEqual(await revisionsTo(large, 41), from(2, 41));
      for (const watcher of [small, large]) watcher.close();
    },
  );

  onlyIf(open.traits.pulledOneByOne, test)(
    "a watch behind a compaction goes on while what it reads is kept, and ends afterwards",
    async (t) => {
      const clock = new ManualClock();
      const limits = { watcherQueueMaxBytes: 4 * KIB };
      const engine = await open(t, { clock, limits });
      const spec = watch(ALL, { startRevision: 2, maxBytes: 4 * KIB });
      const watcher = await openWatch(engine, spec);
      const last = await writeMany(engine, 50, new Uint8Array(1000));
      const first = await takeOne(watcher, "events");
      await engine.compact({ revision: last });
      const second = await takeOne(watcher, "events");
      t.is(second.events[0]?.revision, first.revision + 1);
      await clock.advanceAndSettle(70_000);
      const error = await refused(t, "REVISION_COMPACTED", watcher.next());
      t.deepEqual([error.details.compactRevision, error.details.resumeRevision], [last, undefined]);
    },
  );

  onlyIf(open.traits.pulledOneByOne, test)(
    "a watch of which history went away says so rather than leaving a gap",
    async (t) => {
      const limits = { watcherQueueMaxBytes: 4 * KIB, historyMaxBytes: 40 * KIB };
      const engine = await open(t, { limits });
      const watcher = await openWatch(engine, watch(ALL));
      await writeMany(engine, 100, new Uint8Array(1000));
      const error = await refused(t, "REVISION_COMPACTED", async () => {
        for (;;) await takeOne(watcher, "events");
      });
      t.is(error.details.compactRevision, (await engine.status()).compactRevision);
    },
  );

  onlyIf(open.traits.pulledOneByOne, test)(
    "present entries that are read slowly over a compaction end when they are gone",
    async (t) => {
      const clock = new ManualClock();
      const engine = await open(t, { clock });
      await writeMany(engine, 10, new Uint8Array(1000));
      const spec = watch(ALL, { includeCurrent: true, maxBytes: 3000 });
      const watcher = await openWatch(engine, spec);
      await takeOne(watcher, "current");
      const last = await writeMany(engine, 10, new Uint8Array(1000));
      await engine.compact({ revision: last });
      await clock.advanceAndSettle(30_000);
      t.is((await takeOne(watcher, "current")).revision, 11, "kept for a while");
      await clock.advanceAndSettle(70_000);
      const error = await refused(t, "REVISION_COMPACTED", watcher.next());
      t.is(error.details.resumeRevision, undefined);
    },
  );

  test("a watch costs a commit nothing that it does not match", async (t) => {
    const engine = await open(t);
    for (let index = 0; index < 200; index += 1) await openWatch(engine, watch(`other${index}`));
    const watcher = await openWatch(engine, watch("a"));
    await engine.put(put("a"));
    t.deepEqual((await takeEvents(watcher, 1)).map(shown), ["put a@2"]);
    t.is(await counterOf(engine, "queued_bytes"), 0);
  });
}
