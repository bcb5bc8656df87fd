// The memory engine against the model: long random sequences of every command, each answer
// compared.
//
// KVD_RUNS and KVD_SEED set the number of runs and the seed; the seed is printed.

import { Readable } from "node:stream";
import test from "ava";
import fc from "fast-check";
import {
  type MemoryEngine,
  type MemoryEngineOptions,
  openMemoryEngine,
} from "../../server/engines/memory.js";
import { KvdError } from "../../server/kv/errors.js";
import { defaultLimits } from "../../server/kv/limits.js";
import type {
  BatchOperation,
  Entry,
  GetCommand,
  Operation,
  RangeQuery,
  RangeResult,
  TxnCommand,
} from "../../server/kv/types.js";
import * as arbitrary from "../support/arbitraries.js";
import { ManualClock } from "../support/manual-clock.js";
import { Model } from "../support/model.js";
import { snapshotOf } from "../support/snapshot.js";
import { historyOf } from "../support/take.js";

const RUNS = Number(process.env["KVD_RUNS"] ?? 1000);
const SEED = Number(process.env["KVD_SEED"] ?? Date.now() % 1_000_000);
const COMMANDS = 100;

type Step =
  | { kind: "get"; command: GetCommand }
  | { kind: "put"; command: Parameters<MemoryEngine["put"]>[0] }
  | { kind: "delete"; command: Parameters<MemoryEngine["delete"]>[0] }
  | { kind: "range"; query: RangeQuery }
  | { kind: "txn"; txn: TxnCommand }
  | { kind: "batch"; operations: readonly BatchOperation[] }
  | { kind: "grant"; id: bigint; ttlMs: number }
  | { kind: "keepAlive" | "revoke" | "timeToLive"; id: bigint }
  | { kind: "leases" }
  | { kind: "compact"; back: number }
  | { kind: "advance"; ms: number }
  | { kind: "restart" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("put" as const), command: arbitrary.put }),
  },
  fc.record({ kind: fc.constant("get" as const), command: arbitrary.get }),
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("delete" as const), command: arbitrary.remove }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("range" as const), query: arbitrary.range }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("txn" as const), txn: arbitrary.txn(1) }) },
  fc.record({
    kind: fc.constant("batch" as const),
    operations: fc.array(batchOperation(), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant("grant" as const),
    id: fc.oneof(fc.constant(0n), arbitrary.leaseId),
    ttlMs: fc.integer({ min: 1000, max: 90_000 }),
  }),
  fc.record({
    kind: fc.constantFrom("keepAlive" as const, "revoke" as const, "timeToLive" as const),
    id: arbitrary.leaseId,
  }),
  fc.record({ kind: fc.constant("leases" as const) }),
  fc.record({ kind: fc.constant("compact" as const), back: fc.integer({ min: -1, max: 30 }) }),
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(20_000) }),
  },
  fc.record({ kind: fc.constant("restart" as const) }),
);

function batchOperation(): fc.Arbitrary<BatchOperation> {
  return fc.oneof(
    arbitrary.get.map((command): BatchOperation => ({ kind: "get", get: command })),
    arbitrary.put.map((command): BatchOperation => ({ kind: "put", put: command })),
    arbitrary.remove.map((command): BatchOperation => ({ kind: "delete", delete: command })),
  );
}

test(`the engine answers ${RUNS} runs of ${COMMANDS} commands as the model does`, async (t) => {
  t.timeout(600_000);
  t.log(`seed ${SEED}`);
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: COMMANDS, maxLength: COMMANDS }),
      async (steps) => {
        const run = await Run.open();
        try {
          for (const each of steps) await run.step(each);
          await run.compareHistory();
        } finally {
          await run.engine.close();
        }
      },
    ),
    { numRuns: RUNS, seed: SEED, includeErrorInReport: true },
  );
  t.pass();
});

/** One engine and one model that go through the same steps. */
class Run {
  engine: MemoryEngine;
  readonly #options: MemoryEngineOptions;
  readonly #clock: ManualClock;
  readonly #model = new Model(counter());

  private constructor(engine: MemoryEngine, options: MemoryEngineOptions, clock: ManualClock) {
    this.engine = engine;
    this.#options = options;
    this.#clock = clock;
  }

  static async open(): Promise<Run> {
    const clock = new ManualClock();
    const limits = defaultLimits();
    const options = { limits, clock, storeId: "0".repeat(32), randomLeaseId: counter() };
    return new Run(await openMemoryEngine(options), options, clock);
  }

