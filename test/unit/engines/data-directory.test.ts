// An engine over a data directory: what a stop and a crash keep, and that no revision is ever given
// out twice. A crash of the process is a copy of the folder while the engine goes on.

import {
  cp,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { repair } from "../../../server/engines/inspection.js";
import {
  type DataOptions,
  type MemoryEngine,
  openMemoryEngine,
} from "../../../server/engines/memory.js";
import { restoreSnapshot } from "../../../server/engines/restore.js";
import type { Engine } from "../../../server/kv/engine.js";
import { defaultLimits, type Limits } from "../../../server/kv/limits.js";
import { type Logger, silentLogger } from "../../../server/lib/logger.js";
import { DataError } from "../../../server/wal/data-error.js";

import { ALL, del, get, put, watch, withLease, withTtl } from "../../support/commands.js";
import { ManualClock } from "../../support/manual-clock.js";
import { refused } from "../../support/refused.js";
import { snapshotOf } from "../../support/snapshot.js";
import { historyOf, openWatch, takeEvents, until } from "../../support/take.js";

const INTERVAL_MS = 60_000;

async function temporary(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kvd-data-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Opened extends Partial<DataOptions> {
  readonly path: string;
  readonly clock?: ManualClock;
  readonly limits?: Partial<Limits>;
  readonly logger?: Logger;
}

/** Checked, and closed if it is not, when the test ends. */
async function open(t: ExecutionContext, opened: Opened): Promise<MemoryEngine> {
  const { clock = new ManualClock(), limits, logger, ...data } = opened;
  const engine = await openMemoryEngine({
    limits: defaultLimits(limits),
    clock,
    data: { snapshotIntervalMs: INTERVAL_MS, spareBytes: 4096, ...data },
    ...(logger && { logger }),
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

/** What is logged, as texts. */
function listener(): { readonly logger: Logger; readonly said: string[] } {
  const said: string[] = [];
  const add = (_facts: object, text: string) => {
    said.push(text);
  };
  const logger = { ...silentLogger, warn: add, error: add, fatal: add };
  return { logger, said };
}

const revisionOf = async (engine: Engine) => (await engine.status()).revision;

async function textAt(engine: Engine, key: string): Promise<string | undefined> {
  const { entry } = await engine.get(get(key));
  return entry && Buffer.from(entry.value).toString();
}

const segmentsIn = async (path: string) =>
  (await readdir(path)).filter((name) => name.startsWith("log-")).sort();

async function flip(file: string, at: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[at] = (bytes[at] as number) ^ 1;
  await writeFile(file, bytes);
}

const snapshotsIn = async (path: string) =>
  (await readdir(path)).filter((name) => /^snapshot-\d+\.kvd$/.test(name)).sort();

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
  await until("the end", async () => (await textAt(second, "short")) === undefined);
  t.is(await textAt(second, "leased"), "");
  later.advance(5000);
  await later.settle();
  await until("the end", async () => (await textAt(second, "leased")) === undefined);
});

test("after a crash all that was answered is there, and revisions go on", async (t) => {
  const path = await temporary(t);
  const first = await open(t, { path });
  await first.put(put("a", "1"));
  await first.put(put("a", "2"));
  await first.delete(del("a"));
  await first.compact({ revision: 2 });
  const history = await historyOf(first, 2);
  const second = await open(t, { path: await crashed(t, path) });
  t.is(second.storeId, first.storeId);
  t.deepEqual(await historyOf(second, 2), history);
  t.is((await second.status()).compactRevision, 2);
  t.is((await second.put(put("b", "3"))).revision, 5);
});

test("after a crash leases have what remained; the time between does not count", async (t) => {
  const path = await temporary(t);
  const clock = new ManualClock();
  const first = await open(t, { path, clock });
  await first.grant({ id: 7n, ttlMs: 100_000 });
  await first.grant({ id: 8n, ttlMs: 100_000 });
  await first.grant({ id: 9n, ttlMs: 1000 });
  await first.put(put("leased", "", { lease: withLease(7n) }));
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1000);
      await clock.settle();
    }
  };
  await pass(40);
  await first.keepAlive({ id: 8n });
  await pass(15);
  const later = new ManualClock({ monotonicMs: 5_000_000 });
  const second = await open(t, { path: await crashed(t, path), clock: later });
  const left = async (id: bigint) =>
    (await second.timeToLive({ id, withKeys: true, maxBytes: 1000 })).ttlMs;
  // While the store is idle it logs the time every 5 s: so much may be given back.
  t.true((await left(7n)) >= 45_000 && (await left(7n)) <= 50_000, `${await left(7n)}`);
  t.true((await left(8n)) >= 85_000 && (await left(8n)) <= 90_000, `${await left(8n)}`);
  await refused(t, "LEASE_NOT_FOUND", second.timeToLive({ id: 9n, withKeys: false, maxBytes: 0 }));
  later.advance(50_000);
  await later.settle();
  await until("the end", async () => (await textAt(second, "leased")) === undefined);
});

