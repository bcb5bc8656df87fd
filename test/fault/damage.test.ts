// Damage to any byte of any file of a data directory: the store refuses to open, naming the file,
// or it opens with exactly what it had. Never with anything else: only the end of the log, and only
// after a crash, can be gone without anybody being able to tell.
//
// The quick set takes some of the mutations by a seed, the long one all.

import test, { type ExecutionContext } from "ava";
import { DataError } from "../../server/wal/data-error.js";
import { put } from "../support/commands.js";
import { CrashRun } from "../support/crash-run.js";
import { play, scenesOf } from "../support/crash-script.js";
import { CrashingFiles } from "../support/crashing-files.js";
import { DATA } from "../support/disk-engine.js";
import { SEED, scaled, TIMEOUT_MS } from "../support/fault-scale.js";
import {
  flippedBits,
  type Mutation,
  movedFiles,
  movedRecords,
  otherLengths,
  zeroedSectors,
} from "../support/mutations.js";
import { type SeededRandom, seededRandom } from "../support/seeded-random.js";

/** Of each kind of mutation and each kind of end, at most so many. */
const MOST = scaled({ quick: 400, long: 20_000 });

type End = "crash" | "clean stop";

/** A store with segments and two snapshots; the last steps were written one by one. */
async function written(end: End): Promise<CrashRun> {
  const run = new CrashRun(new CrashingFiles({ seed: SEED }));
  await run.open();
  await play(run, scenesOf(1));
  for (const key of ["v", "w", "x", "y", "z"]) await run.act({ kind: "put", put: put(key, "x") });
  if (end === "clean stop") await run.close();
  return run;
}

const isSegment = (path: string) => path.startsWith(`${DATA}/log-`);

interface Counts {
  refused: number;
  same: number;
  torn: number;
}

/**
 * How many steps can be gone without a sign: those at the end of the log, when nothing says where
 * it was, and one only when the damage is in one record.
 */
function mostLost({ paths, isSmall = false }: Mutation, run: CrashRun, end: End): number {
  const last = run.files.paths().findLast(isSegment);
  const isTold = end === "clean stop" && !paths.some((path) => path.endsWith("clean.json"));
  if (isTold || !paths.some((path) => path === last)) return 0;
  return isSmall ? 1 : run.steps;
}

async function tryOut(run: CrashRun, mutation: Mutation, end: End): Promise<keyof Counts> {
  const disk = run.files.kill();
  mutation.apply(disk);
  const after = run.onDisk(disk);
  after.expect({ least: run.steps - mostLost(mutation, run, end), most: run.steps });
  try {
    const lost = await after.recover();
    if (mutation.isSmall) mustWarn(mutation, after, lost);
    return lost === 0 ? "same" : "torn";
  } catch (error) {
    const named = mutation.isSmall ? mutation.paths[0] : DATA;
    if (error instanceof DataError && error.message.includes(`${named}`)) return "refused";
    const text = error instanceof Error ? error.stack : error;
    throw new Error(`after a ${end}, ${mutation.what}: ${text}`);
  }
}

/** What is dropped is told, and which snapshot could not be used. */
function mustWarn({ paths }: Mutation, { files, logger }: CrashRun, lost: number): void {
  const all = files.paths().map((path) => path.replace("/damaged-", "/"));
  const newest = all.sort().findLast((path) => path.startsWith(`${DATA}/snapshot-`));
  const warnings = logger.texts("warn");
  const isDue = lost > 0 || paths[0] === newest;
  const isTold = warnings.length === 1 && warnings[0]?.includes(`${paths[0]}`);
  if (isDue !== isTold) throw new Error(`${warnings.length} warnings: ${warnings}`);
}

/** Some of them, by a seed, in their order. */
function someOf(all: readonly Mutation[], random: SeededRandom): readonly Mutation[] {
  let left = Math.min(MOST, all.length);
  return all.filter((_, index) => {
    if (random.below(all.length - index) >= left) return false;
    left -= 1;
    return true;
  });
}

type Mutate = (
  disk: CrashingFiles,
  random: SeededRandom,
  foreign: CrashingFiles,
) => Iterable<Mutation>;

async function tryAll(t: ExecutionContext, mutate: Mutate): Promise<void> {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  for (const end of ["crash", "clean stop"] as const) {
    const random = seededRandom(SEED);
    const run = await written(end);
    const foreign = await written(end);
    const all = [...mutate(run.files, random, foreign.files)];
    const counts: Counts = { refused: 0, same: 0, torn: 0 };
    const mutations = someOf(all, random);
    for (const mutation of mutations) counts[await tryOut(run, mutation, end)] += 1;
    t.log(
      `after a ${end}, ${mutations.length} of ${all.length} mutations: ${counts.refused} refused, ` +
        `${counts.same} with all there is, ${counts.torn} with the end of the log gone`,
    );
    t.true(counts.refused > 0);
    if (end === "clean stop") t.true(counts.torn <= 1);
  }
}

test("a flipped bit never changes a value", tryAll, flippedBits);
test("512 zeros in any place never change a value", tryAll, zeroedSectors);
test("a file of another length never changes a value", tryAll, otherLengths);
test("records that are moved never change a value", tryAll, movedRecords);

test("files that are missing, moved or foreign never change a value", tryAll, (disk, _, foreign) =>
  movedFiles(disk, foreign),
);
