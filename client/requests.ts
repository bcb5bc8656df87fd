// From what callers pass to request messages. Pure; nothing is sent from here.
//
// It refuses, as a TypeError, only what has no message or could not be meant. Everything else the
// server judges, so that its reasons are the same for every client.

import {
  type BatchOperation as BatchOperationMessage,
  type Compare as CompareMessage,
  CompareRelation,
  type DeleteRequest,
  type GetRequest,
  type Operation as OperationMessage,
  type PutRequest,
  RangeOrder,
  type RangeRequest,
  type TxnRequest,
} from "../gen/grpc/kvd/v1/kv.js";
import { EventType, type Key, type WatchRequest } from "../gen/grpc/kvd/v1/watch.js";
import { messageFromDuration } from "./duration.js";
import { int64FromNumber, leaseIdToMessage } from "./numbers.js";
import { kindOf, utf8FromText, wellFormed } from "./text.js";
import type { BatchOperation, Compare, Operation, TxnSpec } from "./txn-types.js";
import type {
  DeleteOptions,
  GetOptions,
  KeyLike,
  PutOptions,
  RangeOptions,
  SelectorLike,
  ValueLike,
} from "./types.js";
import type { WatchOptions } from "./watch-types.js";

type KeyForm = NonNullable<GetRequest["keyForm"]>;
type SelectorForm = NonNullable<RangeRequest["selector"]>;

const NO_BYTES = new Uint8Array(0);

export function keyForm(key: KeyLike, what = "the key"): KeyForm {
  if (typeof key === "string") return { $case: "key", value: wellFormed(key, what) };
  if (key instanceof Uint8Array) return { $case: "rawKey", value: key };
  throw new TypeError(`${what} must be a string or a Uint8Array, not ${kindOf(key)}`);
}

export function valueBytes(value: ValueLike): Uint8Array {
  if (typeof value === "string") return utf8FromText(value, "the value");
  if (value instanceof Uint8Array) return value;
  throw new TypeError(
    `the value must be a string, a Uint8Array or json(...), not ${kindOf(value)}`,
  );
}

export function selectorForm(selector: SelectorLike): SelectorForm {
  if (typeof selector === "string" || selector instanceof Uint8Array) return keyForm(selector);
  const { key, prefix, start, end, all } = membersOf(selector);
  const bounded = start !== undefined || end !== undefined;
  const forms = [key !== undefined, prefix !== undefined, bounded, all === true];
  if (forms.filter(Boolean).length === 1) {
    if (all === true) return { $case: "all", value: true };
    if (key !== undefined) return keyForm(key);
    if (prefix !== undefined) return prefixForm(prefix);
    return { $case: "interval", value: { start: bound(start, "start"), end: bound(end, "end") } };
  }
  throw new TypeError(
    "a selector must be a key, or one of { key }, { prefix }, { start, end }, { all: true }",
  );
}

export function getRequest(key: KeyLike, options: Omit<GetOptions, "signal">): GetRequest {
  return { keyForm: keyForm(key), revision: int64FromNumber(options.revision, "revision") };
}

export function putRequest(key: KeyLike, value: ValueLike, options: PutOptions): PutRequest {
  const { ttl, leaseId, keepLease, expectedModRevision, returnPrevious } = options;
  return {
    keyForm: keyForm(key),
    value: valueBytes(value),
    ttl: ttl === undefined ? undefined : messageFromDuration(ttl, "ttl"),
    leaseId: leaseIdToMessage(leaseId),
    keepLease: keepLease ?? false,
    expectedModRevision: optionalInt64(expectedModRevision, "expectedModRevision"),
    returnPrevious: returnPrevious ?? false,
  };
}

export function deleteRequest(selector: SelectorLike, options: DeleteOptions): DeleteRequest {
  return {
    selector: selectorForm(selector),
    limit: int64FromNumber(options.limit, "limit"),
    expectedModRevision: optionalInt64(options.expectedModRevision, "expectedModRevision"),
    returnPrevious: options.returnPrevious ?? false,
  };
}

export function rangeRequest(
  selector: SelectorLike,
  options: RangeOptions & { readonly countOnly?: boolean },
): RangeRequest {
  const { revision, limit, pageToken, order, keysOnly, countOnly, delimiter } = options;
  return {
    selector: selectorForm(selector),
    revision: int64FromNumber(revision, "revision"),
    limit: int64FromNumber(limit, "limit"),
    pageToken: pageToken ?? NO_BYTES,
    order: orderToMessage(order),
    keysOnly: keysOnly ?? false,
    countOnly: countOnly ?? false,
    delimiter: delimiter === undefined ? "" : wellFormed(delimiter, "the delimiter"),
  };
}

export function txnRequest(spec: TxnSpec): TxnRequest {
  return {
    compares: (spec.compare ?? []).map(compareToMessage),
    success: (spec.success ?? []).map(operationToMessage),
    failure: (spec.failure ?? []).map(operationToMessage),
  };
}