test("a snapshot is saved at each interval, if something changed", async (t) => {
  const path = await temporary(t);
  const clock = new ManualClock();
  const engine = await open(t, { path, clock });
  const pass = async () => {
    clock.advance(INTERVAL_MS);
    await clock.settle();
  };
  const snapshots = (count: number) =>
    until("the snapshot", async () => {
      await pass();
      return (await snapshotsIn(path)).length === count;
    });
  await engine.put(put("a", "1"));
  await snapshots(1);
  t.deepEqual(await snapshotsIn(path), ["snapshot-0000000000000002.kvd"]);
  const other = await open(t, { path: await crashed(t, path) });
  t.is(await textAt(other, "a"), "1");
  for (let count = 0; count < 5; count += 1) await pass();
  t.deepEqual(await snapshotsIn(path), ["snapshot-0000000000000002.kvd"]);
  await engine.compact({ revision: 2 });
  await snapshots(2);
});

test("a log that has grown is cut: two snapshots are kept, and the log since the older", async (t) => {
  const path = await temporary(t);
  const clock = new ManualClock();
  const engine = await open(t, { path, clock, snapshotLogBytes: 1, segmentMaxBytes: 500 });
  for (let count = 1; count <= 4; count += 1) {
    await engine.put(put(`key${count}`, `${"x".repeat(1000)}`));
    await engine.put(put(`other${count}`, `${"x".repeat(1000)}`));
    const before = (await snapshotsIn(path)).at(-1);
    await until("the snapshot", async () => {
      clock.advance(1000);
      await clock.settle();
      return (await snapshotsIn(path)).at(-1) !== before;
    });
  }
  await until("the old ones go", async () => (await snapshotsIn(path)).length === 2);
  const numbers = (names: readonly string[]) => names.map((name) => Number(name.slice(-20, -4)));
  const [older] = numbers(await snapshotsIn(path));
  await until("the old log goes", async () => numbers(await segmentsIn(path))[0] === older);
  const next = await open(t, { path: await crashed(t, path) });
  t.deepEqual(await historyOf(next, 1), await historyOf(engine, 1));
});

