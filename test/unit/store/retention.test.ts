// That memory is given back as fast as it is written, and is not kept by what was given out.

import test from "ava";
import { defaultLimits } from "../../../server/kv/limits.js";
import { NO_LEASE } from "../../../server/kv/types.js";
import { MemoryBackend } from "../../../server/store/backend.js";
import { Replay } from "../../../server/store/replay.js";
import { Store } from "../../../server/store/store.js";
import * as command from "../../support/commands.js";
import { newRow } from "../../support/rows.js";

const MIB = 1024 * 1024;
const NOW = { wallMs: 1, monotonicMs: 0 };

function newStore(sizes: Partial<ReturnType<typeof defaultLimits>>): Store {
  const options = { storeId: "0".repeat(32), randomLeaseId: () => 1n, hashSeed: [1, 2] as const };
  const limits = defaultLimits(sizes);
  return new Store({ ...options, limits, backend: new MemoryBackend() });
}

for (const [puts, bytes] of [
  [10_000, 10],
  [3000, 1000],
  [50, 100_000],
] as const) {
  test(`memory is bounded when each turn brings ${puts} puts of ${bytes} bytes`, (t) => {
    const historyMaxBytes = 4 * MIB;
    const store = newStore({ storeMaxBytes: 256 * MIB, historyMaxBytes });
    const value = Buffer.alloc(bytes);
    for (let turn = 0; turn < 40; turn += 1) {
      for (let at = 0; at < puts; at += 1) {
        // One in ten stays: what is left in its segment has to be moved.
        const key = at % 10 === 0 ? `kept ${turn} ${at}` : `changes ${at}`;
        store.put(command.put(key, value), NOW);
      }
      store.maintain(NOW, 100);
    }
    // What a step does not catch up with is up to four times what a turn brings.
    const turnBytes = 4 * puts * (bytes + 100);
    const { liveBytes, historyBytes, rows } = store.keys;
    t.true(historyBytes <= historyMaxBytes + turnBytes, `${historyBytes} bytes of history`);
    const bound = 2 * (liveBytes + historyBytes) + turnBytes + 8 * MIB;
    t.true(rows.usedBytes <= bound, `${rows.usedBytes} bytes of rows, above ${bound}`);
  });
}

test("after a large commit compaction goes on in steps, each with a part of it", (t) => {
  const store = newStore({ storeMaxBytes: 256 * MIB, historyMaxBytes: 1 });
  for (let at = 0; at < 20_000; at += 1) store.put(command.put(`k${at}`), NOW);
  while (!store.maintain(NOW, 1_000_000));
  store.delete(command.del(command.ALL), NOW);
  store.put(command.put("last"), NOW);
  const walked: number[] = [];
  let before = store.counters.changesCompacted;
  for (let done = false; !done; ) {
    done = store.maintain(NOW, 100);
    walked.push(store.counters.changesCompacted - before);
    before = store.counters.changesCompacted;
  }
  t.true(Math.max(...walked) <= 20_000 / 3, `${walked}`);
  t.is(store.keys.size, 1);
});

test("deleting page by page does not look at what the pages before have deleted", (t) => {
  const store = newStore({ storeMaxBytes: 256 * MIB, historyMaxBytes: 64 * MIB });
  const keys = 20_000;
  for (let at = 0; at < keys; at += 1) store.put(command.put(`k${at}`), NOW);
  const before = store.counters.entriesVisited;
  const page = command.del(command.ALL, { limit: 500 });
  for (let more = true; more; ) more = store.delete(page, NOW).more;
  // Each leaf once with keys, once without any, and of those where a page ends a part again.
  const visits = store.counters.entriesVisited - before;
  t.true(visits <= 4 * keys, `${visits} visits`);
  store.put(command.put("k7"), NOW);
  t.is(store.delete(page, NOW).deleted, 1);
  store.keys.check();
});

test("a step of maintenance moves rows of a bounded length", (t) => {
  const store = newStore({ storeMaxBytes: 256 * MIB, historyMaxBytes: 0 });
  const value = Buffer.alloc(MIB);
  for (let at = 0; at < 32; at += 1) {
    store.put(command.put(`kept${at}`, value), NOW);
    store.put(command.put("changes", value), NOW);
    store.put(command.put("changes", value), NOW);
  }
  while (!store.maintain(NOW, 1_000_000));
  store.compact({ revision: store.revision }, NOW);
  let steps = 0;
  while (!store.maintain(NOW, 2000)) steps += 1;
  t.true(steps >= 10, `${steps} steps`);
});

test("an event that waits to be taken keeps no segment of rows", (t) => {
  const store = newStore({});
  const watch = store.watch(command.watch("k", { previous: true }), () => 0);
  while (store.hub.pull(watch) !== "wait");
  store.put(command.put("k", "1"), NOW);
  store.put(command.put("k", "2"), NOW);
  const message = store.hub.pull(watch);
  const events = typeof message === "string" || message.kind !== "events" ? [] : message.events;
  t.is(events.length, 2);
  for (const event of events) {
    const entries = [event.type === "put" ? event.entry : undefined, event.previous];
    for (const entry of entries) {
      if (entry !== undefined) t.true(entry.key.buffer.byteLength < 100);
      if (entry !== undefined) t.true(entry.value.buffer.byteLength < 100);
    }
  }
});

test("memory is let go while a log is replayed", (t) => {
  const store = newStore({ storeMaxBytes: 256 * MIB, historyMaxBytes: 0 });
  const replay = new Replay(store, 0);
  const value = Buffer.alloc(20_000);
  for (let revision = 2; revision < 8000; revision += 1) {
    const place = { revision, place: 0, createRevision: 2, version: revision - 1 };
    const version = { ...place, value, leaseId: NO_LEASE, deleted: undefined };
    const row = newRow({ key: Buffer.from("k"), version });
    const changes = { length: 1, next: () => row };
    const nothing = { runningMs: 0, timeMs: 0, granted: [], renewed: [], ended: [] };
    const compactRevision = revision % 100 === 0 ? revision - 1 : undefined;
    replay.apply({ ...nothing, revision, changes, compactRevision });
  }
  t.true(store.keys.rows.usedBytes <= 48 * MIB, `${store.keys.rows.usedBytes}`);
});