export function batchOperation(operation: BatchOperation): BatchOperationMessage {
  switch (operation.kind) {
    case "get":
    case "put":
    case "delete":
      return operationToMessage(operation) as BatchOperationMessage;
    default:
      throw new TypeError("a batch takes get(), put() and del() only");
  }
}

/** Present entries are listed by the client; but what excludes them, the server shall judge. */
export function watchRequest(selector: SelectorLike, options: WatchOptions): WatchRequest {
  const { startRevision, storeId, includeCurrent, previous, exclude, progressInterval } = options;
  const start = int64FromNumber(startRevision, "startRevision");
  return {
    selector: selectorForm(selector),
    startRevision: start,
    storeId: storeId === undefined ? "" : wellFormed(storeId, "storeId"),
    includeCurrent: includeCurrent === true && start !== 0n,
    previous: previous ?? false,
    exclude: (exclude ?? []).map(eventTypeToMessage),
    progressInterval:
      progressInterval === undefined
        ? undefined
        : messageFromDuration(progressInterval, "progressInterval"),
  };
}

function operationToMessage(operation: Operation): OperationMessage {
  switch (operation.kind) {
    case "get": {
      const value = getRequest(operation.key, operation.options);
      return { operation: { $case: "get", value } };
    }
    case "range": {
      const value = rangeRequest(operation.selector, operation.options);
      return { operation: { $case: "range", value } };
    }
    case "put": {
      const value = putRequest(operation.key, operation.value, operation.options);
      return { operation: { $case: "put", value } };
    }
    case "delete": {
      const value = deleteRequest(operation.selector, operation.options);
      return { operation: { $case: "delete", value } };
    }
    case "txn":
      return { operation: { $case: "txn", value: txnRequest(operation.txn) } };
    default:
      throw new TypeError("an operation must be made with get(), range(), put(), del() or txn()");
  }
}

const RELATIONS: ReadonlyMap<string, CompareRelation> = new Map([
  ["=", CompareRelation.EQUAL],
  ["!=", CompareRelation.NOT_EQUAL],
  ["<", CompareRelation.LESS],
  [">", CompareRelation.GREATER],
]);

function compareToMessage(compare: Compare): CompareMessage {
  const relation = RELATIONS.get(compare.relation);
  if (relation === undefined) {
    throw new TypeError(
      `a relation must be "=", "!=", "<" or ">", not ${String(compare.relation)}`,
    );
  }
  return {
    selector: selectorForm(compare.selector),
    relation,
    target: targetToMessage(compare.target),
  };
}

function targetToMessage(target: Compare["target"]): NonNullable<CompareMessage["target"]> {
  switch (target.kind) {
    case "version":
    case "createRevision":
    case "modRevision":
      return { $case: target.kind, value: int64FromNumber(target.value, target.kind) };
    case "value":
      return { $case: "value", value: valueBytes(target.value) };
    case "leaseId":
      return { $case: "leaseId", value: leaseIdToMessage(target.value) };
    case "exists":
      return { $case: "exists", value: target.value };
    default:
      throw new TypeError("a compare must be made with compare.…(), absent() or exists()");
  }
}

function membersOf(selector: Exclude<SelectorLike, KeyLike>): {
  readonly key?: KeyLike;
  readonly prefix?: KeyLike;
  readonly start?: KeyLike;
  readonly end?: KeyLike;
  readonly all?: boolean;
} {
  if (typeof selector === "object" && selector !== null) return selector;
  throw new TypeError(`a selector must be a key or an object, not ${kindOf(selector)}`);
}

function prefixForm(prefix: KeyLike): SelectorForm {
  const form = keyForm(prefix, "the prefix");
  return form.$case === "key"
    ? { $case: "prefix", value: form.value }
    : { $case: "rawPrefix", value: form.value };
}

function bound(key: KeyLike | undefined, what: string): Key | undefined {
  return key === undefined ? undefined : { keyForm: keyForm(key, what) };
}

function optionalInt64(value: number | undefined, what: string): bigint | undefined {
  return value === undefined ? undefined : int64FromNumber(value, what);
}

function orderToMessage(order: RangeOptions["order"]): RangeOrder {
  switch (order) {
    case undefined:
      return RangeOrder.UNSPECIFIED;
    case "ascending":
      return RangeOrder.ASCENDING;
    case "descending":
      return RangeOrder.DESCENDING;
    default:
      throw new TypeError(`an order must be "ascending" or "descending", not ${String(order)}`);
  }
}

function eventTypeToMessage(type: "put" | "delete"): EventType {
  switch (type) {
    case "put":
      return EventType.PUT;
    case "delete":
      return EventType.DELETE;
    default:
      throw new TypeError(`an event type must be "put" or "delete", not ${String(type)}`);
  }
}
