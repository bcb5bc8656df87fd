// Watches: what they give, in which order, and what selects it.

import type { TestFn } from "ava";
import type { Engine, Watcher } from "../../../server/kv/engine.js";
import type { Selector } from "../../../server/kv/selector.js";
import {
  ALL,
  del,
  fromHex,
  interval,
  keysOf,
  op,
  plain,
  prefix,
  put,
  TXN_OPTIONS,
  text,
  toHex,
  txn,
  watch,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { ManualClock } from "../../support/manual-clock.js";
import { onlyIf } from "../../support/only-if.js";
import { openWatch, shown, takeEvents, takeOne } from "../../support/take.js";

/** What comes next, as `put a@2` each, until the put of this key, which is written now. */
async function eventsUntil(engine: Engine, watcher: Watcher, last: string): Promise<string[]> {
  await engine.put(put(last));
  const events: string[] = [];
  for (;;) {
    const message = await takeOne(watcher, "events");
    events.push(...message.events.map(shown));
    if (events.at(-1)?.startsWith(`put ${last}@`)) return events.slice(0, -1);
  }
}

async function currentOf(watcher: Watcher) {
  const pages = [];
  for (;;) {
    const message = await watcher.next();
    if (message?.kind === "synced") return { pages, synced: message.revision };
    if (message?.kind !== "current") throw new Error(`${message?.kind} among present entries`);
    pages.push(message);
  }
}

const SELECTORS: readonly (readonly [what: string, Selector, readonly string[]])[] = [
  ["one key", { kind: "key", key: fromHex("6162") }, ["6162"]],
  ["a prefix", prefix("ab"), ["6162", "616200", "6162ff"]],
  ["a prefix of 0xff", prefix(fromHex("ff")), ["ff", "ffff"]],
  ["an interval", interval("ab", fromHex("6162ff")), ["6162", "616200"]],
  ["an interval without an end", interval("ac", undefined), ["6163", "ff", "ffff"]],
  ["an interval without a start", interval(undefined, "ab"), ["00", "61"]],
];

const KEYS = ["00", "61", "6162", "616200", "6162ff", "6163", "ff", "ffff"];

export function watchSuite(test: TestFn, open: OpenEngine): void {
  test("created comes first, with the current revision and the store's name", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const watcher = engine.watch(watch(ALL));
    const created = await takeOne(watcher, "created");
    t.deepEqual(created, { kind: "created", revision: 2, storeId: engine.storeId });
    watcher.close();
  });

  test("a watch from now gives what comes after created, and nothing before", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    await engine.delete(del("a"));
    const watcher = await openWatch(engine, watch(ALL));
    await engine.put(put("b"));
    t.deepEqual((await takeEvents(watcher, 1)).map(shown), ["put b@4"]);
    watcher.close();
  });

  test("a put tells its whole entry and its revision", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    const watcher = await openWatch(engine, watch("a"));
    await engine.put(put("a", "2"));
    const [event] = await takeEvents(watcher, 1);
    t.deepEqual(event?.type === "put" && plain(event.entry), {
      key: "a",
      value: "2",
      createRevision: 2,
      modRevision: 3,
      version: 2,
      leaseId: 0n,
    });
    t.deepEqual([event?.revision, event?.previous], [3, undefined]);
    watcher.close();
  });

  test("a delete tells its key, its revision and that somebody deleted it", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    const watcher = await openWatch(engine, watch("a"));
    await engine.delete(del("a"));
    const [event] = await takeEvents(watcher, 1);
    t.deepEqual(event?.type === "delete" && [text(event.key), event.reason, event.revision], [
      "a",
      "deleted",
      3,
    ]);
    watcher.close();
  });

  for (const [what, selector, expected] of SELECTORS) {
    test(`a watch of ${what} gives the changes of exactly those keys`, async (t) => {
      const engine = await open(t);
      const live = await openWatch(engine, watch(selector));
      for (const key of KEYS) await engine.put(put(fromHex(key)));
      const { revision } = await engine.delete(del(ALL));
      const history = await openWatch(engine, watch(selector, { startRevision: 2 }));
      for (const watcher of [live, history]) {
        const events = await takeEvents(watcher, 2 * expected.length);
        const keys = events.map((event) =>
          toHex(event.type === "put" ? event.entry.key : event.key),
        );
        t.deepEqual(keys, [...expected, ...expected]);
        t.true(events.slice(expected.length).every((event) => event.revision === revision));
        watcher.close();
      }
    });
  }

  test("a watch of an empty interval gives nothing, and no error", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const spec = watch(interval("b", "a"), { progressIntervalMs: 1000 });
    const watcher = await openWatch(engine, spec);
    for (const key of ["a", "aa", "b"]) await engine.put(put(key));
    const next = takeOne(watcher, "progress");
    await clock.settle();
    await clock.advanceAndSettle(2000);
    t.is((await next).revision, 4);
    watcher.close();
  });

  test("all changes of a revision come in one message, in the order in which they were made", async (t) => {
    const engine = await open(t);
    await engine.put(put("x"));
    const watcher = await openWatch(engine, watch(ALL));
    await engine.txn(
      txn({ success: [op.put(put("b")), op.delete(del("x")), op.put(put("a"))] }),
      TXN_OPTIONS,
    );
    const { events, revision, fragment } = await takeOne(watcher, "events");
    t.deepEqual(events.map(shown), ["put b@3", "delete x@3", "put a@3"]);
    t.deepEqual([revision, fragment], [3, false]);
    watcher.close();
  });

  test("the revision of a message is that of its last event", async (t) => {
    const engine = await open(t);
    for (const key of ["a", "b", "a", "c"]) await engine.put(put(key));
    const watcher = await openWatch(engine, watch("a", { startRevision: 1 }));
    let last = 0;
    for (let taken = 0; taken < 2; ) {
      const message = await takeOne(watcher, "events");
      taken += message.events.length;
      t.is(message.revision, message.events.at(-1)?.revision ?? 0);
      last = message.revision;
    }
    t.is(last, 4, "a is put at 2 and at 4");
    watcher.close();
  });

  test("a watch of part of a txn gives that part alone", async (t) => {
    const engine = await open(t);
    const watcher = await openWatch(engine, watch(prefix("b")));
    await engine.txn(
      txn({ success: ["a", "b1", "c", "b2"].map((key) => op.put(put(key))) }),
      TXN_OPTIONS,
    );
    t.deepEqual((await takeEvents(watcher, 2)).map(shown), ["put b1@2", "put b2@2"]);
    watcher.close();
  });

  test("events carry the entry before when they are asked for it and there was one", async (t) => {
    const engine = await open(t);
    const watcher = await openWatch(engine, watch("a", { previous: true }));
    await engine.put(put("a", "1"));
    await engine.put(put("a", "2"));
    await engine.delete(del("a"));
    await engine.put(put("a", "3"));
    const events = await takeEvents(watcher, 4);
    t.deepEqual(
      events.map(({ previous }) => previous && [text(previous.value), previous.modRevision]),
      [undefined, ["1", 2], ["2", 3], undefined],
    );
    watcher.close();
  });

  test("the entry before is the one that the event replaced, also when it is read late", async (t) => {
    const engine = await open(t);
    for (const value of ["1", "2", "3", "4"]) await engine.put(put("a", value));
    const watcher = await openWatch(engine, watch("a", { startRevision: 3, previous: true }));
    const events = await takeEvents(watcher, 3);
    t.deepEqual(
      events.map(({ previous }) => previous && text(previous.value)),
      ["1", "2", "3"],
    );
    watcher.close();
  });

  test("at the compact revision nothing is told of the entry before", async (t) => {
    const engine = await open(t);
    for (const value of ["1", "2", "3", "4"]) await engine.put(put("a", value));
    await engine.compact({ revision: 4 });
    const watcher = await openWatch(engine, watch("a", { startRevision: 4, previous: true }));
    const events = await takeEvents(watcher, 2);
    t.deepEqual(
      events.map(({ previous }) => previous && text(previous.value)),
      [undefined, "3"],
    );
    watcher.close();
  });

  for (const [what, options, expected] of [
    ["puts", { excludePuts: true }, ["delete a@3", "delete a@5"]],
    ["deletes", { excludeDeletes: true }, ["put a@2", "put a@4"]],
  ] as const) {
    test(`a watch without ${what} leaves them out, live and from history`, async (t) => {
      const engine = await open(t);
      const live = await openWatch(engine, watch("a", options));
      for (let round = 0; round < 2; round += 1) {
        await engine.put(put("a"));
        await engine.delete(del("a"));
      }
      const history = await openWatch(engine, watch("a", { ...options, startRevision: 2 }));
      for (const watcher of [live, history]) {
        t.deepEqual((await takeEvents(watcher, 2)).map(shown), [...expected]);
        watcher.close();
      }
    });
  }

  test("present entries come first, then synced, then what comes after them", async (t) => {
    const engine = await open(t);
    for (const key of ["b1", "a", "b2", "c"]) await engine.put(put(key, key));
    const watcher = await openWatch(engine, watch(prefix("b"), { includeCurrent: true }));
    await engine.put(put("b1", "changed"));
    const { pages, synced } = await currentOf(watcher);
    t.deepEqual(
      pages.flatMap(({ entries }) => keysOf(entries)),
      ["b1", "b2"],
    );
    t.true(pages.every(({ revision }) => revision === 5));
    t.is(synced, 5);
    t.deepEqual((await takeEvents(watcher, 1)).map(shown), ["put b1@6"]);
    watcher.close();
  });

  test("where nothing is present synced comes at once", async (t) => {
    const engine = await open(t);
    const watcher = await openWatch(engine, watch(ALL, { includeCurrent: true }));
    t.deepEqual(await currentOf(watcher), { pages: [], synced: 1 });
    await engine.put(put("a"));
    t.deepEqual((await takeEvents(watcher, 1)).map(shown), ["put a@2"]);
    watcher.close();
  });

  test("present entries come in pages that fit a message, each entry once, in key order", async (t) => {
    const responseMaxBytes = 32 * 1024;
    const engine = await open(t, { limits: { responseMaxBytes } });
    const keys = Array.from({ length: 40 }, (_, index) => `key${10 + index}`);
    for (const key of keys) await engine.put(put(key, new Uint8Array(4096)));
    const spec = watch(ALL, { includeCurrent: true, maxBytes: responseMaxBytes });
    const { pages } = await currentOf(await openWatch(engine, spec));
    t.true(pages.length >= 5);
    t.deepEqual(
      pages.flatMap(({ entries }) => keysOf(entries)),
      keys,
    );
  });

  test("present entries and what follows them add up to the store, whatever is written meanwhile", async (t) => {
    const responseMaxBytes = 32 * 1024;
    const engine = await open(t, { limits: { responseMaxBytes } });
    for (let index = 0; index < 100; index += 1) {
      await engine.put(put(`key${100 + index}`, new Uint8Array(2048)));
    }
    const spec = watch(ALL, { includeCurrent: true, maxBytes: responseMaxBytes });
    const watcher = await openWatch(engine, spec);
    const state = new Map<string, number>();
    const take = async (): Promise<"synced" | "events" | "current"> => {
      const message = await watcher.next();
      if (message?.kind === "current") {
        for (const entry of message.entries) state.set(text(entry.key), entry.modRevision);
      } else if (message?.kind === "events") {
        for (const event of message.events) {
          if (event.type === "put") state.set(text(event.entry.key), event.revision);
          else state.delete(text(event.key));
        }
      } else if (message?.kind !== "synced") throw new Error(`${message?.kind} came`);
      return message.kind;
    };
    await take();
    for (let index = 0; index < 100; index += 7) {
      await engine.delete(del(`key${100 + index}`));
      await engine.put(put(`key${200 - index}`, "new"));
    }
    const { revision } = await engine.put(put("last"));
    while (state.get("last") !== revision) await take();
    const { entries } = await engine.range({
      ...watch(ALL),
      revision,
      order: "ascending",
      limit: 0,
      keysOnly: true,
      count: "no",
      delimiter: new Uint8Array(0),
      resume: undefined,
      maxBytes: 4_000_000,
    });
    t.deepEqual(
      [...state].sort(([left], [right]) => (left < right ? -1 : 1)),
      entries.map((entry) => [text(entry.key), entry.modRevision]),
    );
    watcher.close();
  });

  test("a quiet watch tells its progress at its interval, up to revisions it has nothing of", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const watcher = await openWatch(engine, watch("quiet", { progressIntervalMs: 1000 }));
    for (const expected of [4, 7]) {
      for (const key of ["a", "b", "c"]) await engine.put(put(key));
      const next = takeOne(watcher, "progress");
      await clock.settle();
      await clock.advanceAndSettle(2000);
      t.is((await next).revision, expected);
    }
    watcher.close();
  });

  test("a watch that gives events within its interval tells no progress", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const watcher = await openWatch(engine, watch(ALL, { progressIntervalMs: 1000 }));
    for (let round = 0; round < 5; round += 1) {
      await engine.put(put("a"));
      t.is((await takeEvents(watcher, 1)).length, 1);
      await clock.advanceAndSettle(1000);
    }
    watcher.close();
  });

  test("without an interval a quiet watch tells nothing", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const watcher = await openWatch(engine, watch("a"));
    const next = takeEvents(watcher, 1);
    await engine.put(put("other"));
    await clock.advanceAndSettle(3_600_000);
    await engine.put(put("a"));
    t.deepEqual((await next).map(shown), ["put a@3"]);
    watcher.close();
  });

  onlyIf(open.traits.progressOnRequest, test)(
    "progress comes when it is asked for, once for a request",
    async (t) => {
      const engine = await open(t);
      const watcher = await openWatch(engine, watch("a"));
      await engine.put(put("other"));
      watcher.requestProgress();
      t.is((await takeOne(watcher, "progress")).revision, 2);
      t.deepEqual(await eventsUntil(engine, watcher, "a"), []);
      watcher.requestProgress();
      t.is((await takeOne(watcher, "progress")).revision, 3);
      watcher.close();
    },
  );

  test("a watch from a revision of the future gives nothing before it", async (t) => {
    const engine = await open(t);
    const watcher = await openWatch(engine, watch(ALL, { startRevision: 5 }));
    for (const key of ["a", "b", "c", "d", "e"]) await engine.put(put(key));
    t.deepEqual((await takeEvents(watcher, 2)).map(shown), ["put d@5", "put e@6"]);
    watcher.close();
  });

  test("a watch from the next revision is a watch from now", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const watcher = await openWatch(engine, watch(ALL, { startRevision: 3 }));
    await engine.put(put("b"));
    t.deepEqual((await takeEvents(watcher, 1)).map(shown), ["put b@3"]);
    watcher.close();
  });

  test("watches of the same keys all see the same", async (t) => {
    const engine = await open(t);
    const watchers = [];
    for (let count = 0; count < 20; count += 1) watchers.push(await openWatch(engine, watch("a")));
    await engine.put(put("a"));
    await engine.delete(del("a"));
    for (const watcher of watchers) {
      t.deepEqual((await takeEvents(watcher, 2)).map(shown), ["put a@2", "delete a@3"]);
      watcher.close();
    }
  });
}
