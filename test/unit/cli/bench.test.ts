// The parts of kvctl bench: workloads, when requests are due, keys, comparisons.

import test from "ava";
import { figuresOf } from "../../../client/cli/bench/comparison.js";
import { isLocal } from "../../../client/cli/bench/consent.js";
import { KeySpace, mixOf, randomFrom } from "../../../client/cli/bench/key-space.js";
import { latencyText } from "../../../client/cli/bench/latency.js";
import { Pace } from "../../../client/cli/bench/pace.js";
import { type BenchResult, grouped } from "../../../client/cli/bench/result.js";
import { Tally } from "../../../client/cli/bench/tally.js";
import {
  differences,
  workloadFrom,
  workloadFromForm,
  workloadText,
} from "../../../client/cli/bench/workload.js";
import { UsageError } from "../../../client/cli/failure.js";
import { Flags } from "../../../client/cli/flags.js";
import { KvdClientError } from "../../../client/index.js";

const workload = (values: Record<string, unknown> = {}) => workloadFrom(new Flags(values));

test("the workload of KVStore is four flags", (t) => {
  const given = { clients: "100", requests: "500", batch: "100", mix: "50:50" };
  t.like(workload(given), {
    mode: "batch",
    clients: 100,
    requests: 500,
    batch: 100,
    durationMs: 0,
    reads: 50,
    writes: 50,
  });
  const text = workloadText(workload(given));
  t.regex(text, /^batch, 100 clients x 500 requests x 100 operations, 50:50 reads:writes/);
});

test("time limits a bench unless requests do", (t) => {
  t.like(workload(), { mode: "unary", durationMs: 10_000, requests: 0, batch: 1, depth: 1 });
  t.like(workload({ requests: "5" }), { durationMs: 0, requests: 5 });
  t.like(workload({ requests: "5", duration: "1m" }), { durationMs: 60_000, requests: 5 });
});

test("modes have sizes of their own", (t) => {
  t.like(workload({ mode: "pipeline" }), { batch: 100, depth: 4 });
  t.like(workload({ mode: "batch" }), { batch: 100, depth: 1 });
  t.like(workload({ mode: "watch" }), { batch: 1, reads: 0, writes: 100 });
  t.like(workload({ valueSize: "4KiB" }), { valueBytes: 4_096 });
});

const refused = test.macro({
  exec: (t, values: Record<string, unknown>, says: RegExp) => {
    const error = t.throws(() => workload(values), { instanceOf: UsageError });
    t.regex(error?.message ?? "", says);
  },
  title: (_, values: Record<string, unknown>) => `no workload: ${JSON.stringify(values)}`,
});

test(refused, { mix: "0:0" }, /--mix/);
test(refused, { mix: "50" }, /READS:WRITES/);
test(refused, { clients: "0" }, /--clients/);
test(refused, { keys: "99999999999" }, /--keys/);
test(refused, { duration: "0s" }, /--duration/);
test(refused, { mode: "unary", batch: "2" }, /--batch/);
test(refused, { depth: "2" }, /--depth/);
test(refused, { mode: "watch", mix: "1:1" }, /--mix/);
test(refused, { mode: "watch", valueSize: "4" }, /--value-size/);
test(refused, { valueSize: "1XB" }, /--value-size/);
test(refused, { valueSize: "2MiB" }, /--value-size/);

test("a workload goes through JSON, and another one differs by name", (t) => {
  const one = workload({ batch: "10", rate: "100" });
  t.deepEqual(workloadFromForm(JSON.parse(JSON.stringify(one))), one);
  t.deepEqual(workloadFrom(new Flags({}), one), one);
  t.deepEqual(differences(one, one), []);
  t.deepEqual(differences(one, { ...one, rate: 0 }), ["rate 100 and 0"]);
  for (const broken of [undefined, 1, [], {}, { ...one, keys: -1 }, { ...one, mode: "x" }]) {
    t.is(workloadFromForm(broken), undefined);
  }
});

test("with a rate, requests are due at fixed times, however late they are taken", (t) => {
  const began = performance.now() - 1_000;
  const pace = new Pace({ rate: 1_000, durationMs: 0, requests: 3 }, began);
  t.deepEqual([pace.take(), pace.take()], [began, began + 1]);
  t.is(pace.unsent, 1);
  t.deepEqual([pace.take(), pace.take()], [began + 2, undefined]);
  t.is(pace.unsent, 0);
});

test("requests that were due before the end and never sent are counted", (t) => {
  const pace = new Pace({ rate: 100, durationMs: 500, requests: 0 }, performance.now() - 1_000);
  t.is(pace.take(), undefined);
  t.is(pace.unsent, 50);
});

