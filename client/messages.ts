// From response messages of KvService to what callers get. Pure; what a server must not have sent
// is an INTERNAL KvdClientError.

import type {
  BatchResponse,
  BatchResult as BatchResultMessage,
  DeleteResponse,
  GetResponse,
  OperationResult as OperationResultMessage,
  PutResponse,
  RangeResponse,
  TxnResponse,
} from "../gen/grpc/kvd/v1/kv.js";
import { msFromMessage } from "./duration.js";
import { entryFromMessage, optionalEntry, ReceivedKey } from "./entry.js";
import { KvdClientError, reasonName } from "./errors.js";
import { numberFromInt64 } from "./numbers.js";
import type { BatchResult, BatchResultItem, OperationResult, TxnResult } from "./txn-types.js";
import type { DeleteResult, Entry, PutResult, RangeResult } from "./types.js";

export function getResult({ kv }: GetResponse): Entry | undefined {
  return optionalEntry(kv);
}

export function putResult(response: PutResponse): PutResult {
  return {
    revision: numberFromInt64(response.revision, "revision"),
    previous: optionalEntry(response.previous),
    leaseId: response.leaseId,
    ttlMs: response.ttl === undefined ? undefined : msFromMessage(response.ttl),
  };
}

export function deleteResult(response: DeleteResponse): DeleteResult {
  return {
    revision: numberFromInt64(response.revision, "revision"),
    deleted: numberFromInt64(response.deleted, "deleted"),
    more: response.more,
    previous: response.previous.map(entryFromMessage),
  };
}

export function rangeResult(response: RangeResponse): RangeResult {
  const prefixes = response.commonPrefixes.map((prefix) => new ReceivedKey(prefix.keyForm));
  const token = response.nextPageToken;
  return {
    revision: numberFromInt64(response.revision, "revision"),
    entries: response.kvs.map(entryFromMessage),
    commonPrefixes: prefixes.map((prefix) => prefix.key),
    commonPrefixBytes: prefixes.map((prefix) => prefix.keyBytes),
    more: response.more,
    nextPageToken: token.length === 0 ? undefined : token,
  };
}

export function txnResult(response: TxnResponse): TxnResult {
  return {
    revision: numberFromInt64(response.revision, "revision"),
    succeeded: response.succeeded,
    results: response.results.map(operationResult),
  };
}

export function batchResult(response: BatchResponse): BatchResult {
  return {
    revision: numberFromInt64(response.revision, "revision"),
    results: response.results.map(batchResultItem),
  };
}

function operationResult({ result }: OperationResultMessage): OperationResult {
  switch (result?.$case) {
    case "get":
      return {
        kind: "get",
        revision: numberFromInt64(result.value.revision, "revision"),
        entry: optionalEntry(result.value.kv),
      };
    case "range":
      return { kind: "range", ...rangeResult(result.value) };
    case "put":
      return { kind: "put", ...putResult(result.value) };
    case "delete":
      return { kind: "delete", ...deleteResult(result.value) };
    case "txn":
      return { kind: "txn", ...txnResult(result.value) };
    case undefined:
      throw new KvdClientError("INTERNAL", "the server left out the result of an operation");
  }
}

function batchResultItem({ result }: BatchResultMessage): BatchResultItem {
  if (result?.$case !== "failure") {
    return operationResult({ result } as OperationResultMessage) as BatchResultItem;
  }
  const { reason, message, modRevision } = result.value;
  return {
    kind: "failure",
    reason: reasonName(reason),
    message,
    modRevision: numberFromInt64(modRevision, "mod_revision"),
  };
}
