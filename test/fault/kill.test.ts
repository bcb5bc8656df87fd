// kill -9 of the real process under 8 writers and 4 readers, again and again in one data directory:
// what was acknowledged or seen is there afterwards, and the whole history is one that a store
// without faults could have.
//
// KVD_SEED sets the seed, which is printed.

import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { SEED, scaled, TIMEOUT_MS } from "../support/fault-scale.js";
import { judge, showJudgement } from "../support/history/judge.js";
import { wrongsKept } from "../support/history/keep.js";
import { FAMILIES, Load, openAccounts } from "../support/history/load.js";
import { HistoryRecorder } from "../support/history/recorder.js";
import { KVD, NODE, RunningProcess, temporaryFolder } from "../support/process.js";
import { type SeededRandom, seededRandom } from "../support/seeded-random.js";
import { ServerLife } from "../support/server-life.js";

const ROUNDS = scaled({ quick: 4, long: 100 });

test(`${ROUNDS} kills under 8 writers and 4 readers lose nothing`, async (t) => {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  const random = seededRandom(SEED);
  const dataDir = join(await temporaryFolder(t), "data");
  const recorder = new HistoryRecorder();
  const life = new ServerLife(t, { dataDir, args: ["--snapshot-interval", "1s"] });
  await life.start();
  await openAccounts(recorder, life.address);
  for (let round = 0; round < ROUNDS; round += 1) {
    await killUnderLoad({ life, recorder, random, round });
    if (random.below(3) === 0) await dieYoung(t, dataDir, random);
    await life.start();
  }
  const journal = await life.wholeJournal();
  const judgement = judge(recorder, journal, FAMILIES);
  t.log(`P2 random kills: ${ROUNDS}, ${showJudgement(judgement)}`);
  t.log(`slowest of ${life.startsMs.length} starts: ${Math.max(...life.startsMs).toFixed()} ms`);
  t.deepEqual([...life.problems, ...wrongsKept(judgement, recorder, journal)], []);
  t.true(judgement.acknowledged > 20 * ROUNDS);
});

interface Round {
  readonly life: ServerLife;
  readonly recorder: HistoryRecorder;
  readonly random: SeededRandom;
  readonly round: number;
}

async function killUnderLoad({ life, recorder, random, round }: Round): Promise<void> {
  const load = new Load({
    ...{ recorder, address: life.address, name: `k${round}.`, seed: random.below(1_000_000) },
    watchFrom: life.revision + 1,
  });
  await load.answered(50 + random.below(1_000));
  await life.kill();
  await load.stop();
  recorder.died();
}

/** A start that is killed before it serves, or just after. */
async function dieYoung(t: ExecutionContext, dataDir: string, random: SeededRandom): Promise<void> {
  const words = [NODE, KVD, "--data-dir", dataDir, "--listen", "127.0.0.1:0"] as const;
  const young = new RunningProcess(t, words);
  await young.output((stdout) => (stdout === "" ? undefined : true));
  for (let turns = random.below(5_000); turns > 0; turns -= 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  await young.kill();
}
