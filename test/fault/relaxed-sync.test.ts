// Writes that are answered before they are synced (--fsync everysec, never): the end of the process
// loses none, a power cut loses the newest at most, and never is a revision given out twice.

import test, { type ExecutionContext } from "ava";
import { ALL, get, put, range, text } from "../support/commands.js";
import { CrashingFiles } from "../support/crashing-files.js";
import { type DiskEngineOptions, openOnDisk, untilQuiet } from "../support/disk-engine.js";
import { SEED, scaled, TIMEOUT_MS } from "../support/fault-scale.js";
import { seededRandom } from "../support/seeded-random.js";
import { until } from "../support/take.js";

const ROUNDS = scaled({ quick: 30, long: 2000 });

type Policy = "everysec" | "never";

interface Written {
  readonly files: CrashingFiles;
  /** Keys in the order of their writes, all of them answered. */
  readonly keys: readonly string[];
  /** How many of them must have been synced. */
  readonly synced: number;
  readonly revision: number;
}

const nameOf = (nth: number) => `k${String(nth).padStart(4, "0")}`;

/** Writes until a crash somewhere; all in the run of a system named "first". */
async function written(fsync: Policy, seed: number): Promise<Written> {
  const random = seededRandom(seed);
  const files = new CrashingFiles({ seed });
  const { engine, clock } = await openOnDisk(files, { fsync, bootId: "first" });
  const keys: string[] = [];
  let synced = 0;
  let revision = 0;
  for (let nth = 1 + random.below(60); nth > 0; nth -= 1) {
    const key = nameOf(keys.length);
    const value = "x".repeat(random.below(200));
    revision = (await engine.put(put(key, value))).revision;
    keys.push(key);
    if (random.below(8) > 0) continue;
    await clock.advanceAndSettle(1000);
    await untilQuiet(files);
    if (fsync === "everysec") synced = keys.length;
  }
  return { files, keys, synced, revision };
}

async function keysIn(files: CrashingFiles, options: DiskEngineOptions) {
  const opened = await openOnDisk(files, options);
  const { entries } = await opened.engine.range(range(ALL));
  opened.engine.check();
  const status = await opened.engine.status();
  return { ...opened, keys: entries.map(({ key }) => text(key)), status };
}

async function tryOut(t: ExecutionContext, fsync: Policy): Promise<void> {
  t.timeout(TIMEOUT_MS);
  let lost = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const seed = SEED + round;
    const { files, keys, synced, revision } = await written(fsync, seed);

    const killed = await keysIn(files.kill(), { fsync, bootId: "first" });
    t.deepEqual(killed.keys, keys);
    t.is(killed.status.revision, revision);

    const cut = files.powerCut({ seed });
    const after = await keysIn(cut, { fsync, bootId: "second" });
    t.true(after.keys.length >= synced);
    t.deepEqual(after.keys, keys.slice(0, after.keys.length));
    t.true(after.status.revision > revision);
    t.is(after.status.compactRevision, after.status.revision);
    t.true((await after.engine.put(put("later", "x"))).revision > after.status.revision);
    lost += keys.length - after.keys.length;

    const disk = cut.kill();
    const strict = await keysIn(disk, { fsync: "always", bootId: "second" });
    t.true(strict.keys.includes("later"));
    const answered = await strict.engine.put(put("last", "x"));
    const dropped = disk.powerCut({ seed, mode: "dropped" });
    const last = await keysIn(dropped, { fsync: "always", bootId: "third" });
    t.true(last.keys.includes("later") && last.keys.includes("last"));
    t.is(last.status.revision, answered.revision);
  }
  t.log(`${ROUNDS} power cuts, ${lost} writes lost, as the policy has it (seed ${SEED})`);
  t.true(lost > 0);
}

test("everysec loses nothing to a kill, and a second to a power cut", tryOut, "everysec");
test("never loses nothing to a kill, and no revision is given out twice", tryOut, "never");

test("with everysec an answer waits for the file, and a sync follows within a second", async (t) => {
  const files = new CrashingFiles({ seed: SEED });
  const { engine, clock } = await openOnDisk(files, { fsync: "everysec", bootId: "first" });
  await clock.settle();
  const hold = files.faults.hold("sync", { in: "log-" });
  await engine.put(put("a", "x"));
  t.is(hold.waiting, 0);
  clock.advance(1000);
  await until("it is synced", () => hold.waiting === 1);
  t.truthy((await engine.get(get("a"))).entry);
  hold.release();
  await clock.settle();
  const cut = files.powerCut({ seed: SEED, mode: "dropped" });
  t.deepEqual((await keysIn(cut, { fsync: "everysec", bootId: "second" })).keys, ["a"]);
  await engine.close();
});
