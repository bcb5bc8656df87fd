// A disk that fails, fills, hangs, is gone or can only be read, while the store is served: what was
// answered is there afterwards, reads go on, and nothing leaves before it is durable.

import test from "ava";
import type { Engine } from "../../server/kv/engine.js";
import type { KvdError } from "../../server/kv/errors.js";
import { ALL, del, get, put, range, watch } from "../support/commands.js";
import { CrashingFiles } from "../support/crashing-files.js";
import { DATA, type DiskEngine, openOnDisk, untilQuiet } from "../support/disk-engine.js";
import type { Change, DiskErrorCode } from "../support/disk-faults.js";
import { SEED, scaled, TIMEOUT_MS } from "../support/fault-scale.js";
import { Ledger } from "../support/ledger.js";
import { until } from "../support/take.js";

const ROUNDS = scaled({ quick: 8, long: 24 });

const isFailed = async (engine: Engine) => {
  const nothing = new Promise((resolve) => setImmediate(() => resolve("nothing")));
  return (await Promise.race([engine.failed, nothing])) !== "nothing";
};

function codeOf(error: unknown): unknown {
  const { code, cause } = error as NodeJS.ErrnoException;
  return code ?? codeOf(cause);
}

/** Groups of writes, with segments that are full and snapshots in between. */
async function write(ledger: Ledger, { files, engine, clock }: DiskEngine) {
  for (let round = 0; round < ROUNDS; round += 1) {
    await Promise.all([ledger.put(engine), ledger.put(engine, 100), ledger.put(engine)]);
    if (ledger.present.length > 0) await ledger.delete(engine);
    await clock.advanceAndSettle(1500);
    if (round % 3 === 0) await untilQuiet(files);
  }
}

/** What was answered is there after the end of the process, and after a power cut. */
async function checkAfter(files: CrashingFiles, ledger: Ledger, seed: number): Promise<void> {
  const dropped = { seed, mode: "dropped" } as const;
  for (const disk of [files.kill(), files.powerCut(dropped), files.powerCut({ seed })]) {
    const first = await openOnDisk(disk);
    first.engine.check();
    await ledger.check(first.engine);
    const later = new Ledger();
    const { revision } = await first.engine.status();
    const again = await openOnDisk(disk.powerCut(dropped));
    await ledger.check(again.engine);
    if ((await again.engine.status()).revision !== revision) {
      throw new Error("a start found what a power cut has taken");
    }
    await later.put(again.engine);
    await again.engine.close();
  }
}

const finals: readonly (readonly [Change, DiskErrorCode])[] = [
  ["sync", "EIO"],
  ["write", "EIO"],
  ["create", "EIO"],
  ["rename", "EIO"],
  ["syncFolder", "EIO"],
  ["remove", "EIO"],
  ["sync", "ENOSPC"],
  ["rename", "ENOSPC"],
];

for (const [of, code] of finals) {
  test(`${code} of any ${of} loses nothing that was answered`, async (t) => {
    t.timeout(TIMEOUT_MS);
    let failed = 0;
    let points = 0;
    for (let nth = 1; ; nth += 1) {
      const files = new CrashingFiles({ seed: SEED + nth });
      const opened = await openOnDisk(files);
      await opened.clock.settle();
      const ledger = new Ledger();
      const watching = ledger.watch(opened.engine);
      const fault = files.faults.fail({ of, code, nth });
      await write(ledger, opened);
      const isFinal = await isFailed(opened.engine);
      if (isFinal) {
        failed += 1;
        const { answered } = ledger;
        t.is(await ledger.put(opened.engine), "LOG_FAILED");
        t.is(ledger.answered, answered);
        t.true((await opened.engine.status()).problems.length > 0);
        await opened.engine.range(range(ALL));
        await ledger.check(opened.engine);
      }
      await checkAfter(files, ledger, SEED + nth);
      const closed = await opened.engine.close().catch((error) => codeOf(error));
      t.true(isFinal || closed === undefined || closed === code);
      if (fault.failed === 0) break;
      points += 1;
      await watching;
      t.is(files.openFiles, 0);
      await checkAfter(files, ledger, SEED + nth);
    }
    t.log(`${points} points, ${failed} of them final (seed ${SEED})`);
    t.true(points > 3);
    if (of === "sync") t.true(failed > 20);
  });
}