test("who waits for a request that is due later gets it in its turn, or nothing at the end", async (t) => {
  const began = performance.now();
  const pace = new Pace({ rate: 500, durationMs: 0, requests: 4 }, began);
  const taken = await Promise.all([0, 1, 2, 3, 4, 5].map(() => pace.take()));
  t.deepEqual(taken, [began, began + 2, began + 4, began + 6, undefined, undefined]);
  const stopped = new Pace({ rate: 1, durationMs: 0, requests: 0 }, performance.now());
  stopped.take();
  const waiting = stopped.take();
  stopped.stop();
  t.is(await waiting, undefined);
  t.is(stopped.take(), undefined);
});

test("without a rate a request is due when it is asked for, until the time is over", (t) => {
  const pace = new Pace({ rate: 0, durationMs: 60_000, requests: 0 });
  t.is(typeof pace.take(), "number");
  const over = new Pace({ rate: 0, durationMs: 1, requests: 0 }, performance.now() - 2);
  t.is(over.take(), undefined);
  t.is(over.unsent, 0);
});

test("a mix has exactly its shares, spread evenly", (t) => {
  const next = mixOf({ reads: 1, writes: 3 });
  const kinds = Array.from({ length: 8 }, next);
  t.deepEqual(kinds, ["put", "put", "put", "get", "put", "put", "put", "get"]);
  t.true(Array.from({ length: 5 }, mixOf({ reads: 1, writes: 0 })).every((kind) => kind === "get"));
});

test("a seed repeats keys and values, in a prefix that is new each time", (t) => {
  const [one, same, other] = [1, 1, 2].map(
    (seed) => new KeySpace({ keys: 1_000, valueBytes: 64, seed }),
  );
  t.deepEqual(one?.value, same?.value);
  t.notDeepEqual(one?.value, other?.value);
  t.not(one?.prefix, same?.prefix);
  t.regex(one?.prefix ?? "", /^kvctl-bench\/[0-9a-f]{12}\/$/);
  const sequence = (seed: number) => Array.from({ length: 9 }, () => randomFrom(seed)(1_000));
  t.deepEqual(sequence(7), sequence(7));
  for (const seed of [0, 1, 2 ** 40]) {
    const random = randomFrom(seed);
    const drawn = new Set(Array.from({ length: 2_000 }, () => random(100)));
    t.is(drawn.size, 100, `${seed}`);
    t.true([...drawn].every((number) => Number.isInteger(number) && number >= 0 && number < 100));
  }
});

test("errors count by name, and a connection that is lost ends it", (t) => {
  const tally = new Tally();
  const full = new KvdClientError("RESOURCE_EXHAUSTED", "full", { reason: "STORE_FULL" });
  t.true(tally.failed(full, 2));
  t.true(tally.failed(new KvdClientError("DEADLINE_EXCEEDED", "late"), 1));
  t.false(tally.failed(new KvdClientError("UNAVAILABLE", "gone"), 1));
  t.deepEqual(tally.errors, { STORE_FULL: 2, DEADLINE_EXCEEDED: 1, UNAVAILABLE: 1 });
  t.is(tally.errorCount, 4);
  t.throws(() => tally.failed(new TypeError("a mistake of kvctl's"), 1));
});

test("latencies are told in milliseconds, by kind", (t) => {
  const tally = new Tally();
  for (let ms = 1; ms <= 1_000; ms += 1) tally.answered("get", { operations: 1, ms });
  const { get } = tally.summaries;
  for (const [name, ms] of [
    ["p50", 500],
    ["p99", 990],
    ["p999", 999],
    ["max", 1_000],
  ] as const) {
    const told = get?.[name] ?? 0;
    t.true(Math.abs(told - ms) <= ms / 500, `${name} ${told}`);
  }
  t.deepEqual([0.0414, 1.2345, 999, 2_345].map(latencyText), ["41us", "1.23ms", "999ms", "2.35s"]);
  t.is(grouped(1_234_567), "1,234,567");
});

test("two results have a ratio for every figure that both have", (t) => {
  const summary = { count: 1, mean: 1, p50: 1, p90: 2, p99: 3, p999: 4, max: 0 };
  const result = (rate: number, p50: number): BenchResult =>
    ({
      operationsPerSecond: rate,
      requestsPerSecond: rate,
      latencyMs: { get: { ...summary, p50 } },
    }) as unknown as BenchResult;
  const figures = figuresOf(result(100, 2), result(150, 1));
  t.like(figures[0], { name: "operationsPerSecond", before: 100, after: 150, ratio: 1.5 });
  t.like(
    figures.find(({ name }) => name === "get.p50"),
    { ratio: 0.5, unit: "ms" },
  );
  t.is(figures.find(({ name }) => name === "get.max")?.ratio, undefined);
});

test("only servers of this machine are loaded without being asked", (t) => {
  for (const own of [
    "127.0.0.1:7856",
    "localhost:1",
    "[::1]:7856",
    "unix:/s",
    "http://127.0.0.1:1",
  ])
    t.true(isLocal(own), own);
  for (const other of ["10.0.0.1:7856", "kvd:7856", "localhost.example:1", "127.0.0.1.example:1"])
    t.false(isLocal(other), other);
});
