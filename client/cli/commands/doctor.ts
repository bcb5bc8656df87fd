// kvctl doctor: what is set, by whom, and whether all is well, with a fix for what is not.

import type { CommandDefinition, Invocation } from "../command.js";
import { examine } from "../doctor/examination.js";
import type { Finding } from "../doctor/finding.js";
import { type SettingRow, settingRows } from "../doctor/setting-rows.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import type { Output, Style } from "../output.js";
import { tableText } from "../table.js";
import { plainLine } from "../terminal-text.js";

export const doctorCommand: CommandDefinition = {
  usage: "",
  details: [
    "Shows each setting with where it comes from (flag, variable, context, default), then looks at",
    "the way to the server (name, connection, gRPC), its health, version, latency, how full it is and",
    "its clock, and for the local server at its disk. Whatever is not well comes with a fix. Changes",
    "and starts nothing. Ends with 0 when there is no problem, with 1 when there is one; warnings",
    "alone are no problem. With --quiet only those are shown that are not well.",
  ].join(" "),
  options: [],
  examples: [
    { run: "kvctl doctor", says: "what is wrong here?" },
    { run: "kvctl doctor --context prod", says: "and there?" },
    {
      run: "kvctl doctor --output json | jq '.findings[] | select(.state != \"ok\")'",
      says: "for programs",
    },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, output, settings, environment } = invocation;
  if (words[0] !== undefined) throw new UsageError(`doctor takes no words, not "${words[0]}"`);
  const rows = settingRows(settings, environment);
  const findings = await examine(invocation);
  const isWell = findings.every(({ state }) => state !== "problem");
  const shown = output.quiet ? findings.filter(({ state }) => state !== "ok") : findings;
  if (output.format === "json" || output.format === "jsonl") {
    await output.json({ ok: isWell, context: settings.context, settings: rows, findings: shown });
  } else if (output.format === "table") {
    await tables(output, rows, shown);
  } else {
    if (!output.quiet) await settingLines(output, rows);
    for (const finding of shown) await findingLines(output, finding);
    if (!output.quiet) await output.line(summary(findings));
  }
  return isWell ? EXIT.ok : EXIT.negative;
}

function originText({ origin, by }: SettingRow): string {
  if (by === undefined) return origin;
  return origin === "flag" || origin === "variable" ? by : `${origin} ${by}`;
}

async function settingLines(output: Output, rows: readonly SettingRow[]): Promise<void> {
  const width = Math.max(...rows.map(({ value }) => value.length));
  for (const row of rows) {
    const value = plainLine(row.value).padEnd(width);
    await output.line(`${row.name.padEnd(11)}${value}  ${output.style("dim", originText(row))}`);
  }
  await output.line("");
}

const STYLES: Readonly<Record<Finding["state"], Style>> = {
  ok: "green",
  warning: "yellow",
  problem: "red",
};

async function findingLines(output: Output, finding: Finding): Promise<void> {
  const { check, state, says, fix } = finding;
  const mark = output.style(STYLES[state], state.padEnd(8));
  await output.line(`${mark} ${check}: ${plainLine(says)}`);
  if (fix !== undefined) await output.line(`${" ".repeat(9)}fix: ${plainLine(fix)}`);
}

async function tables(
  output: Output,
  rows: readonly SettingRow[],
  findings: readonly Finding[],
): Promise<void> {
  const settings = rows.map((row) => [row.name, plainLine(row.value), originText(row)]);
  if (!output.quiet) {
    await output.line(await tableText(["setting", "value", "from"], settings));
  }
  const found = findings.map(({ check, state, says, fix = "" }) =>
    [state, check, says, fix].map(plainLine),
  );
  await output.line(await tableText(["state", "check", "says", "fix"], found));
}

function summary(findings: readonly Finding[]): string {
  const count = (state: Finding["state"]) => findings.filter((each) => each.state === state).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  if (problems + warnings === 0) return "all is well";
  const text = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  return `${text(problems, "problem")}, ${text(warnings, "warning")}`;
}