test("a write that finds the disk full is refused, and later ones go on by themselves", async (t) => {
  t.timeout(TIMEOUT_MS);
  let points = 0;
  for (const of of ["write", "create"] as const) {
    for (let nth = 1; ; nth += 1) {
      const files = new CrashingFiles({ seed: SEED + nth });
      const opened = await openOnDisk(files);
      await opened.clock.settle();
      const ledger = new Ledger();
      ledger.watch(opened.engine);
      const fault = files.faults.fail({ of, code: "ENOSPC", nth });
      await write(ledger, opened);
      if (fault.failed === 0) break;
      points += 1;
      t.false(await isFailed(opened.engine));
      await opened.clock.advanceAndSettle(1000);
      await untilQuiet(files);
      t.is(typeof (await ledger.put(opened.engine)), "number");
      await checkAfter(files, ledger, SEED + nth);
      await opened.engine.close();
      t.is(files.openFiles, 0);
      await checkAfter(files, ledger, SEED + nth);
    }
  }
  t.log(`${points} points (seed ${SEED})`);
});

test("a crash at any step after a full disk brings nothing back that was refused", async (t) => {
  t.timeout(TIMEOUT_MS);
  let points = 0;
  for (let later = 1; later <= 12; later += 1) {
    for (const bytes of [0, 60, 200, 700]) {
      const files = new CrashingFiles({ seed: SEED + later });
      const { engine, clock } = await openOnDisk(files);
      await clock.settle();
      const ledger = new Ledger();
      await ledger.put(engine);
      files.faults.capacityBytes = files.takenBytes + bytes;
      const steps = files.steps;
      files.crashAt({ step: steps + later, moment: later % 2 === 0 ? "during" : "before" });
      const puts = [100, 20, 300, 20].map((length) => ledger.put(engine, length));
      await Promise.race([Promise.all(puts), files.crashed]);
      await Promise.race([clock.advanceAndSettle(1000), files.crashed]);
      await clock.settle();
      if (files.hasCrashed) points += 1;
      files.faults.capacityBytes = Number.POSITIVE_INFINITY;
      await checkAfter(files, ledger, SEED + later);
    }
  }
  t.log(`${points} points (seed ${SEED})`);
  t.true(points > 10);
});

test("the disk fills and is freed, over and over: nothing is lost, and deletes go on", async (t) => {
  t.timeout(TIMEOUT_MS);
  const cycles = scaled({ quick: 25, long: 200 });
  const files = new CrashingFiles({ seed: SEED });
  const options = { segmentMaxBytes: 16_384, spareBytes: 4096 };
  const { engine, clock, logger } = await openOnDisk(files, options);
  await clock.settle();
  const ledger = new Ledger();
  ledger.watch(engine);
  let refused = 0;
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    files.faults.capacityBytes = files.takenBytes + 5000 + (cycle % 7) * 300;
    for (let full = false; !full; ) {
      const told = await Promise.all([ledger.put(engine, 200), ledger.put(engine, 900)]);
      full = told.includes("NO_SPACE");
      refused += told.filter((one) => one === "NO_SPACE").length;
    }
    await clock.settle();
    t.is(await ledger.put(engine), "NO_SPACE");
    const { problems, outOfSpace } = await engine.status();
    t.regex(problems.join(), /full/);
    t.true(outOfSpace);
    t.is(typeof (await ledger.delete(engine)), "number");
    t.truthy((await engine.get(get(ledger.present[0] ?? ""))).entry);
    files.faults.capacityBytes = Number.POSITIVE_INFINITY;
    await clock.advanceAndSettle(1000);
    await until("writes go on", async () => typeof (await ledger.put(engine)) === "number");
    t.false((await engine.status()).outOfSpace);
    if (cycle % 5 === 0) await checkAfter(files, ledger, SEED + cycle);
  }
  t.false(await isFailed(engine));
  t.true(logger.texts("error").length >= cycles);
  await until("a snapshot is saved, and nothing is wrong any more", async () => {
    await clock.advanceAndSettle(60_000);
    await untilQuiet(files);
    return (await engine.status()).problems.length === 0;
  });
  await checkAfter(files, ledger, SEED);
  await engine.close();
  t.is(files.openFiles, 0);
  t.log(`${cycles} cycles, ${refused} refused, ${ledger.answered} answered (seed ${SEED})`);
});

test("short writes are followed by the rest", async (t) => {
  const files = new CrashingFiles({ seed: SEED });
  const { engine, clock } = await openOnDisk(files);
  await clock.settle();
  const ledger = new Ledger();
  for (let bytes = 1; bytes < 120; bytes += 1) {
    files.faults.shortenWrite({ bytes });
    t.is(typeof (await ledger.put(engine, bytes)), "number");
  }
  await checkAfter(files, ledger, SEED);
});