test("a damaged newest snapshot is told of, and the older one and the log do", async (t) => {
  const path = await temporary(t);
  const clock = new ManualClock();
  const engine = await open(t, { path, clock });
  for (const value of ["1", "2"]) {
    await engine.put(put("a", value));
    const count = (await snapshotsIn(path)).length;
    await until("the snapshot", async () => {
      clock.advance(INTERVAL_MS);
      await clock.settle();
      return (await snapshotsIn(path)).length > count;
    });
  }
  await engine.put(put("a", "3"));
  await engine.close();
  const [older, newest] = await snapshotsIn(path);
  for (const at of [0, 11]) {
    await flip(join(path, newest ?? ""), at);
    const opened = await open(t, { path: await crashed(t, path) });
    t.is(await textAt(opened, "a"), "3", `byte ${at}`);
    await flip(join(path, newest ?? ""), at);
  }
  await flip(join(path, newest ?? ""), 100);
  const { logger, said } = listener();
  const copy = await crashed(t, path);
  const again = await open(t, { path: copy, clock, logger });
  t.regex(said.join(), /snapshot-0000000000000003\.kvd is damaged.*the log hold the same/);
  t.true((await readdir(copy)).includes(`damaged-${newest}`));
  // What is left is not all that there is for long.
  await until("another snapshot", async () => {
    clock.advance(1000);
    await clock.settle();
    return (await snapshotsIn(copy)).length === 2;
  });
  t.is(await textAt(again, "a"), "3");
  const history = await historyOf(again, 1);
  t.deepEqual(
    history.map(({ revision }) => revision),
    [2, 3, 4],
  );
  await flip(join(path, older ?? ""), 100);
  await rm(join(path, "log-0000000000000002.kvd"));
  t.regex(await refusal(path), /snapshot-0000000000000003\.kvd is damaged/);
});

test("a log whose folder is gone fails: nothing is answered that is lost", async (t) => {
  const path = await temporary(t);
  const { logger, said } = listener();
  const clock = new ManualClock();
  const other = await open(t, { path: join(path, "data"), clock, logger });
  await other.put(put("a", "1"));
  await rename(join(path, "data"), join(path, "gone"));
  clock.advance(1000);
  await refused(t, "LOG_FAILED", other.put(put("a", "2")));
  await refused(t, "LOG_FAILED", other.put(put("a", "2")));
  t.is((await other.failed) instanceof Error, true);
  t.is(await textAt(other, "a"), "1");
  t.is(await revisionOf(other), 2);
  t.regex((await other.status()).problems.join(), /is not there any more/);
  t.regex(said.join(), /is not there any more/);
});

test("with fsync never, a power cut makes revisions go on above all that were given out", async (t) => {
  const path = await temporary(t);
  const lax = { fsync: "never", bootId: "one" } as const;
  const first = await open(t, { path, ...lax });
  await first.put(put("a", "1"));
  const given = await revisionOf(first);
  // The process alone is gone: what it wrote is there.
  const second = await open(t, { path: await crashed(t, path), ...lax });
  t.is(await revisionOf(second), given);
  const { logger, said } = listener();
  const third = await open(t, { path: await crashed(t, path), ...lax, bootId: "two", logger });
  const revision = await revisionOf(third);
  t.true(revision > given);
  t.is((await third.status()).compactRevision, revision);
  t.regex(said.join(), /may be lost/);
  // Whoever saw up to any revision that may have been given out resumes at the next.
  for (const startRevision of [given, given + 1, 1_000_001, 1_000_002]) {
    const watcher = await openWatch(third, watch(ALL, { startRevision }));
    await refused(t, "REVISION_COMPACTED", watcher.next());
  }
  await third.put(put("a", "2"));
  const fourth = await open(t, { path: await crashed(t, path), fsync: "always", bootId: "three" });
  t.true((await revisionOf(fourth)) > given);
});

test("after a clean stop no revision is jumped, whatever the policy", async (t) => {
  const path = await temporary(t);
  for (const [round, fsync] of (["never", "everysec", "always", "never"] as const).entries()) {
    const engine = await open(t, { path, fsync, bootId: `${round}` });
    t.is((await engine.put(put("a", ""))).revision, round + 2);
    t.is((await engine.status()).fsyncPolicy, fsync);
    await engine.close();
  }
});

test("what a clean stop left must be there: no tail is taken for torn", async (t) => {
  const path = await stopped(t);
  const file = join(path, "log-0000000000000001.kvd");
  const { size } = await stat(file);
  await truncate(file, size - 8);
  t.regex(await refusal(path), /log-0000000000000001\.kvd is damaged: at offset 64: .*clean/);
  await truncate(file, 64);
  t.regex(await refusal(path), /log-0000000000000001\.kvd is damaged: at offset 64: .*clean/);
});

