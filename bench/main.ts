// The suite: runs the chosen cases, prints what they measured and which goals are met.
//
//   npm run bench -- --help
//
// Nothing is asserted: a figure that is bad is a figure. What fails is a server that answers wrong.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BenchOptions, readArguments, USAGE } from "./arguments.js";
import type { Case, Peer, Series } from "./case.js";
import { CaseRun } from "./case-run.js";
import { CASES, chosenCases } from "./cases.js";
import { type Machine, thisMachine } from "./machine.js";
import { verdictsOf } from "./report/goals.js";
import { plotsOf } from "./report/plots.js";
import { topOfProfiles } from "./report/profile.js";
import { goalTable, machineText, seriesTable } from "./report/table.js";
import { pinThisProcess } from "./servers/cores.js";

/** Exit codes: 1 a case has failed, 2 bad arguments. */
async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  if (options.help) return say(USAGE);
  const cases = chosenCases(CASES, options);
  if (options.list) return say(CASES.map(({ name, about }) => `${name}: ${about}\n`).join(""));
  if (cases.length === 0) throw new Error("no case has such a name: --list names them");
  pinThisProcess();
  const machine = thisMachine(options.node);
  say(`${machineText(machine)}${loadText()}\n`);
  const series = await runCases(cases, options, machine);
  const verdicts = verdictsOf(cases, series);
  say(`\n${seriesTable(series)}\n`);
  if (verdicts.length > 0) say(`${goalTable(verdicts)}\n`);
  if (options.jsonFile !== undefined) {
    const { rounds, seconds } = options;
    const result = { machine, rounds, seconds, series, verdicts };
    writeFileSync(options.jsonFile, `${JSON.stringify(result, undefined, 2)}\n`);
  }
  if (options.plotsFolder !== undefined) drawPlots(options.plotsFolder, series);
}

function drawPlots(folder: string, series: readonly Series[]): void {
  mkdirSync(folder, { recursive: true });
  for (const [file, svg] of plotsOf(series)) writeFileSync(join(folder, file), svg);
}

function readOptions(): BenchOptions | undefined {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return undefined;
  }
}

async function runCases(
  cases: readonly Case[],
  options: BenchOptions,
  machine: Machine,
): Promise<readonly Series[]> {
  const peers = peersOf(options, machine);
  const profiles = options.profile ? profileFolder(options) : undefined;
  const all: Series[] = [];
  for (const one of cases) {
    const began = performance.now();
    const run = new CaseRun(one, { options, peers, profiles, say: (text) => say(`${text}\n`) });
    try {
      await run.run();
    } catch (error) {
      process.exitCode = 1;
      say(`FAILED ${one.name}: ${(error as Error).stack}\n`);
    }
    all.push(...run.series);
    say(`${one.name}: ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
  }
  if (profiles !== undefined) say(`\n${topOfProfiles(profiles)}\nprofiles are in ${profiles}\n`);
  return all;
}

/** The tools that may be used; what is missing is said loudly. */
function peersOf({ peers }: BenchOptions, machine: Machine): ReadonlySet<Peer> {
  const wanted: Peer[] = peers ? ["h2load", "etcd", "redis"] : ["h2load"];
  const missing = wanted.filter((peer) => machine.peers[peer] === null);
  for (const peer of missing) say(`SKIPPED, for want of it: ${peer}\n`);
  if (!peers) say("without --peers: etcd and Redis are left out\n");
  return new Set(wanted.filter((peer) => !missing.includes(peer)));
}

function profileFolder({ folder }: BenchOptions): string {
  mkdirSync(folder, { recursive: true });
  return mkdtempSync(join(folder, "kvd-profiles-"));
}

function loadText(): string {
  const others = `${new Intl.DateTimeFormat("en-CA").format(new Date())}`;
  return `measured on ${others}\n`;
}

function say(text: string): void {
  process.stdout.write(text);
}

await main();