  /** From here on it is another engine, with what a snapshot of this one holds. */
  async #restart(): Promise<void> {
    const before = this.engine;
    const snapshot = Readable.from(await snapshotOf(before));
    this.engine = await openMemoryEngine({ ...this.#options, snapshot });
    // What was before the events of the compact revision itself may be gone.
    const from = Math.max(1, this.#model.compactRevision + 1);
    equal("history", await historyOf(this.engine, from), await historyOf(before, from));
    await before.close();
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case "advance":
        this.#clock.advance(step.ms);
        await this.#clock.settle();
        this.#model.advance(step.ms);
        break;
      case "get": {
        const command = this.#at(step.command);
        await this.#same(
          step,
          () => this.engine.get(command),
          () => this.#model.get(command),
        );
        break;
      }
      case "put":
        await this.#same(
          step,
          () => this.engine.put(step.command),
          () => this.#model.put(step.command),
        );
        break;
      case "delete":
        await this.#same(
          step,
          () => this.engine.delete(step.command),
          () => this.#model.delete(step.command),
        );
        break;
      case "range":
        await this.#range(this.#at(step.query));
        break;
      case "txn": {
        const txn = this.#txnAt(step.txn);
        const options = { maxBytes: 1_000_000 };
        await this.#same(
          step,
          () => this.engine.txn(txn, options),
          () => this.#model.txn(txn),
        );
        break;
      }
      case "batch":
        await this.#batch(step.operations);
        break;
      case "restart":
        await this.#restart();
        break;
      default:
        await this.#lease(step);
    }
    this.engine.check();
  }

  /** Every revision that can be read is as the model has it, and so is what watches would tell. */
  async compareHistory(): Promise<void> {
    const { revision, compactRevision, states } = this.#model;
    for (let at = Math.max(1, compactRevision); at <= revision; at += 7) {
      const result = await this.engine.range({ ...WHOLE, revision: at });
      const expected = [...(states[at]?.values() ?? [])].sort((left, right) =>
        Buffer.compare(left.key, right.key),
      );
      equal("range", plain(result.entries), plain(expected));
    }
    const status = await this.engine.status();
    equal(
      "status",
      [status.revision, status.compactRevision, status.keys, status.leases],
      [revision, compactRevision, this.#model.state.size, this.#model.leases.size],
    );
  }

  /** A revision counted back from the newest, and now and then one of the future. */
  #at<T extends { readonly revision: number }>(command: T): T {
    if (command.revision === 0) return command;
    const revision = Math.max(1, this.#model.revision + 2 - command.revision);
    return { ...command, revision };
  }

  #txnAt(txn: TxnCommand): TxnCommand {
    const at = (operation: Operation): Operation => {
      if (operation.kind === "get") return { kind: "get", get: this.#at(operation.get) };
      if (operation.kind === "range") return { kind: "range", range: this.#at(operation.range) };
      if (operation.kind === "txn") return { kind: "txn", txn: this.#txnAt(operation.txn) };
      return operation;
    };
    return { ...txn, success: txn.success.map(at), failure: txn.failure.map(at) };
  }

  async #batch(list: readonly BatchOperation[]): Promise<void> {
    const operations = list.map((operation) =>
      operation.kind === "get" ? { ...operation, get: this.#at(operation.get) } : operation,
    );
    await this.#same(
      { kind: "batch", operations },
      async () => (await this.engine.batch({ operations, maxBytes: 1_000_000 })).results,
      () => this.#model.batch(operations),
    );
  }

  /** All pages of a listing, with writes between them, are one listing of the model. */
  async #range(query: RangeQuery): Promise<void> {
    const first = await outcome(() => this.engine.range(query));
    const expected = await outcome(() => this.#model.rows(query));
    if (first instanceof Refusal || expected instanceof Refusal) {
      equal("range", plain(first), plain(expected));
      return;
    }
    let page = first as RangeResult;
    const { revision, rows } = expected as ReturnType<Model["rows"]>;
    equal("revision of a range", page.revision, revision);
    if (query.count === "only") {
      const counted = query.limit === 0 ? rows.length : Math.min(query.limit, rows.length);
      equal("count", [page.count, page.more, page.entries], [counted, counted < rows.length, []]);
      return;
    }
    if (query.count === "also") equal("count of all", page.count, rows.length);
    const entries: Entry[] = [];
    const prefixes: Uint8Array[] = [];
    for (;;) {
      entries.push(...page.entries);
      prefixes.push(...page.prefixes);
      const { length } = page.entries;
      if (query.limit > 0) equal("limit", length + page.prefixes.length <= query.limit, true);
      equal("more", page.more, page.next !== undefined);
      if (page.next === undefined) break;
      const command = { key: Buffer.from("a/b"), value: Buffer.from("z"), ...PLAIN_PUT };
      await this.#same(
        { kind: "put", command },
        () => this.engine.put(command),
        () => this.#model.put(command),
      );
      page = await this.engine.range({ ...query, revision: page.revision, resume: page.next });
      equal("revision of a page", page.revision, revision);
    }
    const isEntry = (row: Entry | Uint8Array): row is Entry => !(row instanceof Uint8Array);
    equal("entries", plain(entries), plain(rows.filter(isEntry)));
    equal("prefixes", plain(prefixes), plain(rows.filter((row) => !isEntry(row))));
  }

  async #lease(
    step: Extract<
      Step,
      { kind: "grant" | "keepAlive" | "revoke" | "timeToLive" | "leases" | "compact" }
    >,
  ): Promise<void> {
    const { engine } = this;
    const model = this.#model;
    switch (step.kind) {
      case "grant":
        return this.#same(
          step,
          async () => (await engine.grant(step)).id,
          () => model.grant(step),
        );
      case "keepAlive":
        return this.#same(
          step,
          async () => (await engine.keepAlive(step)).ttlMs,
          () => model.keepAlive(step.id),
        );
      case "revoke":
        return this.#same(
          step,
          async () => (await engine.revoke(step)).deleted,
          () => model.revoke(step.id),
        );
      case "timeToLive":
        return this.#same(
          step,
          async () => {
            const query = { id: step.id, withKeys: true, maxBytes: 1_000_000 };
            const { ttlMs, keys } = await engine.timeToLive(query);
            return { ttlMs, keys: keys.map((key) => Buffer.from(key).toString("hex")) };
          },
          () => model.timeToLive(step.id),
        );
      case "leases":
        return this.#same(
          step,
          async () => {
            const { leases } = await engine.leases({ after: undefined, limit: 1000 });
            return leases.map(({ id }) => id);
          },
          () => [...model.leases.keys()].sort((left, right) => (left < right ? -1 : 1)),
        );
      case "compact": {
        const revision = model.revision - step.back;
        if (revision < 1) return;
        return this.#same(
          step,
          async () => (await engine.compact({ revision })).compactRevision,
          () => {
            model.compact(revision);
            return revision;
          },
        );
      }
    }
  }

  async #same(step: Step, real: () => unknown, modelled: () => unknown): Promise<void> {
    const actual = await outcome(real);
    const expected = await outcome(modelled);
    equal(step.kind, plain(actual), plain(expected));
  }
}

