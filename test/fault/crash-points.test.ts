// Every system call of a short history that changes something is a crash point: before it, and when
// it is done or half done and nobody has been told. Each is tried as the end of the process and as
// power cuts by several seeds, and then the store goes on and crashes again.
//
// After each crash: what was answered and what was shown is there, the rest is there up to some
// step, and the directory opens a second time with the same.

import test from "ava";
import { CrashRun } from "../support/crash-run.js";
import { play, scenesOf } from "../support/crash-script.js";
import { CRASH_MOMENTS, CrashingFiles, type CrashPoint } from "../support/crashing-files.js";
import type { CutMode } from "../support/disk-file.js";
import { SEED, scaled, TIMEOUT_MS } from "../support/fault-scale.js";
import { type SeededRandom, seededRandom } from "../support/seeded-random.js";

const SEEDS = scaled({ quick: 1, long: 100 });

const EXTREMES: readonly CutMode[] = ["applied", "zeroed", "trashed"];

const counts = { points: 0, kills: 0, powerCuts: 0, starts: 0, second: 0, lost: 0 };

/** The history up to a crash, or to its end. */
async function played(files: CrashingFiles, point: CrashPoint | undefined): Promise<CrashRun> {
  if (point !== undefined) files.crashAt(point);
  const run = new CrashRun(files);
  await Promise.race([run.open(), files.crashed]);
  if (!files.hasCrashed) await play(run, scenesOf(1));
  return run;
}

/** What a crash can leave of a disk, each by a name. */
function* disksAfter(files: CrashingFiles, seed: number): Generator<[string, CrashingFiles]> {
  yield ["kill", files.kill({ seed })];
  yield ["dropped", files.powerCut({ seed, mode: "dropped" })];
  const mode = EXTREMES[seed % EXTREMES.length] as CutMode;
  yield [mode, files.powerCut({ seed, mode })];
  for (let nth = 0; nth < SEEDS; nth += 1) {
    yield [`mixed by ${seed + nth}`, files.powerCut({ seed: seed + nth })];
  }
}

function nextDisk(files: CrashingFiles, random: SeededRandom): CrashingFiles {
  const seed = random.below(1_000_000);
  return random.below(3) === 0 ? files.kill({ seed }) : files.powerCut({ seed });
}

/** Half the starts after a crash end in a crash themselves. */
async function afterCrashedStart(run: CrashRun, random: SeededRandom): Promise<CrashRun> {
  if (random.below(2) === 0) return run;
  const { files } = run;
  files.crashAt({ step: files.steps + 1 + random.below(8), moment: random.pick(CRASH_MOMENTS) });
  await Promise.race([run.recover(), files.crashed]);
  await run.settle();
  counts.starts += files.hasCrashed ? 1 : 0;
  return run.onDisk(nextDisk(files, random));
}

/** Another crash right after the start finds all that the start has found. */
async function recoverTwice(run: CrashRun, seed: number): Promise<void> {
  for (const disk of [run.files.kill(), run.files.powerCut({ seed, mode: "dropped" })]) {
    const lost = await run.onDisk(disk).recover();
    if (lost !== 0) throw new Error("a start found what the next has lost");
  }
}

/** Recovers, opens again, goes on, and crashes again somewhere. */
async function survive(crashed: CrashRun, disk: CrashingFiles, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const run = await afterCrashedStart(crashed.onDisk(disk), random);
  counts.lost += await run.recover();
  await recoverTwice(run, seed);
  const { files } = run;
  files.crashAt({
    step: files.steps + 1 + random.below(60),
    moment: random.pick(CRASH_MOMENTS),
  });
  await play(run, scenesOf(2));
  const second = run.onDisk(nextDisk(files, random));
  await second.recover();
  counts.second += 1;
  await second.restart();
}

async function surviveAll(run: CrashRun, seed: number, where: string): Promise<void> {
  for (const [name, disk] of disksAfter(run.files, seed)) {
    counts[name === "kill" ? "kills" : "powerCuts"] += 1;
    try {
      await survive(run, disk, seed);
    } catch (error) {
      const text = error instanceof Error ? error.stack : String(error);
      const log = run.files.log.slice(-12).join("\n");
      throw new Error(`${where}, ${name}, seed ${seed}: ${text}\n${log}`);
    }
  }
}

test("a crash at any system call loses nothing that was answered or shown", async (t) => {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  const whole = await played(new CrashingFiles({ seed: SEED }), undefined);
  await whole.check();
  const steps = whole.files.steps;
  for (let step = 1; step <= steps; step += 1) {
    for (const moment of CRASH_MOMENTS) {
      const run = await played(new CrashingFiles({ seed: SEED + step }), { step, moment });
      counts.points += 1;
      await surviveAll(run, SEED + step * 1001, `${moment} step ${step}`);
    }
  }
  t.log(
    `${steps} steps, ${counts.points} crash points: ${counts.kills} kills, ` +
      `${counts.powerCuts} power cuts, ${counts.starts} crashed starts, ` +
      `${counts.second} second crashes; ` +
      `${counts.lost} steps lost that nobody had been told of`,
  );
  t.pass();
});
