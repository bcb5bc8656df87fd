// Watches under random commands, bounds so small that they fall behind and fragment, and readers at
// any pace: every promise of every watch is checked against the model.
//
// KVD_RUNS and KVD_SEED set the number of runs and the seed; the seed is printed.

import test from "ava";
import fc from "fast-check";
import { type MemoryEngine, openMemoryEngine } from "../../server/engines/memory.js";
import type { Watcher } from "../../server/kv/engine.js";
import { KvdError } from "../../server/kv/errors.js";
import { defaultLimits } from "../../server/kv/limits.js";
import type { WatchMessage, WatchSpec } from "../../server/kv/types.js";
import * as arbitrary from "../support/arbitraries.js";
import { ManualClock } from "../support/manual-clock.js";
import { Model } from "../support/model.js";
import { brokenPromises } from "../support/watch-validators.js";

const RUNS = Number(process.env["KVD_RUNS"] ?? 300);
const SEED = Number(process.env["KVD_SEED"] ?? Date.now() % 1_000_000);
const COMMANDS = 100;

const open = fc.record({
  kind: fc.constant("open" as const),
  /** Revisions before the newest; negative: of the future; undefined: from now. */
  back: fc.option(fc.integer({ min: -4, max: 30 }), { nil: undefined }),
  selector: arbitrary.selector,
  includeCurrent: fc.boolean(),
  previous: fc.boolean(),
  exclude: fc.constantFrom("none" as const, "none" as const, "puts" as const, "deletes" as const),
  maxBytes: fc.constantFrom(1, 400, 2000, 1_000_000),
});

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("put" as const), put: arbitrary.put }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("delete" as const), delete: arbitrary.remove }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("txn" as const), txn: arbitrary.txn(1) }) },
  { weight: 2, arbitrary: open },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("pull" as const),
      which: fc.nat(),
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  fc.record({ kind: fc.constant("progress" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("compact" as const), back: fc.integer({ min: 0, max: 20 }) }),
  fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(70_000) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

test(`watches keep every promise in ${RUNS} runs of ${COMMANDS} commands`, async (t) => {
  t.timeout(600_000);
  t.log(`seed ${SEED}`);
  const ends = { watches: 0, compacted: 0, unsynced: 0, fragments: 0, progress: 0 };
  const steps = fc.array(step, { minLength: COMMANDS, maxLength: COMMANDS });
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const run = await Run.open(ends);
      try {
        for (const each of list) await run.step(each);
        await run.finish();
      } finally {
        await run.engine.close();
      }
    }),
    { numRuns: RUNS, seed: SEED, includeErrorInReport: true },
  );
  t.log(JSON.stringify(ends));
  for (const [what, count] of Object.entries(ends)) t.true(count > 0, `no ${what} at all`);
});

class Run {
  readonly engine: MemoryEngine;
  readonly #clock: ManualClock;
  readonly #model: Model;
  readonly #readers: Reader[] = [];
  readonly #ends: Record<string, number>;

  private constructor(engine: MemoryEngine, clock: ManualClock, ends: Record<string, number>) {
    this.engine = engine;
    this.#clock = clock;
    this.#ends = ends;
    this.#model = new Model(counter());
  }

