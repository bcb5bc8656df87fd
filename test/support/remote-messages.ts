// Commands as requests of kvd.v1, and responses as results, for the engine that is behind a wire.
//
// A key goes out as text where it is text. In answers `raw_key` must only be used for keys that are
// not valid UTF-8; anything else throws here. What the wire does not carry: a command's own limits
// (the server's hold), the newest revision beside the one that an answer reflects, a resume bound
// that is not a page token.

import type { Duration } from "../../gen/grpc/google/protobuf/duration.js";
import {
  type BatchResult,
  CompareRelation,
  DeleteRequest,
  type DeleteResponse,
  GetRequest,
  type GetResponse,
  type OperationResult as OperationResultMessage,
  PutRequest,
  type PutResponse,
  RangeOrder,
  RangeRequest,
  type RangeResponse,
  TxnRequest,
  type TxnResponse,
} from "../../gen/grpc/kvd/v1/kv.js";
import type { Key, KeyValue } from "../../gen/grpc/kvd/v1/watch.js";
import type { Selector } from "../../server/kv/selector.js";
import type {
  BatchResultItem,
  Compare,
  DeleteCommand,
  DeleteResult,
  Entry,
  GetCommand,
  GetResult,
  Operation,
  OperationResult,
  PutCommand,
  PutResult,
  RangeQuery,
  RangeResult,
  TxnCommand,
  TxnResult,
} from "../../server/kv/types.js";
import { errorFromReason } from "./remote-error.js";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text that bytes are; undefined when they are none. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

export function keyForm(key: Uint8Array): NonNullable<Key["keyForm"]> {
  const text = textOf(key);
  return text === undefined ? { $case: "rawKey", value: key } : { $case: "key", value: text };
}

export function keyFromForm(form: Key["keyForm"]): Uint8Array {
  if (form === undefined) throw new Error("an answer has a key without a form");
  if (form.$case === "key") return Buffer.from(form.value, "utf8");
  if (textOf(form.value) !== undefined) throw new Error("raw_key is used for a key that is text");
  return form.value;
}

export function selectorForm(selector: Selector): NonNullable<RangeRequest["selector"]> {
  switch (selector.kind) {
    case "key":
      return keyForm(selector.key);
    case "prefix": {
      const text = textOf(selector.prefix);
      return text === undefined
        ? { $case: "rawPrefix", value: selector.prefix }
        : { $case: "prefix", value: text };
    }
    case "interval": {
      const bound = (key: Uint8Array | undefined) =>
        key === undefined ? undefined : { keyForm: keyForm(key) };
      return {
        $case: "interval",
        value: { start: bound(selector.start), end: bound(selector.end) },
      };
    }
    case "all":
      return { $case: "all", value: true };
  }
}

export function durationFromMs(ms: number): Duration {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}

/** Whole milliseconds; 0 when unset. */
export function msFromDuration(duration: Duration | undefined): number {
  if (duration === undefined) return 0;
  const ms = Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
  if (!Number.isInteger(ms)) throw new Error(`${ms} ms is not whole`);
  return ms;
}

export function getRequest(command: GetCommand): GetRequest {
  return GetRequest.create({ keyForm: keyForm(command.key), revision: BigInt(command.revision) });
}

export function putRequest(command: PutCommand): PutRequest {
  const { lease, value, expectedModRevision } = command;
  if (value === "keep" || expectedModRevision === "present") throw new Error("not in kvd.v1");
  return PutRequest.create({
    keyForm: keyForm(command.key),
    value,
    returnPrevious: command.returnPrevious,
    ...(lease.kind === "lease" ? { leaseId: lease.id } : {}),
    ...(lease.kind === "keep" ? { keepLease: true } : {}),
    ...(lease.kind === "ttl" ? { ttl: durationFromMs(lease.ttlMs) } : {}),
    ...(expectedModRevision === undefined
      ? {}
      : { expectedModRevision: BigInt(expectedModRevision) }),
  });
}

export function deleteRequest(command: DeleteCommand): DeleteRequest {
  const { expectedModRevision } = command;
  return DeleteRequest.create({
    selector: selectorForm(command.selector),
    limit: BigInt(command.limit),
    returnPrevious: command.returnPrevious,
    ...(expectedModRevision === undefined
      ? {}
      : { expectedModRevision: BigInt(expectedModRevision) }),
  });
}

export function rangeRequest(query: RangeQuery): RangeRequest {
  const delimiter = textOf(query.delimiter);
  if (delimiter === undefined) throw new Error("a delimiter on the wire is text");
  if (query.count === "also") throw new Error("the wire counts, or gives rows");
  return RangeRequest.create({
    selector: selectorForm(query.selector),
    // A page token alone says the revision.
    revision: query.resume === undefined ? BigInt(query.revision) : 0n,
    limit: BigInt(query.limit),
    order: query.order === "descending" ? RangeOrder.DESCENDING : RangeOrder.UNSPECIFIED,
    keysOnly: query.keysOnly,
    countOnly: query.count === "only",
    delimiter,
    ...(query.resume === undefined ? {} : { pageToken: query.resume }),
  });
}

