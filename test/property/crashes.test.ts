// Random commands, with kills, power cuts, full disks and stops among them: after each of these
// the store is as the model was after some step, with all that was answered and shown; and then it
// goes on.
//
// KVD_RUNS and KVD_SEED set the number of runs and the seed; the seed is printed.

import test from "ava";
import fc from "fast-check";
import * as arbitrary from "../support/arbitraries.js";
import { CrashRun } from "../support/crash-run.js";
import { CRASH_MOMENTS, CrashingFiles, type CrashMoment } from "../support/crashing-files.js";
import { untilQuiet } from "../support/disk-engine.js";
import { CUT_MODES, type CutMode } from "../support/disk-file.js";
import { SEED, scaled, TIMEOUT_MS } from "../support/fault-scale.js";
import type { Act } from "../support/store-acts.js";

const RUNS = Number(process.env["KVD_RUNS"] ?? scaled({ quick: 100, long: 5000 }));
const COMMANDS = 60;

type Step =
  /** Several acts in one turn, so that they share a write; later ones do not wait for `pending`. */
  | { readonly kind: "acts"; readonly acts: readonly Act[]; readonly pending: boolean }
  /** They find the disk full, and a second later there is space again. */
  | { readonly kind: "full"; readonly acts: readonly Act[] }
  | { readonly kind: "compact"; readonly back: number }
  | { readonly kind: "read"; readonly key: Uint8Array }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "stop" }
  /** At one of the next changes to the disk, or at the next step of this kind. */
  | {
      readonly kind: "crash";
      readonly inSteps: number;
      readonly moment: CrashMoment;
      readonly leaves: CutMode | "all";
      readonly seed: number;
    };

type Crash = Extract<Step, { kind: "crash" }>;

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: arbitrary.put.map((put): Act => ({ kind: "put", put })) },
  {
    weight: 2,
    arbitrary: arbitrary.remove.map((remove): Act => ({ kind: "delete", delete: remove })),
  },
  { weight: 2, arbitrary: arbitrary.txn(1).map((txn): Act => ({ kind: "txn", txn })) },
  fc.record({
    kind: fc.constant("grant" as const),
    id: fc.oneof(fc.constant(0n), arbitrary.leaseId),
    ttlMs: fc.integer({ min: 1000, max: 90_000 }),
  }),
  fc.record({
    kind: fc.constantFrom("keepAlive" as const, "revoke" as const),
    id: arbitrary.leaseId,
  }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("acts" as const),
      acts: fc.array(act, { minLength: 1, maxLength: 4 }),
      pending: fc.boolean(),
    }),
  },
  fc.record({
    kind: fc.constant("full" as const),
    acts: fc.array(act, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant("compact" as const), back: fc.integer({ min: 0, max: 30 }) }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("read" as const), key: arbitrary.key }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(20_000) }),
  },
  fc.record({ kind: fc.constant("stop" as const) }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("crash" as const),
      inSteps: fc.integer({ min: 1, max: 25 }),
      moment: fc.constantFrom(...CRASH_MOMENTS),
      leaves: fc.constantFrom("all" as const, "mixed" as const, ...CUT_MODES),
      seed: fc.nat(1_000_000),
    }),
  },
);

const counts = { kills: 0, powerCuts: 0, full: 0, lost: 0 };

/** One store that goes through its steps, and through its crashes. */
class Life {
  #run: CrashRun;
  #crash: Crash | undefined;
  #pending: Promise<unknown>[] = [];

  private constructor(run: CrashRun) {
    this.#run = run;
  }

  static async begin(): Promise<Life> {
    const run = new CrashRun(new CrashingFiles());
    await run.open();
    return new Life(run);
  }

  async step(next: Step): Promise<void> {
    const { files } = this.#run;
    if (next.kind === "crash") {
      if (this.#crash !== undefined) files.crash();
      else files.crashAt({ step: files.steps + next.inSteps, moment: next.moment });
      this.#crash ??= next;
    } else {
      await Promise.race([this.#do(next), files.crashed]);
    }
    if (files.hasCrashed) await this.#recover();
  }

  async end(): Promise<void> {
    const { files } = this.#run;
    await Promise.race([Promise.all(this.#pending), files.crashed]);
    await untilQuiet(files);
    if (files.hasCrashed) await this.#recover();
    await this.#run.check();
  }

  async #do(next: Exclude<Step, Crash>): Promise<void> {
    const run = this.#run;
    switch (next.kind) {
      case "acts": {
        const answers = next.acts.map((each) => run.act(each));
        this.#pending.push(...answers);
        if (next.pending) await run.settle(1);
        else await Promise.all(answers);
        return;
      }
      case "full":
        await untilQuiet(run.files);
        await this.#untie();
        if (await run.actWhenFull(next.acts)) counts.full += 1;
        await untilQuiet(run.files);
        await run.advance(1000);
        return untilQuiet(run.files);
      case "compact": {
        await untilQuiet(run.files);
        const revision = run.model.revision - next.back;
        if (revision > 0) await run.act({ kind: "compact", revision });
        return;
      }
      case "read":
        return run.read(next.key);
      case "advance":
        await this.#untie();
        return run.advance(next.ms);
      case "stop":
        await Promise.all(this.#pending);
        return run.restart();
    }
  }

  /** Leases that would end at the same moment would do so in no order: all but one of them go. */
  async #untie(): Promise<void> {
    const { model } = this.#run;
    const deadlines = new Set<number>();
    for (const { id, deadlineMs } of [...model.leases.values()]) {
      if (deadlines.has(deadlineMs)) await this.#run.act({ kind: "revoke", id });
      deadlines.add(deadlineMs);
    }
  }

  async #recover(): Promise<void> {
    const { leaves, seed } = this.#crash as Crash;
    this.#crash = undefined;
    this.#pending = [];
    await this.#run.settle();
    const { files } = this.#run;
    counts[leaves === "all" ? "kills" : "powerCuts"] += 1;
    const disk = leaves === "all" ? files.kill({ seed }) : files.powerCut({ seed, mode: leaves });
    this.#run = this.#run.onDisk(disk);
    counts.lost += await this.#run.recover();
  }
}

test(`${RUNS} stores go through ${COMMANDS} commands, stops and crashes as the model does`, async (t) => {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: COMMANDS, maxLength: COMMANDS }),
      async (steps) => {
        const life = await Life.begin();
        for (const each of steps) await life.step(each);
        await life.end();
      },
    ),
    { numRuns: RUNS, seed: SEED, includeErrorInReport: true },
  );
  t.log(
    `${counts.kills} kills, ${counts.powerCuts} power cuts, ${counts.full} full disks; ` +
      `${counts.lost} steps lost that nobody had been told of`,
  );
  t.pass();
});
