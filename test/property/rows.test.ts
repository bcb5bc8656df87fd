// The store against the model while its memory is small: segments of rows fill, are emptied by
// moving what is left and are let go, and steps are refused and taken back, at every turn. All its
// invariants hold after each step, and what was given out stays as it was.
//
// KVD_ROW_RUNS and KVD_SEED set the number of runs and the seed; the seed is printed.

import test from "ava";
import { KvdError } from "../../server/kv/errors.js";
import { StoreRun } from "../support/store-run.js";

const RUNS = Number(process.env["KVD_ROW_RUNS"] ?? 40);
const SEED = Number(process.env["KVD_SEED"] ?? Date.now() % 1_000_000);
const STEPS = 400;

test(`a store of small segments does ${RUNS} runs of ${STEPS} steps as the model does`, (t) => {
  t.timeout(600_000);
  const reached = { moved: 0, released: 0, refused: 0, forgotten: 0, given: 0, full: 0 };
  for (let index = 0; index < RUNS; index += 1) {
    const run = new StoreRun(SEED + index, reached);
    try {
      for (let step = 0; step < STEPS; step += 1) run.step();
      run.end();
    } catch (error) {
      const why = error instanceof KvdError ? error.reason : "";
      throw new Error(`KVD_SEED=${SEED + index} KVD_ROW_RUNS=1 ${why}`, { cause: error });
    }
  }
  t.log(`seed ${SEED}`, reached);
  for (const [what, count] of Object.entries(reached)) t.true(count > 0, what);
});
