// Counts what a txn holds by its raw bytes, before anything is decoded: the decoder recurses, and a
// request can nest as often as it has room for.
//
// It walks the fields of TxnRequest and of the Operations in it with a stack of its own, as deep as
// the limit of levels. Bytes that are not a message are left to the decoder to refuse.

import { LENGTH_DELIMITED, wireFieldAt } from "../grpc/wire-field.js";
import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";

export type TxnLimits = Pick<Limits, "txnMaxLevels" | "txnMaxOperations">;

/** Field numbers of kv.proto. */
const COMPARES = 1;
const SUCCESS = 2;
const FAILURE = 3;
const OPERATION_TXN = 5;

interface Span {
  readonly kind: "txn" | "operation";
  readonly end: number;
}

/** @throws KvdError TOO_DEEP, TOO_MANY_OPERATIONS. */
export function scanTxn(bytes: Uint8Array, limits: TxnLimits): void {
  const spans: Span[] = [{ kind: "txn", end: bytes.length }];
  const counts = { operations: 0, compares: 0 };
  let levels = 1;
  let at = 0;
  while (spans.length > 0) {
    const span = spans.at(-1) as Span;
    if (at >= span.end) {
      if (span.kind === "txn") levels -= 1;
      spans.pop();
      continue;
    }
    const field = wireFieldAt(bytes, at, span.end);
    if (field === undefined) return;
    at = field.start;
    const inner = innerKind(span.kind, field.number, field.wireType);
    if (inner === "compare") counts.compares += 1;
    if (inner === "operation") counts.operations += 1;
    refuseMany(counts, limits);
    if (inner === "txn") levels += 1;
    if (levels > limits.txnMaxLevels) throw tooDeep(limits);
    if (inner === "operation" || inner === "txn") spans.push({ kind: inner, end: field.end });
    else at = field.end;
  }
}

function innerKind(
  outer: Span["kind"],
  number: number,
  wireType: number,
): Span["kind"] | "compare" | undefined {
  if (wireType !== LENGTH_DELIMITED) return undefined;
  if (outer === "operation") return number === OPERATION_TXN ? "txn" : undefined;
  if (number === COMPARES) return "compare";
  return number === SUCCESS || number === FAILURE ? "operation" : undefined;
}

function refuseMany(
  counts: { readonly operations: number; readonly compares: number },
  limits: TxnLimits,
): void {
  const { txnMaxOperations } = limits;
  for (const [what, count] of Object.entries(counts)) {
    if (count <= txnMaxOperations) continue;
    const text = `the txn has more than ${txnMaxOperations} ${what} (--txn-max-operations)`;
    throw new KvdError("TOO_MANY_OPERATIONS", text);
  }
}

function tooDeep(limits: TxnLimits): KvdError {
  const text = `the txn nests more than ${limits.txnMaxLevels} levels (--txn-max-levels)`;
  return new KvdError("TOO_DEEP", text);
}
