// Which charts the suite draws, and of which series. What was not measured is left out, and a chart
// without anything is not drawn.

import type { Series } from "../case.js";
import { PERCENTILES } from "../cases/latency.js";
import { SIZE_CALLS } from "../cases/size-cost.js";
import { medianOf, summaryOf } from "../statistics.js";
import { type Bar, barChart, lineChart } from "./svg.js";

/** Charts by the names of their files. */
export function plotsOf(series: readonly Series[]): ReadonlyMap<string, string> {
  const plots = new Map<string, string>();
  const bars = (file: string, chart: { title: string; unit: string; rows: readonly Row[] }) => {
    const known = chart.rows.flatMap((row) => barOf(series, row));
    if (known.length > 0) plots.set(file, barChart({ ...chart, bars: known }));
  };
  bars("calls.svg", { title: "Call by call, 128 in flight", unit: "a second", rows: CALLS });
  bars("batches.svg", {
    title: "Half gets, half puts",
    unit: "operations a second",
    rows: BATCHES,
  });
  bars("memory.svg", { title: "Memory", unit: "resident bytes a key", rows: MEMORY });
  bars("start.svg", { title: "Start with 1 M keys", unit: "ms to the first answer", rows: START });
  const latency = latencyChart(series);
  if (latency !== undefined) plots.set("latency.svg", latency);
  const cost = costChart(series);
  if (cost !== undefined) plots.set("cost.svg", cost);
  return plots;
}

/** Case, series, and what the bar is called. */
type Row = readonly [name: string, series: string, label: string];

const CALLS: readonly Row[] = [
  ["get", "kvd Get", "kvd, Get"],
  ["get", "null Get", "null server, Get"],
  ["get", "etcd Range", "etcd, Range"],
  ["put", "kvd Put", "kvd, durable Put"],
  ["put", "null Put", "null server, Put"],
  ["put", "etcd Put", "etcd, durable Put"],
];

const BATCHES: readonly Row[] = [
  ["batch-memory", "kvd Batch, 100 a message, 100000 keys", "kvd, Batch of 100"],
  ["batch-memory", "kvd Pipeline, 100 a message, 100000 keys", "kvd, Pipeline of 100"],
  ["batch-memory", "Redis, 100 a message, 100000 keys", "Redis, -P 100"],
  ["batch-memory", "kvd Pipeline, 1000 a message, 100000 keys", "kvd, Pipeline of 1,000"],
  ["batch-memory", "Redis, 1000 a message, 100000 keys", "Redis, -P 1000"],
  ["batch-durable", "kvd Pipeline, 100 a message, 100000 keys", "kvd, durable Pipeline of 100"],
  ["batch-durable", "Redis, 100 a message, 100000 keys", "Redis, appendfsync always, -P 100"],
  ["batch-memory", "etcd Txn, 100 a message, 50 keys", "etcd, Txn of 100"],
];

const MEMORY: readonly Row[] = [
  ["memory", "kvd: memory", "kvd, 1 M keys"],
  ["memory", "Redis: memory", "Redis, 1 M keys"],
  ["memory-10m", "kvd: memory", "kvd, 10 M keys"],
  ["memory-10m", "Redis: memory", "Redis, 10 M keys"],
  ["real-keys", "kvd, memory", "kvd, 1.7 M places"],
  ["real-keys", "Redis, memory", "Redis, 1.7 M places"],
];

const START: readonly Row[] = [
  ["start", "kvd, from a snapshot", "kvd, snapshot"],
  ["start", "Redis, from its RDB", "Redis, RDB"],
  ["start", "kvd, from a log", "kvd, log"],
  ["start", "Redis, from its AOF", "Redis, AOF"],
];

function barOf(series: readonly Series[], [name, what, label]: Row): Bar[] {
  const values = valuesOf(series, name, what);
  if (values.length === 0) return [];
  const { median, min, max } = summaryOf(values);
  return [{ label, value: median, min, max, group: label.split(",")[0] ?? "" }];
}

function latencyChart(series: readonly Series[]): string | undefined {
  const names = ["kvd Get", "null Get", "etcd Range", "kvd Put", "etcd Put"];
  const lines = names
    .map((name) => ({
      name,
      values: PERCENTILES.map((each) => medianOf(valuesOf(series, "latency", `${name}, p${each}`))),
    }))
    .filter(({ values }) => values.some((value) => !Number.isNaN(value)));
  if (lines.length === 0) return undefined;
  const steps = PERCENTILES.map((each) => `p${each}`);
  return lineChart({ title: "Latency at 3,000 calls a second", unit: "ms", steps, lines });
}

function costChart(series: readonly Series[]): string | undefined {
  const sizes = [
    { name: "size-cost", keys: 10_000, step: "10 K keys" },
    { name: "size-cost", keys: 1_000_000, step: "1 M keys" },
    { name: "size-cost-10m", keys: 10_000_000, step: "10 M keys" },
  ];
  const value = (call: string, { name, keys }: { name: string; keys: number }) =>
    medianOf(valuesOf(series, name, `${call}, ${keys} keys`));
  const known = sizes.filter((size) => SIZE_CALLS.some((call) => !Number.isNaN(value(call, size))));
  if (known.length < 2) return undefined;
  const lines = SIZE_CALLS.map((call) => ({
    name: call,
    values: known.map((size) => value(call, size)),
  }));
  const steps = known.map(({ step }) => step);
  return lineChart({ title: "Cost of a call against size", unit: "µs", steps, lines });
}

function valuesOf(series: readonly Series[], name: string, what: string): readonly number[] {
  return series.find((each) => each.case === name && each.name === what)?.values ?? [];
}
