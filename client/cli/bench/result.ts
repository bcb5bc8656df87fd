// What a bench found out, as it is written to JSON, read again, and shown.

import type { Status } from "../../index.js";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { FormError, isObject, type JsonObject, objectFromJson } from "../json-forms.js";
import { tableText } from "../table.js";
import { plainLine } from "../terminal-text.js";
import { readInput } from "../values.js";
import { type LatencySummary, latencyText, PERCENTILES } from "./latency.js";
import type { Tally } from "./tally.js";
import { type Workload, workloadFromForm, workloadText } from "./workload.js";

/** Of the form; one that kvctl cannot compare with would get another. */
const FORMAT = "kvctl-bench-1";

/** From here on all percentiles stand beside each other. */
const WIDE = 60;

export interface BenchResult {
  readonly format: typeof FORMAT;
  readonly workload: Workload;
  readonly server: {
    readonly address: string;
    readonly version: string;
    readonly engine: string;
    readonly fsync: string;
  };
  readonly startedAt: string;
  readonly seconds: number;
  /** False: interrupted, or the server went away. */
  readonly complete: boolean;
  readonly operations: number;
  readonly requests: number;
  readonly operationsPerSecond: number;
  readonly requestsPerSecond: number;
  /** By reason or status. */
  readonly errors: Readonly<Record<string, number>>;
  /** With a rate: due, and never sent. */
  readonly unsent: number;
  /** Milliseconds, by kind of request. */
  readonly latencyMs: Readonly<Record<string, LatencySummary>>;
  /** What kvctl itself used, in percent of one processor. */
  readonly clientCpuPercent: number;
}

export interface Measured {
  readonly workload: Workload;
  readonly tally: Tally;
  readonly startedAt: Date;
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly complete: boolean;
  readonly unsent: number;
}

export function resultOf(
  { workload, tally, startedAt, elapsedMs, cpuMs, complete, unsent }: Measured,
  address: string,
  status: Status,
): BenchResult {
  const seconds = Math.max(1e-6, elapsedMs / 1_000);
  return {
    format: FORMAT,
    workload,
    server: {
      address,
      version: status.version,
      engine: status.engine,
      fsync: status.fsyncPolicy,
    },
    startedAt: startedAt.toISOString(),
    seconds: Number(seconds.toFixed(3)),
    complete,
    operations: tally.operations,
    requests: tally.requests,
    operationsPerSecond: Math.round(tally.operations / seconds),
    requestsPerSecond: Math.round(tally.requests / seconds),
    errors: tally.errors,
    unsent,
    latencyMs: tally.summaries,
    clientCpuPercent: Math.round(cpuMs / (seconds * 10)),
  };
}

/** Lines for people. @param columns of the terminal; undefined: there is none. */
export async function resultText(
  result: BenchResult,
  columns: number | undefined,
): Promise<string> {
  const { server, workload, operations, seconds, errors, clientCpuPercent } = result;
  const failed = Object.entries(errors).map(([name, count]) => `${name} ${grouped(count)}`);
  const each = workload.batch > 1 ? `, ${grouped(result.requestsPerSecond)} requests a second` : "";
  const rows: [string, string][] = [
    ["server", `${server.address}, kvd ${server.version}, ${server.engine}, fsync ${server.fsync}`],
    ["workload", workloadText(workload)],
    [
      "operations",
      `${grouped(operations)} in ${seconds}s${result.complete ? "" : ", ended early"}`,
    ],
    ["rate", `${grouped(result.operationsPerSecond)} operations a second${each}`],
    ["errors", failed.length === 0 ? "none" : failed.join(", ")],
    ...(result.unsent === 0
      ? []
      : [["not sent", `${grouped(result.unsent)} that were due`] as [string, string]]),
    ["kvctl used", `${clientCpuPercent} % of a processor`],
  ];
  const lines = rows.map(([name, value]) => `${`${name}:`.padEnd(12)} ${plainLine(value)}`);
  return [...lines, await latencyTable(result, columns ?? WIDE)].join("\n");
}

/** A row for each kind; on a narrow terminal, a column. */
function latencyTable({ latencyMs }: BenchResult, columns: number): Promise<string> {
  const names = PERCENTILES.map((name) => (name === "p999" ? "p99.9" : name));
  const cells = Object.entries(latencyMs).map(([kind, summary]) => [
    plainLine(kind),
    ...PERCENTILES.map((name) => latencyText(summary[name])),
  ]);
  const rows = [["latency", ...names], ...cells];
  const turned = rows[0]?.map((_, index) => rows.map((row) => row[index] ?? "")) ?? [];
  const [head = [], ...body] = columns < WIDE ? turned : rows;
  const right = head.map((_, column) => column).slice(1);
  return tableText(head, body, { right });
}

export function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** @throws Failure when it is not what --save writes. */
export async function readResult(path: string): Promise<BenchResult> {
  const bytes = await readInput(path);
  try {
    return resultFromForm(objectFromJson(bytes));
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    const text = `${path} is no result of kvctl bench: ${error.message}`;
    throw new Failure(EXIT.invalid, text, { cause: error });
  }
}

function resultFromForm(form: JsonObject): BenchResult {
  if (form["format"] !== FORMAT) throw new FormError(`its "format" is not "${FORMAT}"`);
  if (workloadFromForm(form["workload"]) === undefined) throw new FormError(`"workload" is broken`);
  for (const name of ["seconds", "operations", "operationsPerSecond", "requestsPerSecond"]) {
    if (typeof form[name] !== "number") throw new FormError(`"${name}" is not a number`);
  }
  for (const name of ["server", "errors", "latencyMs"]) {
    if (!isObject(form[name])) throw new FormError(`"${name}" is not an object`);
  }
  for (const summary of Object.values(form["latencyMs"] as JsonObject)) {
    const whole = isObject(summary) && PERCENTILES.every((name) => isFiniteNumber(summary[name]));
    if (!whole) throw new FormError(`"latencyMs" is broken`);
  }
  return form as unknown as BenchResult;
}

function isFiniteNumber(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value);
}