  static async open(ends: Record<string, number>): Promise<Run> {
    const clock = new ManualClock();
    const limits = defaultLimits({
      watcherQueueMaxBytes: 1500,
      watchQueuesMaxBytes: 5000,
      watcherIdleMaxMs: 1e12,
    });
    const options = { limits, clock, randomLeaseId: counter() };
    return new Run(await openMemoryEngine(options), clock, ends);
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case "put":
        await this.#both(
          () => this.engine.put(step.put),
          () => this.#model.put(step.put),
        );
        break;
      case "delete":
        await this.#both(
          () => this.engine.delete(step.delete),
          () => this.#model.delete(step.delete),
        );
        break;
      case "txn": {
        const options = { maxBytes: 1_000_000 };
        await this.#both(
          () => this.engine.txn(step.txn, options),
          () => this.#model.txn(step.txn),
        );
        break;
      }
      case "open":
        this.#open(step);
        break;
      case "pull": {
        const reader = this.#readers[step.which % Math.max(1, this.#readers.length)];
        for (let left = step.count; left > 0 && (await reader?.pull()) === true; left -= 1);
        break;
      }
      case "progress":
        this.#readers[step.which % Math.max(1, this.#readers.length)]?.watcher.requestProgress();
        break;
      case "compact": {
        const revision = this.#model.revision - step.back;
        if (revision > this.#model.compactRevision) {
          await this.engine.compact({ revision });
          this.#model.compact(revision);
        }
        break;
      }
      case "advance":
        this.#clock.advance(step.ms);
        await this.#clock.settle();
        this.#model.advance(step.ms);
    }
    this.engine.check();
  }

  /** Reads all that is left, and judges. */
  async finish(): Promise<void> {
    const history = this.#model;
    for (const reader of this.#readers) {
      reader.watcher.requestProgress();
      while (await reader.pull());
      const broken = brokenPromises(reader, history);
      if (broken.size > 0) throw new Error(`${[...broken]} by ${show(reader)}`);
      reader.judgeEnd(history.revision);
      this.#count(reader);
      reader.watcher.close();
    }
    const { counters, watchers } = await this.engine.status();
    if (watchers !== 0) throw new Error(`${watchers} watches are left`);
    this.#add("unsynced", counters["watchers_unsynced"] ?? 0);
  }

  #open(spec: Extract<Step, { kind: "open" }>): void {
    const { selector, includeCurrent, previous, exclude, maxBytes, back } = spec;
    const startRevision =
      includeCurrent || back === undefined ? 0 : Math.max(1, this.#model.revision - back);
    const watchSpec: WatchSpec = {
      selector,
      startRevision,
      storeId: undefined,
      includeCurrent,
      previous,
      excludePuts: exclude === "puts",
      excludeDeletes: exclude === "deletes",
      progressIntervalMs: 0,
      maxBytes,
      wholeRevisionMaxBytes: 0,
    };
    const below = startRevision !== 0 && startRevision < this.#model.compactRevision;
    const watcher = this.engine.watch(watchSpec);
    this.#readers.push(new Reader(watcher, watchSpec, this.#clock, below));
  }

  async #both(real: () => Promise<unknown>, modelled: () => unknown): Promise<void> {
    const fails = async (run: () => unknown) => {
      try {
        await run();
        return undefined;
      } catch (error) {
        if (error instanceof KvdError) return error.reason;
        throw error;
      }
    };
    const [actual, expected] = [await fails(real), await fails(modelled)];
    if (actual !== expected) throw new Error(`the engine: ${actual}, the model: ${expected}`);
  }

  #count(reader: Reader): void {
    const { messages } = reader;
    this.#add("watches", 1);
    this.#add("compacted", reader.end?.reason === "REVISION_COMPACTED" ? 1 : 0);
    this.#add("progress", messages.filter(({ kind }) => kind === "progress").length);
    this.#add(
      "fragments",
      messages.filter((each) => each.kind === "events" && each.fragment).length,
    );
  }

  #add(what: string, count: number): void {
    this.#ends[what] = (this.#ends[what] ?? 0) + count;
  }
}

/** Reads a watch message by message, and never waits for what does not come. */
class Reader {
  readonly watcher: Watcher;
  readonly spec: WatchSpec;
  readonly messages: WatchMessage[] = [];
  end: KvdError | undefined;
  readonly #clock: ManualClock;
  readonly #refused: boolean;
  #pending: Promise<WatchMessage | KvdError | undefined> | undefined;

  constructor(watcher: Watcher, spec: WatchSpec, clock: ManualClock, refused: boolean) {
    this.watcher = watcher;
    this.spec = spec;
    this.#clock = clock;
    this.#refused = refused;
  }

  /** False when there is nothing to read now. */
  async pull(): Promise<boolean> {
    if (this.end !== undefined) return false;
    this.#pending ??= this.watcher.next().catch((error: unknown) => {
      if (error instanceof KvdError) return error;
      throw error;
    });
    const got = await Promise.race([this.#pending, this.#clock.settle()]);
    if (got === undefined) return false;
    this.#pending = undefined;
    if (got instanceof KvdError) this.end = got;
    else this.messages.push(got);
    return true;
  }

  /** A watch ends only by compaction; one that has not ended is at the newest revision. */
  judgeEnd(revision: number): void {
    const { end } = this;
    if (this.#refused && end?.reason !== "REVISION_COMPACTED")
      throw new Error("it was not refused");
    if (end === undefined) {
      const last = this.messages.at(-1);
      const early = this.spec.startRevision > revision + 1;
      if (early ? last?.kind === "created" : last?.revision === revision) return;
      throw new Error(`at ${last?.kind} ${last?.revision} of ${revision}: ${show(this)}`);
    }
    if (end.reason !== "REVISION_COMPACTED") throw new Error(`ended with ${end.reason}`);
    const told = this.messages.findLast(({ kind }) => kind === "events");
    const unfinished = told?.kind === "events" && told.fragment;
    const { resumeRevision } = end.details;
    if (resumeRevision === undefined || told === undefined) return;
    if (resumeRevision !== (unfinished ? told.revision : resumeRevision)) {
      throw new Error(`resume at ${resumeRevision} after ${told.revision}`);
    }
    if (resumeRevision < told.revision) throw new Error("resume before what was told");
  }
}

function show(reader: Reader): string {
  return JSON.stringify({ spec: reader.spec, messages: reader.messages }, (_, field) =>
    typeof field === "bigint" ? `${field}n` : field,
  );
}

function counter(): () => bigint {
  let next = 1000n;
  return () => {
    next += 1n;
    return next;
  };
}
