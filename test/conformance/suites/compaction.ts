// Compaction: what can still be read, what goes, and when the store compacts by itself.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
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
  text,
  toHex,
  txn,
  watch,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { ManualClock } from "../../support/manual-clock.js";
import { refused, refusedUnchanged } from "../../support/refused.js";
import { counterOf, openWatch, shown, takeEvents, until } from "../../support/take.js";

/** a = r2, r3, r5; b = r4; c put at 6 and deleted at 7; a = r8. */
async function writeHistory(engine: Engine): Promise<void> {
  await engine.put(put("a", "r2"));
  await engine.put(put("a", "r3"));
  await engine.put(put("b", "r4"));
  await engine.put(put("a", "r5"));
  await engine.put(put("c", "r6"));
  await engine.delete(del("c"));
  await engine.put(put("a", "r8"));
}

async function valuesAt(engine: Engine, revision: number): Promise<string> {
  const { entries } = await engine.range(range(ALL, { revision }));
  return entries.map((entry) => `${text(entry.key)}=${text(entry.value)}`).join(" ");
}

const STATES: readonly string[] = [
  "a=r2",
  "a=r3",
  "a=r3 b=r4",
  "a=r5 b=r4",
  "a=r5 b=r4 c=r6",
  "a=r5 b=r4",
  "a=r8 b=r4",
];

const stateAt = (revision: number) => STATES[revision - 2] ?? "";

