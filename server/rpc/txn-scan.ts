// Counts what a txn holds by its raw bytes, before anything is decoded: the decoder recurses, and a
// request can nest as often as it has room for.
//
// It walks the fields of TxnRequest and of the Operations in it with a stack of its own, as deep as
// the limit of levels. Bytes that are not a message are left to the decoder to refuse.

import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";

export type TxnLimits = Pick<Limits, "txnMaxLevels" | "txnMaxOperations">;

/** Field numbers of kv.proto. */
const COMPARES = 1;
const SUCCESS = 2;
const FAILURE = 3;
const OPERATION_TXN = 5;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

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
    const field = fieldAt(bytes, at, span.end);
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

/** A field's payload; undefined when the bytes are no field, or a group. */
function fieldAt(bytes: Uint8Array, at: number, end: number) {
  const tag = varintAt(bytes, at, end);
  if (tag === undefined) return undefined;
  const number = Math.floor(tag.value / 8);
  const wireType = tag.value % 8;
  const start = tag.next;
  let length: number;
  if (wireType === VARINT) length = (varintAt(bytes, start, end)?.next ?? end + 1) - start;
  else if (wireType === FIXED64) length = 8;
  else if (wireType === FIXED32) length = 4;
  else if (wireType === LENGTH_DELIMITED) {
    const size = varintAt(bytes, start, end);
    if (size === undefined || size.next + size.value > end) return undefined;
    return { number, wireType, start: size.next, end: size.next + size.value };
  } else return undefined;
  return start + length > end ? undefined : { number, wireType, start, end: start + length };
}

/** A varint as a number, exact up to 2^53; undefined when it does not end. */
function varintAt(bytes: Uint8Array, at: number, end: number) {
  let value = 0;
  let factor = 1;
  for (let index = at; index < end && index < at + 10; index += 1) {
    const byte = bytes[index] as number;
    value += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) return { value, next: index + 1 };
  }
  return undefined;
}
