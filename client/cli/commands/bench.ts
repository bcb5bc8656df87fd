// kvctl bench: load against a running server, and what it makes of it.

import { writeComparison } from "../bench/comparison.js";
import { agreeToLoad } from "../bench/consent.js";
import { type BenchResult, readResult, resultText } from "../bench/result.js";
import { runBench } from "../bench/run.js";
import { differences, MODES, workloadFrom } from "../bench/workload.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { exitCodeOf } from "../error-text.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { FileTarget } from "../file-target.js";

export const benchCommand: CommandDefinition = {
  usage: "[--compare BEFORE [AFTER]]",
  details: [
    "Puts load on the server and tells operations a second, errors and latencies. It writes keys under",
    "a prefix of its own below kvctl-bench/ and removes them at the end; no other key is touched. What a",
    "run that was killed has left goes with kvctl delete --prefix kvctl-bench/. Modes:",
    "unary (each operation is a call), batch (--batch operations a call), pipeline (--batch operations a",
    "message, --depth messages under way on a stream), watch (--clients watches see what one connection",
    "puts; an operation is an event that came, timed from its put). Each client has a connection and",
    "sends a request when the one before is answered. With --rate, requests are due at fixed times, and",
    "latency counts from when one was due, whether or not a client was free to send it: nothing that a",
    "stalled server holds up is left out. Ctrl-C ends it early with what was measured. --save keeps the",
    "result; --compare runs the workload of such a file again and shows both, with ratios, or compares",
    "two files; different workloads are refused. Ends with 8 if requests failed. One kvctl uses one",
    "processor: where `kvctl used` is near 100 %, several of them show more of the server. That is so",
    "with every --rate of some hundreds, because a timer alone would not be punctual.",
  ].join(" "),
  options: [
    {
      flags: "--mode <mode>",
      description: "unary, batch, pipeline or watch; batch if --batch is given",
      choices: MODES,
      fallback: "unary",
    },
    { flags: "--clients <count>", description: "connections, or watches", fallback: "10" },
    {
      flags: "--requests <count>",
      description: "of each client (mode watch: puts in all); then there is no time limit",
    },
    {
      flags: "--duration <duration>",
      description: "how long it takes, unless --requests is given alone",
      fallback: "10s",
    },
    {
      flags: "--batch <count>",
      description: "operations of a request; 100 in modes batch and pipeline",
      fallback: "1",
    },
    {
      flags: "--depth <count>",
      description: "requests of a client under way at once, mode pipeline; 4",
    },
    { flags: "--mix <reads:writes>", description: "shares of gets and puts", fallback: "50:50" },
    { flags: "--keys <count>", description: "how many keys", fallback: "10000" },
    { flags: "--value-size <bytes>", description: "such as 64, 4KiB", fallback: "64" },
    { flags: "--rate <count>", description: "requests a second in all, due at fixed times" },
    { flags: "--seed <number>", description: "which keys, in which order", fallback: "1" },
    { flags: "--keep", description: "leave the keys there" },
    { flags: "--save <file>", description: "keep the result as JSON" },
    { flags: "--compare <file>", description: "beside a result that --save kept" },
    { flags: "--yes", description: "do not ask, for a server on another machine" },
  ],
  examples: [
    { run: "kvctl bench", says: "10 seconds of gets and puts" },
    {
      run: "kvctl bench --clients 100 --requests 500 --batch 100 --mix 50:50",
      says: "batches of 50 reads and 50 writes, 500 on each of 100 connections",
    },
    { run: "kvctl bench --rate 2000 --mix 9:1", says: "latency at a fixed rate" },
    { run: "kvctl bench --mode watch --clients 100 --rate 100", says: "how fast events arrive" },
    { run: "kvctl bench --save before.json", says: "now, to compare with later" },
    { run: "kvctl bench --compare before.json", says: "the same again, and what changed" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, output, signal } = invocation;
  const [later, excess] = words;
  const path = flags.text("compare");
  if (excess !== undefined || (later !== undefined && path === undefined)) {
    throw new UsageError(`bench takes flags; "${excess ?? later}" is too much`);
  }
  if (flags.text("output") === "raw") throw new UsageError("bench writes no raw output");
  const before = path === undefined ? undefined : await readResult(path);
  const workload = workloadFrom(flags, before?.workload);
  if (before !== undefined && path !== undefined) refuseOthers(before.workload, workload, path);
  if (before !== undefined && later !== undefined) {
    const after = await readResult(later);
    refuseOthers(before.workload, after.workload, `${path} and ${later}`);
    await writeComparison(output, before, after);
    return EXIT.ok;
  }
  await agreeToLoad(invocation);
  // A file that cannot be written to is told before the work, not after it.
  const file = flags.text("save");
  const target = file === undefined ? undefined : await FileTarget.open(file);
  let measured = false;
  try {
    const { result, lost } = await runBench(invocation, workload);
    await target?.write(Buffer.from(`${JSON.stringify(result, null, 2)}\n`));
    measured = true;
    await write(invocation, result, before);
    return exitOf(result, lost, signal);
  } finally {
    await target?.close({ complete: measured });
  }
}

/** @throws Failure that says what differs. */
function refuseOthers(
  one: BenchResult["workload"],
  other: BenchResult["workload"],
  where: string,
): void {
  const found = differences(one, other);
  if (found.length === 0) return;
  throw new UsageError(`${where}: workloads that differ cannot be compared: ${found.join(", ")}`);
}

async function write(
  { output }: Invocation,
  result: BenchResult,
  before: BenchResult | undefined,
): Promise<void> {
  if (before !== undefined) await writeComparison(output, before, result);
  else if (output.format === "json" || output.format === "jsonl") await output.json(result);
  else await output.line(await resultText(result, output.columns));
}

/** @throws Failure when the server went away. */
function exitOf(result: BenchResult, lost: unknown, signal: AbortSignal): ExitCode {
  if (signal.aborted) return signal.reason as ExitCode;
  if (lost !== undefined) {
    const text = "the connection to the server broke; this is what was measured until then";
    throw new Failure(exitCodeOf(lost), text, { cause: lost });
  }
  return Object.keys(result.errors).length === 0 ? EXIT.ok : EXIT.partial;
}
