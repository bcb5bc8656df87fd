// One run of a bench: opens its connections, fills its keys, measures, and removes what it wrote,
// however it ends.

import type { Kvd, Status } from "../../index.js";
import type { Invocation } from "../command.js";
import { errorText } from "../error-text.js";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { type Progress, startProgress } from "../progress.js";
import { FillError, KeySpace } from "./key-space.js";
import { latencyText } from "./latency.js";
import { Pace } from "./pace.js";
import { type Load, requestLoad } from "./request-load.js";
import { type BenchResult, grouped, type Measured, resultOf } from "./result.js";
import { Tally } from "./tally.js";
import { watchLoad } from "./watch-load.js";
import type { Workload } from "./workload.js";

/** How often progress is shown. */
const PROGRESS_MS = 250;

/** How long calls may still take after an interruption. */
const FAREWELL_MS = 300;

/** How long a signal leaves for removing keys. */
const CLEARING_MS = 30_000;

export interface BenchRun {
  readonly result: BenchResult;
  /** What ended it early, other than a signal. */
  readonly lost: unknown;
}

export async function runBench(invocation: Invocation, workload: Workload): Promise<BenchRun> {
  const { flags, output, settings, signal } = invocation;
  const kv = await invocation.connect();
  const status = await kv.maintenance.status({ signal });
  checkLimits(status, workload);
  const keys = new KeySpace(workload);
  const kept = flags.on("keep") ? "and leaves it there" : "and removes it at the end";
  output.note(`bench writes to ${settings.server} below ${keys.prefix}, ${kept}`);
  invocation.patience(CLEARING_MS);
  const clients: Kvd[] = [];
  try {
    await fill(invocation, kv, { keys, workload });
    await openClients(invocation, clients, workload);
    const measured = await measure(invocation, { kv, clients, keys, workload });
    const { lost } = measured.tally;
    return { result: resultOf(measured, settings.server, status), lost };
  } finally {
    // What is left of them is nobody's: after an interruption they are not waited for.
    const closing = Promise.allSettled(clients.map((client) => client.close()));
    if (!signal.aborted) await closing;
    if (!flags.on("keep")) await clear(invocation, kv, keys);
  }
}

/** @throws Failure for what the server would refuse each time. */
function checkLimits({ limits }: Status, { mode, batch, valueBytes }: Workload): void {
  const limit = (name: string) =>
    limits.find((each) => each.name === name)?.value ?? Number.POSITIVE_INFINITY;
  const most = limit("batch_max_operations");
  if (mode === "batch" && batch > most) {
    throw new Failure(EXIT.invalid, `--batch ${batch} is above the server's limit of ${most}`);
  }
  const bytes = mode === "batch" ? batch * (valueBytes + 64) : valueBytes + 64;
  const largest = limit("request_max_bytes");
  if (bytes <= largest && valueBytes <= limit("value_max_bytes")) return;
  const text = `requests of ${bytes} bytes are above the server's limit: smaller --value-size or --batch`;
  throw new Failure(EXIT.invalid, text);
}

interface Filling {
  readonly keys: KeySpace;
  readonly workload: Workload;
}

/** @throws Failure when the server does not take the keys. */
async function fill(
  { output, signal }: Invocation,
  kv: Kvd,
  { keys, workload }: Filling,
): Promise<void> {
  if (workload.reads === 0) return;
  const progress = await startProgress(output, { label: "filling", total: workload.keys });
  try {
    await keys.fill(kv, { signal, progress: (count) => progress.update(count, count) });
    signal.throwIfAborted();
  } catch (error) {
    if (!(error instanceof FillError)) throw error;
    throw new Failure(EXIT.refused, `the keys cannot be written: ${error.message}`);
  } finally {
    progress.stop();
  }
}

/** Connected, so that no latency holds the opening of a connection. */
async function openClients(
  { settings, signal }: Invocation,
  clients: Kvd[],
  { clients: count, mode }: Workload,
): Promise<void> {
  const { connect } = await import("../../index.js");
  const { timeoutMs: timeout } = settings;
  for (let index = 0; index < count; index += 1) {
    const batching = mode === "pipeline";
    clients.push(connect(settings.server, { timeout, retry: false, batching }));
  }
  await Promise.all(clients.map((client) => client.ready({ signal })));
}

interface Measuring extends Filling {
  readonly kv: Kvd;
  readonly clients: readonly Kvd[];
}

async function measure(
  invocation: Invocation,
  { kv, clients, keys, workload }: Measuring,
): Promise<Measured> {
  const { signal, settings } = invocation;
  const { mode, rate, durationMs, requests } = workload;
  const perClient = mode === "watch" ? requests : requests * workload.clients;
  const startedAt = new Date();
  const began = performance.now();
  const cpu = process.cpuUsage();
  const pace = new Pace({ rate, durationMs, requests: perClient }, began);
  const tally = new Tally();
  const load: Load = { workload, keys, pace, tally };
  const progress = await startLive(invocation, load, perClient);
  const running =
    mode === "watch"
      ? watchLoad(kv, clients, load, settings.timeoutMs)
      : requestLoad(clients, load);
  try {
    await Promise.race([running, interruption(signal, pace)]);
  } finally {
    progress.stop();
  }
  const elapsedMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const complete = !signal.aborted && tally.lost === undefined;
  const unsent = signal.aborted ? 0 : pace.unsent;
  const cpuMs = (user + system) / 1_000;
  return { workload, tally, startedAt, elapsedMs, cpuMs, complete, unsent };
}

/** Settled a while after the signal, so that calls under way can end. */
function interruption(signal: AbortSignal, pace: Pace): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      pace.stop();
      setTimeout(resolve, FAREWELL_MS).unref();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}

/** A line that is drawn again and again while it runs, on a terminal. */
async function startLive(
  { output }: Invocation,
  { workload, tally }: Load,
  requests: number,
): Promise<Pick<Progress, "stop">> {
  const { durationMs } = workload;
  const began = performance.now();
  const total = durationMs === 0 ? requests : durationMs;
  let before = { operations: 0, at: began };
  let text = "";
  const progress = await startProgress(output, { label: "bench", total, told: () => text });
  const timer = setInterval(() => {
    const at = performance.now();
    const { operations, p99, errorCount } = tally;
    const rate = ((operations - before.operations) / (at - before.at)) * 1_000;
    before = { operations, at };
    const tail = p99 === undefined ? "" : ` p99 ${latencyText(p99)}`;
    const errors = errorCount === 0 ? "" : ` ${grouped(errorCount)} errors`;
    text = `${grouped(Math.round(rate))}/s${tail}${errors}`;
    progress.update(durationMs === 0 ? tally.requests : at - began, operations);
  }, PROGRESS_MS);
  return {
    stop: () => {
      clearInterval(timer);
      progress.stop();
    },
  };
}

/** Says how to do it by hand when it cannot be done, and does not hide what came before. */
async function clear({ output, settings }: Invocation, kv: Kvd, keys: KeySpace): Promise<void> {
  try {
    await keys.clear(kv);
  } catch (error) {
    const why = errorText(error, { settings, writes: false });
    output.error(`the keys of the bench were not removed: ${why}`);
    output.note(`kvctl delete --prefix ${keys.prefix} --missing-ok removes them`);
  }
}
