// The figures as a table of text: columns as wide as their widest cell.

import type { Series } from "../case.js";
import type { Machine } from "../machine.js";
import { medianOf, summaryOf } from "../statistics.js";
import { showBound, type Verdict } from "./goals.js";

export function tableOf(rows: readonly (readonly string[])[], leftColumns: number): string {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, at) => Math.max(known[at] ?? 0, cell.length)),
    [],
  );
  const lines = rows.map((row) =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return at < leftColumns ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

export function seriesTable(series: readonly Series[]): string {
  const head = ["case", "what", "unit", "median", "min", "max", "server", "sender"];
  const rows = series.map(({ case: name, name: what, unit, values, shares }) => {
    const { median, min, max } = summaryOf(values);
    const used = [shares.map(({ server }) => server), shares.map(({ sender }) => sender)];
    return [name, what, unit, ...[median, min, max].map(showNumber), ...used.map(showShare)];
  });
  return tableOf([head, ...rows], 3);
}

export function goalTable(verdicts: readonly Verdict[]): string {
  const head = ["row", "goal", "", "median", "min", "max", "bound"];
  const rows = verdicts.map(({ goal, ratio, met }) => {
    const said = met === undefined ? "not measured" : met ? "met" : "NOT MET";
    const cells = [ratio.median, ratio.min, ratio.max].map((value) =>
      Number.isNaN(value) ? "" : value.toFixed(2),
    );
    return [String(goal.row), goal.text, said, ...cells, showBound(goal)];
  });
  return tableOf([head, ...rows], 3);
}

export function machineText(machine: Machine): string {
  const { node, cpu, cores, memoryGib, kernel, pinned, peers } = machine;
  const told = Object.entries(peers).map(([name, version]) => `${name} ${version ?? "missing"}`);
  const cutting = pinned
    ? "servers on core 0, load on core 1"
    : "NOT PINNED: taskset or a core is missing";
  return `Node ${node}, ${cpu}, ${cores} cores, ${memoryGib} GiB, Linux ${kernel}\n${told.join(", ")}; ${cutting}\n`;
}

/** The median, in percent of a core. */
function showShare(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? "" : `${medianOf(known).toFixed(0)} %`;
}

/** Three digits that count, and thousands apart. */
export function showNumber(value: number): string {
  if (Number.isNaN(value)) return "";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
