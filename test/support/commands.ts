// Commands for tests, short to write: text stands for its UTF-8 bytes, and what is not said has the
// default of kvd.v1. Limits that a surface passes on have their default values here.

import { defaultLimits } from "../../server/kv/limits.js";
import type { Selector } from "../../server/kv/selector.js";
import type {
  BatchOperation,
  Compare,
  CompareTarget,
  DeleteCommand,
  Entry,
  GetCommand,
  LeaseChoice,
  LeaseId,
  Operation,
  PutCommand,
  RangeQuery,
  TxnCommand,
  WatchSpec,
} from "../../server/kv/types.js";

/** Text stands for its UTF-8 bytes. */
export type Bytes = string | Uint8Array;

const LIMITS = defaultLimits();

/** Less than the answer's limit by what a surface needs for itself. */
export const ROWS_MAX_BYTES = LIMITS.responseMaxBytes - 64 * 1024;

export function bytes(value: Bytes): Uint8Array {
  return typeof value === "string" ? Buffer.from(value, "utf8") : value;
}

export function fromHex(digits: string): Uint8Array {
  return Buffer.from(digits.replaceAll(" ", ""), "hex");
}

export function toHex(value: Uint8Array): string {
  return Buffer.from(value).toString("hex");
}

export function text(value: Uint8Array): string {
  return Buffer.from(value).toString("utf8");
}

export const ALL: Selector = { kind: "all" };

export function key(value: Bytes): Selector {
  return { kind: "key", key: bytes(value) };
}

export function prefix(value: Bytes): Selector {
  return { kind: "prefix", prefix: bytes(value) };
}

export function interval(start: Bytes | undefined, end: Bytes | undefined): Selector {
  return {
    kind: "interval",
    start: start === undefined ? undefined : bytes(start),
    end: end === undefined ? undefined : bytes(end),
  };
}

/** A selector, or the key that text stands for. */
export type Selected = Selector | Bytes;

function selectorOf(selected: Selected): Selector {
  return typeof selected === "string" || selected instanceof Uint8Array ? key(selected) : selected;
}

export function get(keyBytes: Bytes, revision = 0): GetCommand {
  return { key: bytes(keyBytes), revision };
}

export function put(
  keyBytes: Bytes,
  value: Bytes = "",
  options: Partial<Omit<PutCommand, "key" | "value">> = {},
): PutCommand {
  return {
    key: bytes(keyBytes),
    value: bytes(value),
    lease: { kind: "none" },
    expectedModRevision: undefined,
    returnPrevious: false,
    ...options,
  };
}

export function withLease(id: LeaseId, maxKeys: number = LIMITS.leaseMaxKeys): LeaseChoice {
  return { kind: "lease", id, maxKeys };
}

export const KEEP_LEASE: LeaseChoice = { kind: "keep" };

export function withTtl(ttlMs: number): LeaseChoice {
  return { kind: "ttl", ttlMs };
}

export function del(
  selected: Selected,
  options: Partial<Omit<DeleteCommand, "selector">> = {},
): DeleteCommand {
  return {
    selector: selectorOf(selected),
    limit: 0,
    maxKeys: LIMITS.deleteMaxKeys,
    expectedModRevision: undefined,
    returnPrevious: false,
    maxBytes: ROWS_MAX_BYTES,
    ...options,
  };
}

export function range(
  selected: Selected,
  options: Partial<Omit<RangeQuery, "selector" | "delimiter">> & {
    readonly delimiter?: string;
  } = {},
): RangeQuery {
  const { delimiter = "", ...others } = options;
  return {
    selector: selectorOf(selected),
    revision: 0,
    order: "ascending",
    limit: 0,
    keysOnly: false,
    count: "no",
    resume: undefined,
    maxBytes: ROWS_MAX_BYTES,
    ...others,
    delimiter: bytes(delimiter),
  };
}

export function compare(
  selected: Selected,
  target: CompareTarget,
  relation: Compare["relation"] = "equal",
): Compare {
  return { selector: selectorOf(selected), relation, target };
}

export function exists(selected: Selected): Compare {
  return compare(selected, { kind: "exists", value: true });
}

export function absent(selected: Selected): Compare {
  return compare(selected, { kind: "exists", value: false });
}

export function valueIs(selected: Selected, value: Bytes): Compare {
  return compare(selected, { kind: "value", value: bytes(value) });
}

export const TXN_OPTIONS = { maxBytes: ROWS_MAX_BYTES };

export function txn(command: Partial<TxnCommand>): TxnCommand {
  return { compares: [], success: [], failure: [], ...command };
}

/** The steps of a txn; those of a batch are a part of them. */
export const op = {
  get: (command: GetCommand) => ({ kind: "get", get: command }) as const,
  put: (command: PutCommand) => ({ kind: "put", put: command }) as const,
  delete: (command: DeleteCommand) => ({ kind: "delete", delete: command }) as const,
  range: (query: RangeQuery): Operation => ({ kind: "range", range: query }),
  txn: (command: Partial<TxnCommand>): Operation => ({ kind: "txn", txn: txn(command) }),
};

export function batch(operations: readonly BatchOperation[], maxBytes = ROWS_MAX_BYTES) {
  return { operations, maxBytes };
}

export function watch(
  selected: Selected,
  options: Partial<Omit<WatchSpec, "selector">> = {},
): WatchSpec {
  return {
    selector: selectorOf(selected),
    startRevision: 0,
    storeId: undefined,
    includeCurrent: false,
    previous: false,
    excludePuts: false,
    excludeDeletes: false,
    progressIntervalMs: 0,
    maxBytes: 256 * 1024,
    wholeRevisionMaxBytes: 0,
    ...options,
  };
}

/** Keys of entries as text, in their order. */
export function keysOf(entries: readonly Entry[]): string[] {
  return entries.map((entry) => text(entry.key));
}

/** An entry with plain values, to compare in one go. */
export function plain(entry: Entry) {
  const { createRevision, modRevision, version, leaseId } = entry;
  const value = text(entry.value);
  return { key: text(entry.key), value, createRevision, modRevision, version, leaseId };
}
