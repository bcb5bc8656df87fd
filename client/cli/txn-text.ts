// A txn in the grammar of `kvctl txn -`, the way back from txn-grammar.ts; and as JSON, the way
// back from txn-json.ts. The grammar holds text only, and no txn in a txn: those are undefined.

import { isUtf8 } from "node:buffer";
import type { Compare, KeyLike, Operation, SelectorLike, TxnSpec, ValueLike } from "../index.js";
import { secondsText } from "./duration.js";
import { bytesForm, type JsonObject } from "./json-forms.js";

/** Lines without a newline at the end; undefined when the grammar has no words for it. */
export function textOfTxn(spec: TxnSpec): string | undefined {
  const { compare = [], success = [], failure = [] } = spec;
  try {
    return [
      ...compare.map(compareText),
      "--",
      ...success.map(operationText),
      ...(failure.length === 0 ? [] : ["--", ...failure.map(operationText)]),
    ].join("\n");
  } catch (error) {
    if (error instanceof NoWords) return undefined;
    throw error;
  }
}

class NoWords extends Error {}

const NAMES = { version: "version", createRevision: "create", modRevision: "mod" } as const;

function compareText({ selector, relation, target }: Compare): string {
  const of = `(${selectorText(selector)})`;
  switch (target.kind) {
    case "exists":
      return `${target.value ? "" : "!"}exists${of}`;
    case "value":
      return `value${of} ${relation} ${word(target.value)}`;
    case "leaseId":
      return `lease${of} ${relation} ${target.value}`;
    default:
      return `${NAMES[target.kind]}${of} ${relation} ${target.value}`;
  }
}

function operationText(operation: Operation): string {
  switch (operation.kind) {
    case "get":
      return ["get", word(operation.key), ...flag("rev", operation.options.revision)].join(" ");
    case "put": {
      const { ttl, leaseId, keepLease, expectedModRevision, returnPrevious } = operation.options;
      return [
        ...["put", word(operation.key), word(operation.value)],
        ...flag("ttl", typeof ttl === "number" ? secondsText(ttl) : ttl),
        ...flag("lease", leaseId),
        ...(keepLease === true ? ["--keep-lease"] : []),
        ...flag("expect-rev", expectedModRevision),
        ...(returnPrevious === true ? ["--prev"] : []),
      ].join(" ");
    }
    case "delete": {
      const { limit, expectedModRevision, returnPrevious } = operation.options;
      return [
        ...["del", selectorText(operation.selector)],
        ...flag("limit", limit),
        ...flag("expect-rev", expectedModRevision),
        ...(returnPrevious === true ? ["--prev"] : []),
      ].join(" ");
    }
    case "range": {
      const { revision, limit, order, keysOnly } = operation.options;
      return [
        ...["range", selectorText(operation.selector)],
        ...flag("rev", revision),
        ...flag("limit", limit),
        ...(order === "descending" ? ["--reverse"] : []),
        ...(keysOnly === true ? ["--keys-only"] : []),
      ].join(" ");
    }
    case "txn":
      throw new NoWords();
  }
}

function flag(name: string, value: string | number | bigint | undefined): string[] {
  return value === undefined ? [] : [`--${name}`, String(value)];
}

function selectorText(selector: SelectorLike): string {
  if (typeof selector === "string" || selector instanceof Uint8Array) return word(selector);
  if ("key" in selector) return word(selector.key);
  if ("prefix" in selector) return `--prefix ${word(selector.prefix)}`;
  if ("all" in selector) return "--all";
  const start = selector.start === undefined ? [] : [`--start ${word(selector.start)}`];
  const end = selector.end === undefined ? [] : [`--end ${word(selector.end)}`];
  return [...start, ...end].join(" ");
}

/** Bare where it can be; what could be taken for a mark or a flag is in quotes. */
function word(bytes: ValueLike): string {
  if (typeof bytes !== "string" && !isUtf8(bytes)) throw new NoWords();
  const text = typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8");
  if (/^[\p{L}\p{N}_/.:@+%]+(?:[\p{L}\p{N}_/.:@+%-]*)$/u.test(text)) return text;
  // Characters that would drive a terminal, or that end a line for some, go as escapes.
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** What `kvctl txn --json` takes; lossless. */
export function formOfTxn({ compare = [], success = [], failure = [] }: TxnSpec): JsonObject {
  return {
    compare: compare.map(compareForm),
    success: success.map(operationForm),
    ...(failure.length === 0 ? {} : { failure: failure.map(operationForm) }),
  };
}

function compareForm({ selector, relation, target }: Compare): JsonObject {
  const selected = selectorForm(selector);
  const related = relation === "=" ? {} : { relation };
  switch (target.kind) {
    case "value":
      return { ...selected, ...related, ...bytesOf("value", target.value) };
    case "leaseId":
      return { ...selected, ...related, lease: target.value.toString() };
    default:
      return { ...selected, ...related, [target.kind]: target.value };
  }
}

function operationForm(operation: Operation): JsonObject {
  switch (operation.kind) {
    case "get":
      return { get: { ...bytesOf("key", operation.key), ...operation.options } };
    case "range":
      return { range: { ...selectorForm(operation.selector), ...operation.options } };
    case "delete":
      return { delete: { ...selectorForm(operation.selector), ...operation.options } };
    case "put": {
      const { ttl, leaseId, ...rest } = operation.options;
      const bytes = { ...bytesOf("key", operation.key), ...bytesOf("value", operation.value) };
      const lease = leaseId === undefined ? {} : { lease: leaseId.toString() };
      const lives = typeof ttl === "number" ? secondsText(ttl) : ttl;
      return {
        put: { ...bytes, ...lease, ...(lives === undefined ? {} : { ttl: lives }), ...rest },
      };
    }
    case "txn":
      return { txn: formOfTxn(operation.txn) };
  }
}

function selectorForm(selector: SelectorLike): JsonObject {
  if (typeof selector === "string" || selector instanceof Uint8Array) {
    return bytesOf("key", selector);
  }
  if ("key" in selector) return bytesOf("key", selector.key);
  if ("prefix" in selector) return bytesOf("prefix", selector.prefix);
  if ("all" in selector) return { all: true };
  return {
    ...(selector.start === undefined ? {} : bytesOf("start", selector.start)),
    ...(selector.end === undefined ? {} : bytesOf("end", selector.end)),
  };
}

function bytesOf(name: string, bytes: KeyLike): JsonObject {
  return bytesForm(name, typeof bytes === "string" ? Buffer.from(bytes) : bytes);
}
