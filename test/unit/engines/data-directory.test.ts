// An engine over a data directory: what a stop keeps, what a crash loses, and that no revision is
// ever given out twice. A crash is a copy of the folder while the engine goes on.

import { cp, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { type MemoryEngine, openMemoryEngine } from "../../../server/engines/memory.js";
import { restoreSnapshot } from "../../../server/engines/restore.js";
import type { Engine } from "../../../server/kv/engine.js";
import { defaultLimits, type Limits } from "../../../server/kv/limits.js";
import { DataError } from "../../../server/wal/data-error.js";

import { ALL, del, get, put, watch, withLease, withTtl } from "../../support/commands.js";
import { ManualClock } from "../../support/manual-clock.js";
import { refused } from "../../support/refused.js";
import { historyOf, openWatch, takeEvents, until } from "../../support/take.js";

const INTERVAL_MS = 60_000;

async function temporary(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kvd-data-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Opened {
  readonly path: string;
  readonly clock?: ManualClock;
  readonly limits?: Partial<Limits>;
}

/** Checked, and closed if it is not, when the test ends. */
async function open(t: ExecutionContext, { path, clock, limits }: Opened): Promise<MemoryEngine> {
  const engine = await openMemoryEngine({
    limits: defaultLimits(limits),
    clock: clock ?? new ManualClock(),
    data: { path, snapshotIntervalMs: INTERVAL_MS },
  });
  t.teardown(async () => {
    engine.check();
    await engine.close();
  });
  return engine;
}

/** The folder as a crash at this moment leaves it. */
async function crashed(t: ExecutionContext, path: string): Promise<string> {
  const copy = join(await temporary(t), "copy");
  await cp(path, copy, { recursive: true });
  return copy;
}

const revisionOf = async (engine: Engine) => (await engine.status()).revision;
const durableOf = async (engine: Engine) => (await engine.status()).durableRevision;

async function textAt(engine: Engine, key: string): Promise<string | undefined> {
  const { entry } = await engine.get(get(key));
  return entry && Buffer.from(entry.value).toString();
}

const snapshotsIn = async (path: string) =>
  (await readdir(path)).filter((name) => name.startsWith("snapshot-")).sort();

test("after a stop all is there, with its history, and revisions go on", async (t) => {
  const path = await temporary(t);
  const first = await open(t, { path });
  await first.put(put("a", "1"));
  await first.put(put("a", "2"));
  await first.delete(del("a"));
  const history = await historyOf(first, 1);
  await first.close();
  const second = await open(t, { path });
  t.is(second.storeId, first.storeId);
  t.deepEqual(await historyOf(second, 1), history);
  t.is((await second.put(put("b", "3"))).revision, 5);
});

test("a watch goes on over a stop where it was", async (t) => {
  const path = await temporary(t);
  const first = await open(t, { path });
  await first.put(put("a", "1"));
  const watcher = await openWatch(first, watch(ALL, { startRevision: 1 }));
  const [seen] = await takeEvents(watcher, 1);
  await first.put(put("a", "2"));
  await first.close();
  const second = await open(t, { path });
  await second.put(put("a", "3"));
  const startRevision = (seen?.revision ?? 0) + 1;
  const storeId = first.storeId;
  const next = await openWatch(second, watch(ALL, { startRevision, storeId }));
  const events = await takeEvents(next, 2);
  t.deepEqual(
    events.map(({ revision }) => revision),
    [3, 4],
  );
});

test("leases go on with what remained; time between does not count", async (t) => {
  const path = await temporary(t);
  const clock = new ManualClock();
  const first = await open(t, { path, clock });
  await first.grant({ id: 7n, ttlMs: 10_000 });
  await first.put(put("leased", "", { lease: withLease(7n) }));
  await first.put(put("short", "", { lease: withTtl(5000) }));
  clock.advance(4000);
  await first.close();
  const later = new ManualClock({ monotonicMs: 5_000_000 });
  const second = await open(t, { path, clock: later });
  t.is((await second.timeToLive({ id: 7n, withKeys: false, maxBytes: 0 })).ttlMs, 6000);
  later.advance(1000);
  await later.settle();
  t.is(await textAt(second, "short"), undefined);
  t.is(await textAt(second, "leased"), "");
  later.advance(5000);
  await later.settle();
  t.is(await textAt(second, "leased"), undefined);
});

test("after a crash it goes on above every revision that was given out", async (t) => {
  const path = await temporary(t);
  const first = await open(t, { path });
  await first.put(put("a", "1"));
  await first.close();
  const second = await open(t, { path });
  await second.put(put("a", "2"));
  await second.put(put("b", "lost"));
  const given = await revisionOf(second);
  const third = await open(t, { path: await crashed(t, path) });
  const revision = await revisionOf(third);
  t.true(revision > given);
  t.is(await textAt(third, "a"), "1");
  t.is(await textAt(third, "b"), undefined);
  t.is((await third.status()).compactRevision, revision);
  t.is(third.storeId, second.storeId);
  await third.put(put("a", "3"));
  // Whoever saw up to any revision that may have been given out resumes at the next.
  for (const startRevision of [given, given + 1, 2 + 1_000_000, 3 + 1_000_000]) {
    const watcher = await openWatch(third, watch(ALL, { startRevision }));
    await refused(t, "REVISION_COMPACTED", watcher.next());
  }
  await refused(t, "REVISION_COMPACTED", third.get({ ...get("a"), revision: given }));
});

test("after crash upon crash it never goes back", async (t) => {
  let path = await temporary(t);
  let highest = 0;
  for (let round = 0; round < 4; round += 1) {
    const engine = await open(t, { path });
    const { compactRevision, revision } = await engine.status();
    t.true(revision > highest || round === 0);
    t.true(compactRevision >= highest);
    highest = (await engine.put(put("a", `${round}`))).revision;
    path = await crashed(t, path);
  }
});

test("a crash before anything was written changes nothing that was seen", async (t) => {
  const path = await temporary(t);
  const first = await open(t, { path });
  const second = await open(t, { path: await crashed(t, path) });
  t.is(second.storeId, first.storeId);
  t.true((await second.put(put("a", "1"))).revision > 1);
});

test("what changed is saved at each interval, and what did not is not", async (t) => {
  const path = await temporary(t);
  const clock = new ManualClock();
  const engine = await open(t, { path, clock });
  await engine.put(put("a", "1"));
  t.is(await durableOf(engine), 1);
  clock.advance(INTERVAL_MS);
  await until("the snapshot", async () => (await durableOf(engine)) === 2);
  t.deepEqual(await snapshotsIn(path), ["snapshot-0000000000000002.kvd"]);
  t.true((await engine.status()).diskBytes > 100);
  const other = await open(t, { path: await crashed(t, path) });
  t.is(await textAt(other, "a"), "1");
  await rm(join(path, "snapshot-0000000000000002.kvd"));
  clock.advance(INTERVAL_MS);
  await clock.settle();
  t.deepEqual(await snapshotsIn(path), []);
  await engine.compact({ revision: 2 });
  await until("the timer is set", () => clock.pendingTimers > 1);
  clock.advance(INTERVAL_MS);
  await until("the snapshot", async () => (await snapshotsIn(path)).length === 1);
});

test("the newest two snapshots are kept", async (t) => {
  const path = await temporary(t);
  const clock = new ManualClock();
  const engine = await open(t, { path, clock });
  for (let revision = 2; revision <= 5; revision += 1) {
    await engine.put(put("a", `${revision}`));
    clock.advance(INTERVAL_MS);
    await until("the snapshot", async () => (await durableOf(engine)) === revision);
  }
  await until("the old ones go", async () => (await snapshotsIn(path)).length === 2);
  const names = await snapshotsIn(path);
  t.deepEqual(names, ["snapshot-0000000000000004.kvd", "snapshot-0000000000000005.kvd"]);
});

test("a snapshot that cannot be saved is told of, and the next one is tried", async (t) => {
  const path = await temporary(t);
  const clock = new ManualClock();
  const engine = await open(t, { path: join(path, "data"), clock });
  await engine.put(put("a", "1"));
  await rename(join(path, "data"), join(path, "away"));
  clock.advance(INTERVAL_MS);
  await until("the problem", async () => (await engine.status()).problems.length > 0);
  t.regex((await engine.status()).problems[0] ?? "", /snapshot could not be saved: ENOENT/);
  t.is(await durableOf(engine), 1);
  await rename(join(path, "away"), join(path, "data"));
  await until("the timer is set", () => clock.pendingTimers > 1);
  clock.advance(INTERVAL_MS);
  await until("no problem", async () => (await engine.status()).problems.length === 0);
  t.is(await durableOf(engine), 2);
});

test("a stop that cannot save says so", async (t) => {
  const path = await temporary(t);
  const engine = await openMemoryEngine({
    limits: defaultLimits(),
    clock: new ManualClock(),
    data: { path: join(path, "data"), snapshotIntervalMs: INTERVAL_MS },
  });
  await engine.put(put("a", "1"));
  await rename(join(path, "data"), join(path, "away"));
  await t.throwsAsync(engine.close(), { code: "ENOENT" });
  // The lock is free all the same.
  const other = await open(t, { path: join(path, "away") });
  t.is(await textAt(other, "a"), undefined);
});

test("one engine at a time, through whatever path", async (t) => {
  const path = await temporary(t);
  const engine = await open(t, { path });
  const link = join(await temporary(t), "link");
  await symlink(path, link);
  for (const other of [path, link, `${path}/../${path.split("/").at(-1)}`]) {
    const options = { limits: defaultLimits(), clock: new ManualClock() };
    const data = { path: other, snapshotIntervalMs: INTERVAL_MS };
    const opened = openMemoryEngine({ ...options, data });
    await t.throwsAsync(opened, { instanceOf: DataError, message: /is in use by another kvd/ });
  }
  await engine.close();
  await open(t, { path: link });
});

test("what a crash left half written is removed, other files are left alone", async (t) => {
  const path = await temporary(t);
  await writeFile(join(path, "snapshot-0000000000000009.kvd.tmp"), "half");
  await writeFile(join(path, "notes.txt"), "mine");
  const engine = await open(t, { path });
  await engine.put(put("a", "1"));
  await engine.close();
  t.deepEqual((await readdir(path)).sort(), [
    "notes.txt",
    "snapshot-0000000000000002.kvd",
    "store.json",
  ]);
});

async function stopped(t: ExecutionContext): Promise<string> {
  const path = await temporary(t);
  const engine = await open(t, { path });
  await engine.put(put("a", "1"));
  await engine.close();
  return path;
}

async function refusal(path: string): Promise<string> {
  const clock = new ManualClock();
  const data = { path, snapshotIntervalMs: INTERVAL_MS };
  try {
    await (await openMemoryEngine({ limits: defaultLimits(), clock, data })).close();
    return "";
  } catch (error) {
    if (error instanceof DataError) return error.message;
    throw error;
  }
}

test("with any byte of store.json changed it is refused", async (t) => {
  const path = await stopped(t);
  const file = join(path, "store.json");
  const bytes = await readFile(file);
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 1;
    await writeFile(file, changed);
    const said = await refusal(path);
    // A space for a line feed says the same.
    if (/\s/.test(String.fromCharCode(bytes[at] as number)) && said === "") {
      await writeFile(file, bytes);
      continue;
    }
    t.regex(said, /store\.json is damaged/, `byte ${at}`);
  }
  await writeFile(file, bytes);
  t.is(await refusal(path), "");
});

test("snapshots without store.json are refused: nobody knows what was given out", async (t) => {
  const path = await stopped(t);
  await rm(join(path, "store.json"));
  t.regex(await refusal(path), /store\.json is missing.*kvd restore/);
});

test("a damaged newest snapshot is refused, never passed over", async (t) => {
  const path = await stopped(t);
  const engine = await open(t, { path });
  await engine.put(put("a", "2"));
  await engine.close();
  const [older, newest] = await snapshotsIn(path);
  const file = join(path, newest ?? "");
  const bytes = await readFile(file);
  bytes[100] = (bytes[100] as number) ^ 1;
  await writeFile(file, bytes);
  t.regex(await refusal(path), /snapshot-0000000000000003\.kvd is damaged/);
  // A person may decide to go on with the one before.
  await rm(file);
  const again = await open(t, { path });
  t.is(await textAt(again, "a"), "1");
  t.true((await revisionOf(again)) > 3);
  t.is(older, "snapshot-0000000000000002.kvd");
});

test("a snapshot of another store, of another name, or from the future is refused", async (t) => {
  const [one, two] = [await stopped(t), await stopped(t)];
  const name = "snapshot-0000000000000002.kvd";
  await cp(join(two, name), join(one, name));
  t.regex(await refusal(one), /is of store [0-9a-f]{32}, not of/);
  const other = await stopped(t);
  await rename(join(other, name), join(other, "snapshot-0000000000000001.kvd"));
  t.regex(await refusal(other), /holds revision 2, which its name does not say/);
  const old = await temporary(t);
  const third = await stopped(t);
  await cp(join(third, "store.json"), join(old, "store.json"));
  const engine = await open(t, { path: third });
  await engine.put(put("a", "2"));
  await engine.close();
  await cp(join(old, "store.json"), join(third, "store.json"));
  t.regex(await refusal(third), /holds revision 3, above the 2 of store\.json/);
});

test("restore makes a store of its own, far above the one it is from", async (t) => {
  const path = await stopped(t);
  const file = join(path, "snapshot-0000000000000002.kvd");
  const dataDir = join(await temporary(t), "restored");
  const limits = defaultLimits();
  const clock = new ManualClock();
  const restored = await restoreSnapshot({ file, dataDir, limits, clock });
  const engine = await open(t, { path: dataDir });
  t.is(await textAt(engine, "a"), "1");
  t.is(engine.storeId, restored.storeId);
  t.not(engine.storeId, restored.summary.header.storeId);
  t.is(await revisionOf(engine), restored.revision);
  t.true(restored.revision > 1_000_000_000);
  const watcher = await openWatch(engine, watch(ALL, { startRevision: 3 }));
  await refused(t, "REVISION_COMPACTED", watcher.next());
  const again = restoreSnapshot({ file, dataDir: path, limits, clock });
  await t.throwsAsync(again, { instanceOf: DataError, message: /is not empty/ });
});

test("restore refuses a damaged snapshot and leaves nothing", async (t) => {
  const path = await stopped(t);
  const file = join(path, "snapshot-0000000000000002.kvd");
  const bytes = await readFile(file);
  await writeFile(file, bytes.subarray(0, -1));
  const dataDir = join(await temporary(t), "restored");
  const options = { file, dataDir, limits: defaultLimits(), clock: new ManualClock() };
  await t.throwsAsync(restoreSnapshot(options), { message: /is damaged: it ends too early/ });
  t.deepEqual(await readdir(dataDir), []);
});
