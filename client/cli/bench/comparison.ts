// Two results of one workload beside each other, with ratios: the second to the first.

import type { Output } from "../output.js";
import { tableText } from "../table.js";
import { plainLine } from "../terminal-text.js";
import { latencyText, PERCENTILES } from "./latency.js";
import { type BenchResult, grouped } from "./result.js";

export interface Figure {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** after / before; undefined when before is 0. */
  readonly ratio: number | undefined;
  readonly unit: "count" | "ms";
}

/** What both have. */
export function figuresOf(before: BenchResult, after: BenchResult): readonly Figure[] {
  const rates = (["operationsPerSecond", "requestsPerSecond"] as const).map((name) =>
    figure(name, "count", before[name], after[name]),
  );
  const latencies = Object.entries(after.latencyMs).flatMap(([kind, summary]) => {
    const earlier = before.latencyMs[kind];
    if (earlier === undefined) return [];
    return PERCENTILES.map((name) => figure(`${kind}.${name}`, "ms", earlier[name], summary[name]));
  });
  return [...rates, ...latencies];
}

function figure(name: string, unit: Figure["unit"], before: number, after: number): Figure {
  const ratio = before === 0 ? undefined : Number((after / before).toPrecision(4));
  return { name, before, after, ratio, unit };
}

export async function writeComparison(
  output: Output,
  before: BenchResult,
  after: BenchResult,
): Promise<void> {
  const figures = figuresOf(before, after);
  if (output.format === "json" || output.format === "jsonl") {
    await output.json({ before, after, figures });
    return;
  }
  const rows = figures.map((each) => [
    plainLine(each.name),
    amountText(each, each.before),
    amountText(each, each.after),
    each.ratio === undefined ? "" : `${each.ratio.toFixed(2)}x`,
  ]);
  const head = ["figure", "before", "after", "ratio"];
  await output.line(await tableText(head, rows, { right: [1, 2, 3] }));
  for (const [name, result] of [["before", before] as const, ["after", after] as const]) {
    if (!result.complete) output.note(`the run ${name} was ended early`);
    const errors = Object.values(result.errors).reduce((sum, count) => sum + count, 0);
    if (errors > 0) output.note(`the run ${name} had ${errors} errors`);
  }
}

function amountText({ unit }: Figure, amount: number): string {
  return unit === "ms" ? latencyText(amount) : grouped(amount);
}