test("while the disk hangs reads go on, and nothing leaves that is not durable", async (t) => {
  const files = new CrashingFiles({ seed: SEED });
  const { engine, clock } = await openOnDisk(files);
  await clock.settle();
  await engine.put(put("a", "old"));
  const before = (await engine.status()).revision;
  const left: string[] = [];
  const leaves = (what: string, promise: Promise<unknown>) =>
    promise.then(
      () => left.push(what),
      (error) => left.push(`${what}: ${error.reason}`),
    );
  const watcher = engine.watch(watch(ALL));
  t.is((await watcher.next())?.kind, "created");
  const hold = files.faults.hold("sync");
  const snapshot = await engine.snapshot();

  leaves("put", engine.put(put("a", "new")));
  const told = watcher.next();
  leaves("delete", engine.delete(del("nothing")));
  leaves("lost race", engine.put(put("a", "x", { expectedModRevision: 1 })));
  leaves("grant", engine.grant({ id: 7n, ttlMs: 60_000 }));
  leaves("keepAlive", engine.keepAlive({ id: 7n }));
  leaves("time to live", engine.timeToLive({ id: 7n, withKeys: true, maxBytes: 1000 }));
  leaves("leases", engine.leases({ after: undefined, limit: 10 }));
  leaves("compact", engine.compact({ revision: before }));
  const later = await engine.snapshot();
  leaves("snapshot", later.next());
  await until("the sync hangs", () => hold.waiting > 0);
  await clock.advanceAndSettle(2500);

  t.deepEqual(left, []);
  t.truthy(await snapshot.next());
  snapshot.close();
  const { revision, entry } = await engine.get(get("a"));
  t.is(revision, before);
  t.is(entry?.modRevision, before);
  const rows = await engine.range(range(ALL));
  t.deepEqual([rows.revision, rows.entries.length], [before, 1]);
  watcher.requestProgress();
  const progress = await told;
  t.deepEqual(
    [progress?.kind, progress?.kind === "progress" && progress.revision],
    ["progress", before],
  );

  hold.release();
  await until("all are answered", () => left.length === 9);
  t.is((await watcher.next())?.kind, "events");
  t.true(left.includes("lost race: PRECONDITION_FAILED"));
  t.is((await engine.get(get("a"))).revision, before + 1);
  later.close();
  watcher.close();
  await engine.close();
});

test("a disk that hangs is told of", async (t) => {
  const files = new CrashingFiles({ seed: SEED });
  const { engine, clock, logger } = await openOnDisk(files);
  await clock.settle();
  const hold = files.faults.hold("sync", { in: "log-" });
  const answer = engine.put(put("a", "x"));
  await until("the sync hangs", () => hold.waiting > 0);
  clock.advance(3000);
  t.regex((await engine.status()).problems.join(), /3000 ms/);
  hold.release();
  await answer;
  await clock.settle();
  t.deepEqual((await engine.status()).problems, []);
  t.is(logger.texts("warn").length, 1);
  await engine.close();
});

test("a folder that is gone ends the log, and reads go on", async (t) => {
  const files = new CrashingFiles({ seed: SEED });
  const { engine, clock } = await openOnDisk(files);
  const ledger = new Ledger();
  await ledger.put(engine);
  files.forget(DATA);
  await clock.advanceAndSettle(1000);
  await ledger.put(engine);
  await engine.failed;
  t.is(await ledger.put(engine), "LOG_FAILED");
  t.truthy((await engine.get(get("k1"))).entry);
  await t.notThrowsAsync(engine.close());
});

test("on a disk that can only be read writes end, and reads go on", async (t) => {
  const files = new CrashingFiles({ seed: SEED });
  const { engine, clock } = await openOnDisk(files);
  await clock.settle();
  const ledger = new Ledger();
  await ledger.put(engine);
  files.faults.isReadOnly = true;
  t.is(await ledger.put(engine), "LOG_FAILED");
  t.is(((await engine.failed) as KvdError).reason, "LOG_FAILED");
  t.truthy((await engine.get(get("k1"))).entry);
  await engine.close();
  await checkAfter(files, ledger, SEED);
});

test("a disk that fails while a store is opened is no damage, and nothing is changed", async (t) => {
  const opened = await openOnDisk(new CrashingFiles({ seed: SEED }));
  await write(new Ledger(), opened);
  await untilQuiet(opened.files);
  const files = opened.files.kill();
  const contents = (disk: CrashingFiles) => disk.paths().map((path) => [path, disk.bytesAt(path)]);
  let points = 0;
  for (let isDone = false; !isDone; points += 1) {
    const disk = files.kill();
    const fault = disk.faults.fail({ of: "read", code: "EIO", nth: points + 1 });
    const told = await openOnDisk(disk).catch(codeOf);
    isDone = fault.failed === 0;
    if (isDone) break;
    t.is(told, "EIO");
    t.deepEqual(contents(disk), contents(files));
    await disk.lock(DATA);
  }
  t.true(points > 5);
});
