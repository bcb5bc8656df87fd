// What the suites share: how they open an engine, and short forms of commands.

import type { ExecutionContext, TestFn } from "ava";
import type { Engine, Watcher } from "../../server/kv/engine.js";
import { KvdError, type Reason } from "../../server/kv/errors.js";
import type { Limits } from "../../server/kv/limits.js";
import type { Selector } from "../../server/kv/selector.js";
import type {
  BatchCommand,
  DeleteCommand,
  Event,
  Operation,
  PutCommand,
  RangeQuery,
  RangeResult,
  TxnCommand,
  WatchMessage,
  WatchSpec,
} from "../../server/kv/types.js";
import type { ManualClock } from "../support/manual-clock.js";

export interface Opened {
  readonly engine: Engine;
  readonly clock: ManualClock;
}

/** Opens an empty engine; the test's end checks and closes it. */
export type OpenEngine = (t: ExecutionContext, limits?: Partial<Limits>) => Promise<Opened>;

export type Suite = (test: TestFn, open: OpenEngine) => void;

export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

export const one = (key: string): Selector => ({ kind: "key", key: bytes(key) });
export const prefix = (of: string): Selector => ({ kind: "prefix", prefix: bytes(of) });
export const all: Selector = { kind: "all" };
export const interval = (start?: string, end?: string): Selector => ({
  kind: "interval",
  start: start === undefined ? undefined : bytes(start),
  end: end === undefined ? undefined : bytes(end),
});

export const putOf = (
  key: string | Uint8Array,
  value = "v",
  options: Partial<PutCommand> = {},
): PutCommand => ({
  key: typeof key === "string" ? bytes(key) : key,
  value: bytes(value),
  lease: { kind: "none" },
  expectedModRevision: undefined,
  returnPrevious: false,
  ...options,
});

export const deleteOf = (
  selector: Selector,
  options: Partial<DeleteCommand> = {},
): DeleteCommand => ({
  selector,
  limit: 0,
  maxKeys: 100_000,
  expectedModRevision: undefined,
  returnPrevious: false,
  maxBytes: 4_000_000,
  ...options,
});

export const rangeOf = (selector: Selector, options: Partial<RangeQuery> = {}): RangeQuery => ({
  selector,
  revision: 0,
  order: "ascending",
  limit: 0,
  keysOnly: false,
  count: "no",
  delimiter: new Uint8Array(0),
  resume: undefined,
  maxBytes: 4_000_000,
  ...options,
});

export const txnOf = (txn: Partial<TxnCommand>): TxnCommand => ({
  compares: [],
  success: [],
  failure: [],
  ...txn,
});

export const batchOf = (operations: BatchCommand["operations"]): BatchCommand => ({
  operations,
  maxBytes: 4_000_000,
});

export const TXN = { maxBytes: 4_000_000 };

export const op = {
  put: (...args: Parameters<typeof putOf>) =>
    ({ kind: "put", put: putOf(...args) }) satisfies Operation,
  delete: (...args: Parameters<typeof deleteOf>) =>
    ({ kind: "delete", delete: deleteOf(...args) }) satisfies Operation,
  get: (key: string, revision = 0) =>
    ({ kind: "get", get: { key: bytes(key), revision } }) satisfies Operation,
  range: (...args: Parameters<typeof rangeOf>) =>
    ({ kind: "range", range: rangeOf(...args) }) satisfies Operation,
  txn: (txn: Partial<TxnCommand>) => ({ kind: "txn", txn: txnOf(txn) }) satisfies Operation,
};

/** Puts a key and answers the revision. */
export async function put(engine: Engine, ...args: Parameters<typeof putOf>): Promise<number> {
  return (await engine.put(putOf(...args))).revision;
}

/** The value of a key, as text. */
export async function valueAt(
  engine: Engine,
  key: string,
  revision = 0,
): Promise<string | undefined> {
  return text((await engine.get({ key: bytes(key), revision })).entry?.value);
}

/** The keys of a page, folded prefixes last. */
export const keysOf = (page: RangeResult): string[] => [
  ...page.entries.map(({ key }) => text(key) ?? ""),
  ...page.prefixes.map((folded) => text(folded) ?? ""),
];

/** The error that a call is refused with. */
export async function refused(
  t: ExecutionContext,
  call: Promise<unknown>,
  reason: Reason,
): Promise<KvdError> {
  const error = await t.throwsAsync(call);
  if (!(error instanceof KvdError)) throw error ?? new Error("not refused");
  t.is(error.reason, reason);
  return error;
}

export const watchOf = (selector: Selector, options: Partial<WatchSpec> = {}): WatchSpec => ({
  selector,
  startRevision: 0,
  storeId: undefined,
  includeCurrent: false,
  previous: false,
  excludePuts: false,
  excludeDeletes: false,
  progressIntervalMs: 0,
  maxBytes: 1_000_000,
  ...options,
});

/** Opens a watch and takes its `created`. */
export async function openWatch(
  t: ExecutionContext,
  engine: Engine,
  ...args: Parameters<typeof watchOf>
): Promise<Watcher> {
  const watcher = engine.watch(watchOf(...args));
  t.teardown(() => watcher.close());
  const created = await watcher.next();
  t.is(created?.kind, "created");
  return watcher;
}

/** The next events, however they are spread over messages. */
export async function takeEvents(watcher: Watcher, count: number): Promise<Event[]> {
  const events: Event[] = [];
  while (events.length < count) {
    const message = await watcher.next();
    if (message?.kind === "events") events.push(...message.events);
    else throw new Error(`${message?.kind} instead of events`);
  }
  return events;
}

/** Asks for progress and answers everything up to it. */
export async function untilProgress(watcher: Watcher): Promise<WatchMessage[]> {
  watcher.requestProgress();
  const messages: WatchMessage[] = [];
  for (;;) {
    const message = await watcher.next();
    if (message === undefined) throw new Error("the watch is closed");
    messages.push(message);
    if (message.kind === "progress") return messages;
  }
}

/** An event in short: its revision, type and key. */
export const brief = (event: Event): string =>
  `${event.revision} ${event.type} ${text(event.type === "put" ? event.entry.key : event.key)}`;

/** The error that ends a watch, after whatever comes before it. */
export async function endOf(watcher: Watcher): Promise<KvdError> {
  for (;;) {
    try {
      if ((await watcher.next()) === undefined) throw new Error("the watch is closed");
    } catch (error) {
      if (error instanceof KvdError) return error;
      throw error;
    }
  }
}
