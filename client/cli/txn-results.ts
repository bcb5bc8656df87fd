// What a txn answered: for people a line for each operation, for programs JSON.

import type { Operation, OperationResult, SelectorLike, TxnResult, TxnSpec } from "../index.js";
import { bytesForm, entryForm, leaseForm } from "./json-forms.js";
import type { Output } from "./output.js";
import { lineText } from "./terminal-text.js";

export async function writeTxnResult(
  output: Output,
  spec: TxnSpec,
  result: TxnResult,
): Promise<void> {
  if (output.format === "json" || output.format === "jsonl") {
    await output.json(resultForm(result));
    return;
  }
  await writeText(output, { spec, result, indent: "" });
}

function resultForm(result: TxnResult): unknown {
  const { succeeded, revision, results } = result;
  return { succeeded, revision, results: results.map(operationForm) };
}

function operationForm(result: OperationResult): unknown {
  const keysOnly = false;
  switch (result.kind) {
    case "get": {
      const { revision, entry } = result;
      return {
        get: { revision, entry: entry === undefined ? null : entryForm(entry, { keysOnly }) },
      };
    }
    case "range": {
      const { revision, entries, commonPrefixBytes, more } = result;
      const prefixes = commonPrefixBytes.map((prefix) => bytesForm("prefix", prefix));
      const folded = prefixes.length === 0 ? {} : { prefixes };
      const forms = entries.map((entry) => entryForm(entry, { keysOnly }));
      return { range: { revision, entries: forms, ...folded, more } };
    }
    case "put": {
      const { revision, previous, leaseId } = result;
      const before = previous === undefined ? {} : { previous: entryForm(previous, { keysOnly }) };
      return { put: { revision, ...leaseForm(leaseId), ...before } };
    }
    case "delete": {
      const { revision, deleted, more, previous } = result;
      const entries = previous.map((entry) => entryForm(entry, { keysOnly }));
      return { delete: { revision, deleted, more, previous: entries } };
    }
    case "txn":
      return { txn: resultForm(result) };
  }
}

interface TextOf {
  readonly spec: TxnSpec;
  readonly result: TxnResult;
  readonly indent: string;
}

async function writeText(output: Output, { spec, result, indent }: TextOf): Promise<void> {
  const branch = result.succeeded ? "succeeded" : "not succeeded";
  const style = result.succeeded ? "green" : "yellow";
  await output.line(`${indent}${output.style(style, branch)}, revision ${result.revision}`);
  const operations = (result.succeeded ? spec.success : spec.failure) ?? [];
  for (const [index, operation] of operations.entries()) {
    const answer = result.results[index];
    if (answer === undefined) continue;
    if (answer.kind === "txn" && operation.kind === "txn") {
      await writeText(output, { spec: operation.txn, result: answer, indent: `${indent}  ` });
    } else {
      for (const line of answerLines(operation, answer)) await output.line(`${indent}${line}`);
    }
  }
}

function answerLines(operation: Operation, answer: OperationResult): string[] {
  const name = operationName(operation);
  const rows = (entries: readonly { keyBytes: Uint8Array; bytes: Uint8Array }[]) =>
    entries.map(({ keyBytes, bytes }) => `  ${lineText(keyBytes)}\t${lineText(bytes)}`);
  switch (answer.kind) {
    case "get":
      return [`${name}: ${answer.entry === undefined ? "absent" : lineText(answer.entry.bytes)}`];
    case "put": {
      const before = answer.previous === undefined ? [] : [answer.previous];
      return [`${name}: revision ${answer.revision}`, ...rows(before)];
    }
    case "delete":
      return [`${name}: deleted ${answer.deleted}`, ...rows(answer.previous)];
    case "range":
      return [
        `${name}: ${answer.entries.length} entries${answer.more ? ", and more" : ""}`,
        ...rows(answer.entries),
        ...answer.commonPrefixBytes.map((prefix) => `  ${lineText(prefix)}`),
      ];
    case "txn":
      return [];
  }
}

function operationName(operation: Operation): string {
  switch (operation.kind) {
    case "get":
    case "put":
      return `${operation.kind} ${shown(operation.key)}`;
    case "delete":
      return `del ${selectorText(operation.selector)}`;
    case "range":
      return `range ${selectorText(operation.selector)}`;
    case "txn":
      return "txn";
  }
}

function selectorText(selector: SelectorLike): string {
  if (typeof selector === "string" || selector instanceof Uint8Array) return shown(selector);
  if ("key" in selector) return shown(selector.key);
  if ("prefix" in selector) return `--prefix ${shown(selector.prefix)}`;
  if ("all" in selector) return "--all";
  const start = selector.start === undefined ? [] : [`--start ${shown(selector.start)}`];
  const end = selector.end === undefined ? [] : [`--end ${shown(selector.end)}`];
  return [...start, ...end].join(" ");
}

function shown(key: string | Uint8Array): string {
  return lineText(typeof key === "string" ? Buffer.from(key) : key);
}