test("a watch that is asked after the close writes nothing to what was its log", async (t) => {
  const path = await temporary(t);
  const engine = await open(t, { path, limits: { historyMaxBytes: 1 } });
  await engine.put(put("a", "1"));
  const watcher = engine.watch(watch(ALL, { startRevision: 1 }));
  for (let count = 0; count < 5; count += 1) await engine.put(put("a", `${count}`));
  await engine.close();
  const log = join(path, "log-0000000000000001.kvd");
  const before = await readFile(log);
  for (let count = 0; count < 3; count += 1) await watcher.next().catch(() => {});
  t.deepEqual(await readFile(log), before);
  t.is(await refusal(path), "");
});

test("repair finds a store of which only a snapshot is left", async (t) => {
  const path = await temporary(t);
  const clock = new ManualClock();
  const engine = await open(t, { path, clock });
  await engine.put(put("a", "1"));
  await until("the snapshot", async () => {
    clock.advance(INTERVAL_MS);
    await clock.settle();
    return (await snapshotsIn(path)).length === 1;
  });
  await engine.close();
  for (const name of ["store.json", "clean.json", ...(await segmentsIn(path))]) {
    await rm(join(path, name));
  }
  t.regex(await refusal(path), /store\.json is damaged: it is missing/);
  const to = join(await temporary(t), "repaired");
  const limits = defaultLimits();
  const found = await repair({ dataDir: path, to, limits, clock });
  t.true(found.made !== undefined && found.damaged.length > 0);
  t.is(await textAt(await open(t, { path: to }), "a"), "1");
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
  await writeFile(join(path, "thesis.tmp"), "mine, too");
  const engine = await open(t, { path });
  await engine.put(put("a", "1"));
  await engine.close();
  t.deepEqual((await readdir(path)).sort(), [
    "clean.json",
    "log-0000000000000001.kvd",
    "notes.txt",
    "spare",
    "store.json",
    "thesis.tmp",
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

for (const name of ["store.json", "clean.json"]) {
  test(`with any byte of ${name} changed it is refused`, async (t) => {
    const path = await stopped(t);
    const file = join(path, name);
    const bytes = await readFile(file);
    for (let at = 0; at < bytes.length; at += 1) {
      await flip(file, at);
      const said = await refusal(path);
      t.true(said.startsWith(`${file} is damaged`), `byte ${at}: ${said}`);
      await writeFile(file, bytes);
    }
    t.is(await refusal(path), "");
  });
}

test("a log without store.json is refused: nobody knows whose it is", async (t) => {
  const path = await stopped(t);
  await rm(join(path, "store.json"));
  t.regex(await refusal(path), /store\.json is damaged: it is missing, and there is log-/);
});

/** A snapshot in a file, of a store with one key. */
async function savedSnapshot(t: ExecutionContext): Promise<string> {
  const engine = await open(t, { path: await temporary(t) });
  await engine.put(put("a", "1"));
  const file = join(await temporary(t), "file.kvd");
  await writeFile(file, Buffer.concat(await snapshotOf(engine)));
  return file;
}

test("restore makes a store of its own, far above the one it is from", async (t) => {
  const file = await savedSnapshot(t);
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
  const again = restoreSnapshot({ file, dataDir: await stopped(t), limits, clock });
  await t.throwsAsync(again, { instanceOf: DataError, message: /is not empty/ });
});

test("restore refuses a damaged snapshot and leaves nothing", async (t) => {
  const file = await savedSnapshot(t);
  const bytes = await readFile(file);
  await writeFile(file, bytes.subarray(0, -1));
  const dataDir = join(await temporary(t), "restored");
  const options = { file, dataDir, limits: defaultLimits(), clock: new ManualClock() };
  await t.throwsAsync(restoreSnapshot(options), { message: /is damaged: it ends too early/ });
  t.deepEqual(await readdir(dataDir), []);
});
