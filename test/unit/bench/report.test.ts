// The suite's verdicts, tables, charts, and what it reads of a collector's trace.

import test from "ava";
import type { Case, Goal, Series } from "../../../bench/case.js";
import { pausesIn } from "../../../bench/cases/collection.js";
import { verdictsOf } from "../../../bench/report/goals.js";
import { plotsOf } from "../../../bench/report/plots.js";
import { barChart, lineChart, niceTop } from "../../../bench/report/svg.js";
import { showNumber, tableOf } from "../../../bench/report/table.js";

const series = (name: string, values: number[]): Series => ({
  case: "get",
  name,
  unit: "a second",
  values,
  shares: [],
});

const goal = (over: string, bound: Goal["bound"]): Goal => ({
  row: 1,
  text: over,
  over,
  under: "peer",
  bound,
});

test("a goal is met when the median of its ratios keeps to the bound", (t) => {
  const goals = [
    goal("half", { atLeast: 0.5 }),
    goal("half", { atLeast: 0.6 }),
    goal("half", { atMost: 0.4 }),
    goal("missing", { atLeast: 1 }),
  ];
  const one: Case = { name: "get", about: "", goals, run: async () => {} };
  const measured = [series("half", [1, 5, 50]), series("peer", [10, 10, 10])];
  const verdicts = verdictsOf([one], measured);
  t.deepEqual(
    verdicts.map(({ met }) => met),
    [true, false, false, undefined],
  );
});

test("columns of a table are as wide as their widest cell", (t) => {
  t.is(
    tableOf(
      [
        ["a", "b"],
        ["long", "12"],
      ],
      1,
    ),
    "a      b\nlong  12\n",
  );
});

test("numbers show three digits that count", (t) => {
  t.deepEqual([1234567, 123.4, 12.34, 1.234, Number.NaN].map(showNumber), [
    "1,234,567",
    "123",
    "12.3",
    "1.23",
    "",
  ]);
});

test("a bar is as long as its value is great, and texts are escaped", (t) => {
  const bars = [
    { label: "a < b", value: 50, min: 40, max: 100, group: "a" },
    { label: "c", value: 100, min: 100, max: 100, group: "c" },
  ];
  const svg = barChart({ title: "T", unit: "u", bars });
  const widths = [...svg.matchAll(/<rect [^>]*width='([\d.]+)'/g)].map(([, width]) =>
    Number(width),
  );
  t.is(widths.length, 2);
  t.is((widths[0] ?? 0) * 2, widths[1] ?? 0);
  t.true(svg.includes("a &lt; b"));
  t.false(svg.includes("a < b"));
});

test("a line has a point for each known value", (t) => {
  const steps = ["p50", "p90", "p99"];
  const lines = [{ name: "x", values: [1, Number.NaN, 3] }];
  const svg = lineChart({ title: "T", unit: "ms", steps, lines });
  const points = /points='([^']*)'/.exec(svg)?.[1]?.split(" ");
  t.is(points?.length, 2);
  t.false(svg.includes("NaN"));
});

test("an axis ends at 1, 2 or 5 times a power of ten", (t) => {
  t.deepEqual([0, 0.7, 1, 1.1, 23, 501].map(niceTop), [1, 1, 1, 2, 50, 1000]);
});

test("charts are drawn of what was measured, and of nothing else", (t) => {
  t.deepEqual([...plotsOf([]).keys()], []);
  t.deepEqual([...plotsOf([series("kvd Get", [1, 2, 3])]).keys()], ["calls.svg"]);
});

test("pauses are read from the trace of the collector", (t) => {
  const text = [
    "[1:0x1]  55 ms: Scavenge 3.8 (4.0) -> 3.4 (5.0) MB, 3.93 / 0.00 ms  (average mu = 1.0) task",
    '{"level":"info","msg":"listening"}',
    "[1:0x1]  90 ms: Mark-Compact (reduce) 13.3 (18.7) -> 7.2 (17.7) MB, 12.5 / 0.1 ms  (+ 1 ms)",
  ];
  t.deepEqual(pausesIn(text.join("\n")), [
    { kind: "Scavenge", ms: 3.93 },
    { kind: "Mark-Compact", ms: 12.5 },
  ]);
});
