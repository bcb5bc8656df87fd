// kvctl stat: how the server changes, a line each second.

import { setTimeout as pause } from "node:timers/promises";
import type { Status } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { COLUMNS, type Column, type Interval } from "../stat/columns.js";

export const statCommand: CommandDefinition = {
  usage: "",
  details: [
    "Prints a line for each interval, until it is interrupted: revisions a second, keys, bytes of the",
    "present entries, of history and on the disk, watches, those that are behind, leases, revisions that",
    "are not durable yet, and a second: entries looked at, searches, changes compacted. A write is a",
    "revision, and so is a txn or a batch's operation; reads the server does not count. Rates begin with",
    "the second line. A narrow terminal shows the first columns. With --output jsonl (or json), an object",
    "a line, with exact numbers.",
  ].join(" "),
  options: [
    { flags: "--interval <duration>", description: "from line to line", fallback: "1s" },
    { flags: "--count <count>", description: "end after so many lines; 0: go on", fallback: "0" },
  ],
  examples: [
    { run: "kvctl stat", says: "a line a second" },
    { run: "kvctl stat --interval 5s --count 12", says: "a minute" },
    { run: "kvctl stat --output jsonl >> stat.jsonl", says: "for programs" },
  ],
  run,
};

const INTERVAL_MIN_MS = 10;
/** A timer cannot be set for longer. */
const INTERVAL_MAX_MS = 86_400_000;

/** After so many lines the head comes again. */
const HEAD_LINES = 20;

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, output, signal } = invocation;
  if (words[0] !== undefined) throw new UsageError(`stat takes no words, not "${words[0]}"`);
  const format = flags.text("output");
  if (format === "table" || format === "raw") {
    throw new UsageError(`stat writes text, json or jsonl, not ${format}`);
  }
  const intervalMs = flags.durationMs("interval") ?? 1_000;
  if (intervalMs < INTERVAL_MIN_MS || intervalMs > INTERVAL_MAX_MS) {
    throw new UsageError("--interval is from 10ms to 1d");
  }
  const count = flags.number("count") || Number.POSITIVE_INFINITY;
  const kv = await invocation.connect();
  let before: Status | undefined;
  let at = performance.now();
  let due = at;
  for (let line = 0; line < count; line += 1) {
    if (line > 0) {
      due = Math.max(due + intervalMs, performance.now());
      await pause(Math.max(1, due - performance.now()), undefined, { signal }).catch(() => {});
      if (signal.aborted) return signal.reason as ExitCode;
    }
    const now = await kv.maintenance.status({ signal });
    const asked = performance.now();
    await write(invocation, { before, now, seconds: (asked - at) / 1_000 }, line);
    await output.flush();
    before = now;
    at = asked;
  }
  return EXIT.ok;
}

async function write({ output }: Invocation, interval: Interval, line: number): Promise<void> {
  if (output.format === "json" || output.format === "jsonl") {
    const values = COLUMNS.map((column) => [column.name, column.value(interval) ?? null]);
    const form = { time: new Date().toISOString(), ...Object.fromEntries(values) };
    await output.line(JSON.stringify(form));
    return;
  }
  const columns = columnsFor(output.columns);
  const inLine = (text: (column: Column) => string) =>
    columns.map((column) => text(column).padStart(column.width)).join(" ");
  if (line % HEAD_LINES === 0 && !output.quiet) {
    await output.line(
      output.style(
        "bold",
        inLine(({ head }) => head),
      ),
    );
  }
  await output.line(
    inLine((column) => {
      const value = column.value(interval);
      return value === undefined ? "-" : column.text(value);
    }),
  );
}

/** As many as have room; at least one. */
function columnsFor(room: number | undefined): readonly Column[] {
  let left = room ?? Number.POSITIVE_INFINITY;
  const end = COLUMNS.findIndex(({ width }) => {
    left -= width + 1;
    return left < -1;
  });
  return end < 0 ? COLUMNS : COLUMNS.slice(0, Math.max(1, end));
}