export function compactionSuite(test: TestFn, open: OpenEngine): void {
  test("a compaction makes no revision, and answers both marks", async (t) => {
    const engine = await open(t);
    await writeHistory(engine);
    t.deepEqual(await engine.compact({ revision: 5 }), { revision: 8, compactRevision: 5 });
    const { revision, compactRevision } = await engine.status();
    t.deepEqual([revision, compactRevision], [8, 5]);
  });

  for (const revision of [2, 3, 4, 5, 6, 7, 8]) {
    test(`after a compaction at ${revision} all from it on reads as before`, async (t) => {
      const engine = await open(t);
      await writeHistory(engine);
      await engine.compact({ revision });
      for (let at = revision; at <= 8; at += 1) t.is(await valuesAt(engine, at), stateAt(at));
      t.is(await valuesAt(engine, 0), stateAt(8));
    });
  }

  test("every read below the compact revision is refused, and told that revision", async (t) => {
    const engine = await open(t);
    await writeHistory(engine);
    await engine.compact({ revision: 5 });
    for (const revision of [1, 2, 4]) {
      for (const read of [
        () => engine.get(get("a", revision)),
        () => engine.get(get("absent", revision)),
        () => engine.range(range(ALL, { revision })),
        () => engine.range(range(ALL, { revision, count: "only" })),
        () => engine.hash({ revision }),
        () => engine.txn(txn({ success: [op.get(get("a", revision))] }), TXN_OPTIONS),
      ]) {
        const error = await refused(t, "REVISION_COMPACTED", read);
        t.is(error.details.compactRevision, 5);
      }
      const [read] = (await engine.batch(batch([op.get(get("a", revision))]))).results;
      t.is(read?.kind === "failure" && read.error.reason, "REVISION_COMPACTED");
    }
  });

  test("a compaction at the newest revision keeps the present", async (t) => {
    const engine = await open(t);
    await writeHistory(engine);
    await engine.compact({ revision: 8 });
    t.is(await valuesAt(engine, 0), stateAt(8));
    t.is(await valuesAt(engine, 8), stateAt(8));
    await engine.put(put("a", "r9"));
    t.is(await valuesAt(engine, 8), stateAt(8));
  });

  test("a compaction at or below the last one is refused, and told that revision", async (t) => {
    const engine = await open(t);
    await writeHistory(engine);
    await engine.compact({ revision: 5 });
    for (const revision of [5, 4, 1]) {
      const error = await refusedUnchanged(t, "REVISION_COMPACTED", engine, () =>
        engine.compact({ revision }),
      );
      t.is(error.details.compactRevision, 5);
    }
  });

  test("a compaction above the newest revision is refused, and told that one", async (t) => {
    const engine = await open(t);
    await writeHistory(engine);
    const error = await refusedUnchanged(t, "REVISION_FUTURE", engine, () =>
      engine.compact({ revision: 9 }),
    );
    t.is(error.details.revision, 8);
    t.is(await valuesAt(engine, 2), stateAt(2), "nothing was compacted");
  });

  test("compactions one after the other go on where the last one ended", async (t) => {
    const engine = await open(t);
    await writeHistory(engine);
    for (const revision of [2, 3, 5, 8]) {
      const { compactRevision } = await engine.compact({ revision });
      t.is(compactRevision, revision);
      t.is(await valuesAt(engine, revision), stateAt(revision));
    }
  });

  test("a compaction changes no hash at or above it", async (t) => {
    const engine = await open(t);
    await writeHistory(engine);
    const before = [];
    for (const revision of [5, 6, 7, 8]) before.push((await engine.hash({ revision })).hash);
    await engine.compact({ revision: 5 });
    for (const [index, hash] of before.entries()) {
      t.is(toHex((await engine.hash({ revision: 5 + index })).hash), toHex(hash));
    }
  });

  test("a compaction frees what it superseded, and nothing of the present", async (t) => {
    const engine = await open(t);
    const value = new Uint8Array(10_000);
    for (let index = 0; index < 50; index += 1) await engine.put(put("a", value));
    for (let index = 0; index < 50; index += 1) await engine.put(put(`b${index}`, value));
    await engine.delete(del({ kind: "prefix", prefix: Buffer.from("b") }));
    const before = await engine.status();
    t.true(before.historyBytes > 90 * value.length);
    await engine.compact({ revision: before.revision });
    await until("the walk ends", async () => (await engine.status()).historyBytes < 100_000);
    const after = await engine.status();
    t.is(after.liveBytes, before.liveBytes);
    t.is(after.keys, 1);
  });

  test("deleted keys vanish with a compaction after their delete", async (t) => {
    const engine = await open(t);
    for (let index = 0; index < 100; index += 1) await engine.put(put(`key${index}`));
    await engine.delete(del(ALL));
    const { revision } = await engine.put(put("last"));
    await engine.compact({ revision });
    const visited = await counterOf(engine, "entries_visited");
    t.deepEqual(keysOf((await engine.range(range(ALL))).entries), ["last"]);
    t.true((await counterOf(engine, "entries_visited")) - visited <= 2);
  });

  test("a compaction of much goes in slices, and reads are right meanwhile", async (t) => {
    const engine = await open(t);
    for (let round = 0; round < 3; round += 1) {
      const operations = Array.from({ length: 10_000 }, (_, index) =>
        op.put(put(`key${index % 100}`, `${round}`)),
      );
      await engine.batch(batch(operations));
    }
    const { hash } = await engine.hash({ revision: 25_000 });
    await engine.compact({ revision: 25_000 });
    t.is(toHex((await engine.hash({ revision: 25_000 })).hash), toHex(hash));
    t.is((await engine.range(range(ALL, { revision: 25_000 }))).entries.length, 100);
    const kept = 30_001 - 25_000 + 1;
    await until("the walk ends", async () => (await counterOf(engine, "commits_kept")) <= kept);
    t.is(toHex((await engine.hash({ revision: 25_000 })).hash), toHex(hash));
  });

  test("the changes that compaction walks are counted", async (t) => {
    const engine = await open(t);
    for (let count = 0; count < 10; count += 1) await engine.put(put("a"));
    await engine.compact({ revision: 8 });
    await until("the walk ends", async () => (await counterOf(engine, "commits_kept")) <= 4);
    t.is(await counterOf(engine, "changes_compacted"), 7);
  });

  test("a watch at the compact revision sees it, below it nothing is seen", async (t) => {
    const engine = await open(t);
    await writeHistory(engine);
    await engine.compact({ revision: 5 });
    const watcher = await openWatch(engine, watch(ALL, { startRevision: 5 }));
    const events = await takeEvents(watcher, 4);
    t.deepEqual(events.map(shown), ["put a@5", "put c@6", "delete c@7", "put a@8"]);
    watcher.close();
    const below = await openWatch(engine, watch(ALL, { startRevision: 4 }));
    const error = await refused(t, "REVISION_COMPACTED", below.next());
    t.is(error.details.compactRevision, 5);
  });

  test("an entry before that is compacted is left out of its event", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.put(put("a", "2"));
    await engine.put(put("a", "3"));
    await engine.compact({ revision: 3 });
    const watcher = await openWatch(engine, watch("a", { startRevision: 3, previous: true }));
    const [at, after] = await takeEvents(watcher, 2);
    t.is(at?.previous, undefined);
    t.is(after?.previous && text(after.previous.value), "2");
    watcher.close();
  });

  test("history beyond its budget goes by itself, the oldest first", async (t) => {
    const historyMaxBytes = 10_000;
    const engine = await open(t, { limits: { historyMaxBytes } });
    for (let index = 0; index < 300; index += 1) await engine.put(put("a", `${index}`));
    await engine.put(put("b"));
    const { historyBytes, compactRevision, revision } = await engine.status();
    t.true(historyBytes <= historyMaxBytes);
    t.true(compactRevision > 100 && compactRevision < revision);
    t.is(await valuesAt(engine, compactRevision), `a=${compactRevision - 2}`);
    await refused(t, "REVISION_COMPACTED", engine.get(get("a", compactRevision - 1)));
    t.is(await valuesAt(engine, 0), "a=299 b=");
  });

  test("within its budget history is kept", async (t) => {
    const engine = await open(t, { limits: { historyMaxBytes: 10_000_000 } });
    for (let index = 0; index < 300; index += 1) await engine.put(put("a", `${index}`));
    t.is(await valuesAt(engine, 2), "a=0");
  });

  test("a budget of 0 keeps all history", async (t) => {
    const engine = await open(t, { limits: { historyMaxBytes: 0 } });
    for (let index = 0; index < 300; index += 1) await engine.put(put("a", new Uint8Array(10_000)));
    t.is((await engine.get(get("a", 2))).entry?.version, 1);
  });

  test("history older than its age goes by itself, younger stays", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock, limits: { historyMaxAgeMs: 60_000 } });
    await engine.put(put("a", "old"));
    await engine.put(put("a", "older than the last"));
    await clock.advanceAndSettle(50_000);
    await engine.put(put("a", "young"));
    await engine.put(put("a", "now"));
    await clock.advanceAndSettle(20_000);
    await refused(t, "REVISION_COMPACTED", engine.get(get("a", 2)));
    t.is(await valuesAt(engine, 4), "a=young");
    t.is(await valuesAt(engine, 0), "a=now");
  });

  test("compaction by itself keeps the last entry of a key, however old", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, {
      clock,
      limits: { historyMaxAgeMs: 1000, historyMaxBytes: 5000 },
    });
    await engine.put(put("old", "kept"));
    for (let index = 0; index < 100; index += 1) await engine.put(put("a", `${index}`));
    await clock.advanceAndSettle(3_600_000);
    const { entry } = await engine.get(get("old"));
    t.deepEqual([entry && text(entry.value), entry?.modRevision], ["kept", 2]);
  });
}
