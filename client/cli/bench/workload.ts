// What a bench does to a server: read from flags, shown in one line, written to JSON, and compared,
// because figures of two workloads tell nothing about each other.

import { msFromFlag, roughText } from "../duration.js";
import { UsageError } from "../failure.js";
import { type Flags, numberFromText } from "../flags.js";
import { isObject } from "../json-forms.js";
import { bytesFromFlag, roughBytesText } from "../units.js";

export const MODES = ["unary", "batch", "pipeline", "watch"] as const;
export type Mode = (typeof MODES)[number];

export interface Workload {
  readonly mode: Mode;
  /** Connections; in mode watch, watches besides one connection that writes. */
  readonly clients: number;
  /** Of each client; in mode watch, puts in all. 0: as many as there is time for. */
  readonly requests: number;
  /** 0: until the requests are done. */
  readonly durationMs: number;
  /** Operations of a request. */
  readonly batch: number;
  /** Requests that a client has under way at once, in mode pipeline. */
  readonly depth: number;
  /** Shares of gets and of puts. */
  readonly reads: number;
  readonly writes: number;
  readonly keys: number;
  readonly valueBytes: number;
  /** Requests a second in all; 0: each follows the answer before it. */
  readonly rate: number;
  readonly seed: number;
}

const DEFAULT_DURATION_MS = 10_000;
const DEFAULT_BATCH = 100;
const DEFAULT_DEPTH = 4;

const DEFAULTS: Workload = {
  mode: "unary",
  clients: 10,
  requests: 0,
  durationMs: DEFAULT_DURATION_MS,
  batch: 1,
  depth: 1,
  reads: 50,
  writes: 50,
  keys: 10_000,
  valueBytes: 64,
  rate: 0,
  seed: 1,
};

/** Beyond these, kvctl would measure itself. */
const MAXIMA = {
  clients: 10_000,
  requests: 1_000_000_000,
  batch: 16_384,
  depth: 16,
  keys: 10_000_000,
  rate: 10_000_000,
} as const;

const VALUE_MAX_BYTES = 1024 * 1024;

/** The time of a put stands in its value. */
export const STAMP_BYTES = 8;

/** @param base of a run to compare with. @throws UsageError */
export function workloadFrom(flags: Flags, base: Workload = DEFAULTS): Workload {
  const batchGiven = count(flags, "batch", 1);
  const mode = modeFrom(flags, base, batchGiven);
  if (mode !== "batch" && mode !== "pipeline" && batchGiven !== undefined && batchGiven > 1) {
    throw new UsageError(`--batch goes with --mode batch or pipeline, not ${mode}`);
  }
  if (mode !== "pipeline" && flags.given("depth")) {
    throw new UsageError("--depth goes with --mode pipeline");
  }
  if (mode === "watch" && flags.given("mix")) {
    throw new UsageError("--mix does not go with --mode watch, which puts and watches");
  }
  const requests = count(flags, "requests", 1);
  const time = flags.text("duration");
  const duration = time === undefined ? undefined : msFromFlag("--duration", time);
  if (duration === 0) throw new UsageError("--duration must be above 0");
  const workload = {
    ...base,
    mode,
    ...mixFrom(flags, mode, base),
    clients: count(flags, "clients", 1) ?? base.clients,
    requests: requests ?? base.requests,
    durationMs: duration ?? (requests === undefined ? base.durationMs : untimed(base)),
    batch: batchGiven ?? (mode === base.mode ? base.batch : several(mode, DEFAULT_BATCH)),
    depth: count(flags, "depth", 1) ?? (mode === base.mode ? base.depth : depthOf(mode)),
    keys: count(flags, "keys", 1) ?? base.keys,
    valueBytes: valueBytesFrom(flags) ?? base.valueBytes,
    rate: count(flags, "rate", 1) ?? base.rate,
    seed: flags.number("seed") ?? base.seed,
  };
  if (mode !== "watch" || workload.valueBytes >= STAMP_BYTES) return workload;
  throw new UsageError(`--value-size must be at least ${STAMP_BYTES} with --mode watch`);
}