const RELATIONS = {
  equal: CompareRelation.UNSPECIFIED,
  "not-equal": CompareRelation.NOT_EQUAL,
  less: CompareRelation.LESS,
  greater: CompareRelation.GREATER,
} as const;

function compareMessage({ selector, relation, target }: Compare) {
  const form = selectorForm(selector);
  return { selector: form, relation: RELATIONS[relation], target: targetMessage(target) };
}

function targetMessage(target: Compare["target"]) {
  switch (target.kind) {
    case "version":
    case "createRevision":
    case "modRevision":
      return { $case: target.kind, value: BigInt(target.value) } as const;
    case "value":
      return { $case: "value", value: target.value } as const;
    case "leaseId":
      return { $case: "leaseId", value: target.value } as const;
    case "exists":
      return { $case: "exists", value: target.value } as const;
  }
}

export function txnRequest(command: TxnCommand): TxnRequest {
  return TxnRequest.create({
    compares: command.compares.map(compareMessage),
    success: command.success.map((operation) => ({ operation: operationMessage(operation) })),
    failure: command.failure.map((operation) => ({ operation: operationMessage(operation) })),
  });
}

function operationMessage(operation: Operation) {
  switch (operation.kind) {
    case "get":
      return { $case: "get", value: getRequest(operation.get) } as const;
    case "put":
      return { $case: "put", value: putRequest(operation.put) } as const;
    case "delete":
      return { $case: "delete", value: deleteRequest(operation.delete) } as const;
    case "range":
      return { $case: "range", value: rangeRequest(operation.range) } as const;
    case "txn":
      return { $case: "txn", value: txnRequest(operation.txn) } as const;
  }
}

export function entryFromMessage(kv: KeyValue): Entry {
  return {
    key: keyFromForm(kv.keyForm),
    value: kv.value,
    createRevision: Number(kv.createRevision),
    modRevision: Number(kv.modRevision),
    version: Number(kv.version),
    leaseId: kv.leaseId,
  };
}

export function optionalEntry(kv: KeyValue | undefined): Entry | undefined {
  return kv === undefined ? undefined : entryFromMessage(kv);
}

export function getResult(response: GetResponse): GetResult {
  const revision = Number(response.revision);
  return { revision, currentRevision: revision, entry: optionalEntry(response.kv) };
}

export function putResult(response: PutResponse): PutResult {
  return {
    revision: Number(response.revision),
    previous: optionalEntry(response.previous),
    leaseId: response.leaseId,
    ttlMs: msFromDuration(response.ttl),
  };
}

export function deleteResult(response: DeleteResponse): DeleteResult {
  return {
    revision: Number(response.revision),
    deleted: Number(response.deleted),
    more: response.more,
    previous: response.previous.map(entryFromMessage),
  };
}

export function rangeResult(response: RangeResponse, counts: boolean): RangeResult {
  const revision = Number(response.revision);
  const { nextPageToken } = response;
  return {
    revision,
    currentRevision: revision,
    entries: response.kvs.map(entryFromMessage),
    prefixes: response.commonPrefixes.map((prefix) => keyFromForm(prefix.keyForm)),
    more: response.more,
    next: nextPageToken.length === 0 ? undefined : nextPageToken,
    count: counts ? Number(response.count) : undefined,
  };
}

export function txnResult(response: TxnResponse, command: TxnCommand): TxnResult {
  const { succeeded } = response;
  const operations = succeeded ? command.success : command.failure;
  const results = response.results.map(({ result }, index) =>
    operationResult(result, operations[index]),
  );
  return { revision: Number(response.revision), succeeded, results };
}

function operationResult(
  result: OperationResultMessage["result"],
  operation: Operation | undefined,
): OperationResult {
  if (result?.$case !== operation?.kind) {
    throw new Error(`${operation?.kind} was answered as ${result?.$case}`);
  }
  switch (result?.$case) {
    case "get":
      return { kind: "get", get: getResult(result.value) };
    case "put":
      return { kind: "put", put: putResult(result.value) };
    case "delete":
      return { kind: "delete", delete: deleteResult(result.value) };
    case "range": {
      const counts = operation?.kind === "range" && operation.range.count !== "no";
      return { kind: "range", range: rangeResult(result.value, counts) };
    }
    case "txn":
      return {
        kind: "txn",
        txn: txnResult(result.value, (operation as { txn: TxnCommand }).txn),
      };
    default:
      throw new Error("an operation has no answer");
  }
}

export function batchResult({ result }: BatchResult): BatchResultItem {
  switch (result?.$case) {
    case "get":
      return { kind: "get", get: getResult(result.value) };
    case "put":
      return { kind: "put", put: putResult(result.value) };
    case "delete":
      return { kind: "delete", delete: deleteResult(result.value) };
    case "failure": {
      const { reason, message, modRevision } = result.value;
      const stale = { modRevision: Number(modRevision) };
      const error = errorFromReason(reason, message, {});
      const told = error.reason === "PRECONDITION_FAILED" ? error.with(stale) : error;
      return { kind: "failure", error: told };
    }
    default:
      throw new Error("an operation of a batch has no answer");
  }
}