const PLAIN_PUT = {
  lease: { kind: "none" },
  expectedModRevision: undefined,
  returnPrevious: false,
} as const;

const WHOLE: RangeQuery = {
  selector: { kind: "all" },
  revision: 0,
  order: "ascending",
  limit: 0,
  keysOnly: false,
  count: "no",
  delimiter: new Uint8Array(0),
  resume: undefined,
  maxBytes: 1_000_000,
};

function counter(): () => bigint {
  let next = 1000n;
  return () => {
    next += 1n;
    return next;
  };
}

/** What a call answers, or the reason for which it is refused. */
async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof KvdError)) throw error;
    return new Refusal(error);
  }
}

class Refusal {
  readonly reason: string;
  readonly details: object;

  constructor({ reason, details }: KvdError) {
    this.reason = reason;
    this.details = details;
  }
}

/** What is compared: bytes as hexadecimal digits, ranges of txns as rows, no `currentRevision`. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (value instanceof KvdError) return { reason: value.reason, details: plain(value.details) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(rowsOfRange(value))
    .filter(([name, field]) => field !== undefined && name !== "currentRevision")
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]));
}

/** A range inside a txn has all its rows: those of the model, entries and prefixes apart. */
function rowsOfRange(value: object): object {
  if ("rows" in value && "revision" in value) {
    const rows = value.rows as (Entry | Uint8Array)[];
    const entries = rows.filter((row) => !(row instanceof Uint8Array));
    const prefixes = rows.filter((row) => row instanceof Uint8Array);
    return { revision: value.revision, entries, prefixes, more: false };
  }
  return value;
}

function equal(what: string, actual: unknown, expected: unknown): void {
  const show = (value: unknown) =>
    JSON.stringify(value, (_, field) => (typeof field === "bigint" ? `${field}n` : field));
  if (show(actual) !== show(expected)) {
    throw new Error(`${what}: the engine says ${show(actual)}, the model ${show(expected)}`);
  }
}