function modeFrom(flags: Flags, base: Workload, batch: number | undefined): Mode {
  const text = flags.text("mode");
  if (text === undefined) return batch !== undefined && base.batch === 1 ? "batch" : base.mode;
  const mode = MODES.find((name) => name === text);
  if (mode !== undefined) return mode;
  throw new UsageError(`--mode is one of ${MODES.join(", ")}, not "${text}"`);
}

/** A number of requests alone is not cut short by the default time. */
function untimed(base: Workload): number {
  return base === DEFAULTS ? 0 : base.durationMs;
}

function several(mode: Mode, many: number): number {
  return mode === "batch" || mode === "pipeline" ? many : 1;
}

function depthOf(mode: Mode): number {
  return mode === "pipeline" ? DEFAULT_DEPTH : 1;
}

function mixFrom(flags: Flags, mode: Mode, base: Workload): Pick<Workload, "reads" | "writes"> {
  if (mode === "watch") return { reads: 0, writes: 100 };
  const text = flags.text("mix");
  if (text === undefined) return { reads: base.reads, writes: base.writes };
  const [, reads = "", writes = ""] = /^(\d{1,6}):(\d{1,6})$/.exec(text) ?? [];
  const mix = { reads: Number(reads), writes: Number(writes) };
  if (mix.reads + mix.writes > 0) return mix;
  throw new UsageError(`--mix takes READS:WRITES, such as 50:50 or 9:1, not "${text}"`);
}

function count(flags: Flags, name: string, least: number): number | undefined {
  const text = flags.text(name);
  if (text === undefined) return undefined;
  const value = numberFromText(`--${name}`, text);
  const most = MAXIMA[name as keyof typeof MAXIMA];
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${name} is from ${least} to ${most}, not ${text}`);
}

function valueBytesFrom(flags: Flags): number | undefined {
  const text = flags.text("value-size");
  if (text === undefined) return undefined;
  const bytes = bytesFromFlag("--value-size", text);
  if (bytes <= VALUE_MAX_BYTES) return bytes;
  throw new UsageError(`--value-size is at most 1MiB, not ${text}`);
}

/** "batch, 100 clients x 500 requests x 100 operations, …" */
export function workloadText(workload: Workload): string {
  const { mode, clients, requests, durationMs, batch, depth, rate } = workload;
  const of = (amount: number, noun: string) => `${amount} ${noun}${amount === 1 ? "" : "s"}`;
  const bounds = [
    mode === "watch" ? `${of(clients, "watch").replace(/s$/, "es")}` : of(clients, "client"),
    ...(requests === 0 ? [] : [of(requests, mode === "watch" ? "put" : "request")]),
    ...(batch === 1 ? [] : [of(batch, "operation")]),
  ];
  const { reads, writes, keys, valueBytes } = workload;
  return [
    `${mode}, ${bounds.join(" x ")}`,
    ...(depth === 1 ? [] : [`${depth} under way`]),
    ...(durationMs === 0 ? [] : [roughText(durationMs)]),
    ...(rate === 0 ? [] : [`${rate} requests a second`]),
    ...(mode === "watch" ? [] : [`${reads}:${writes} reads:writes`]),
    `${of(keys, "key")}, values of ${roughBytesText(valueBytes)}`,
  ].join(", ");
}

/** What differs, as "clients 10 and 100"; empty when they are alike. */
export function differences(one: Workload, other: Workload): readonly string[] {
  return (Object.keys(DEFAULTS) as (keyof Workload)[])
    .filter((name) => one[name] !== other[name])
    .map((name) => `${name} ${one[name]} and ${other[name]}`);
}

/** Undefined for what is none. */
export function workloadFromForm(form: unknown): Workload | undefined {
  if (!isObject(form)) return undefined;
  const { mode } = form;
  if (!MODES.some((name) => name === mode)) return undefined;
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const given = form[name];
    if (typeof given !== typeof value) return undefined;
    if (typeof given === "number" && !(Number.isSafeInteger(given) && given >= 0)) return undefined;
  }
  const names = Object.keys(DEFAULTS);
  return Object.fromEntries(names.map((name) => [name, form[name]])) as unknown as Workload;
}
