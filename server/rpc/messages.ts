// The engine's results as messages of kvd.v1.

import type { Duration } from "../../gen/grpc/google/protobuf/duration.js";
import {
  type DeleteResponse,
  type GetResponse,
  type OperationResult as OperationResultMessage,
  type PutResponse,
  RangeResponse,
  type TxnResponse,
} from "../../gen/grpc/kvd/v1/kv.js";
import type { Key, KeyValue } from "../../gen/grpc/kvd/v1/watch.js";
import type {
  DeleteResult,
  Entry,
  GetResult,
  OperationResult,
  PutResult,
  RangeResult,
  TxnResult,
} from "../kv/types.js";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A key as text where it is text, else as bytes. */
export function keyFormFromBytes(key: Uint8Array): NonNullable<Key["keyForm"]> {
  try {
    return { $case: "key", value: utf8.decode(key) };
  } catch {
    return { $case: "rawKey", value: key };
  }
}

export function keyValueFromEntry(entry: Entry): KeyValue {
  return {
    keyForm: keyFormFromBytes(entry.key),
    value: entry.value,
    createRevision: BigInt(entry.createRevision),
    modRevision: BigInt(entry.modRevision),
    version: BigInt(entry.version),
    leaseId: entry.leaseId,
  };
}

/** A duration of whole milliseconds. */
export function durationFromMs(ms: number): Duration {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}

export function getResponse(result: GetResult): GetResponse {
  const kv = result.entry === undefined ? undefined : keyValueFromEntry(result.entry);
  return { revision: BigInt(result.revision), kv };
}

export function putResponse(result: PutResult): PutResponse {
  return {
    revision: BigInt(result.revision),
    previous: result.previous === undefined ? undefined : keyValueFromEntry(result.previous),
    leaseId: result.leaseId,
    ttl: result.ttlMs === 0 ? undefined : durationFromMs(result.ttlMs),
  };
}

export function deleteResponse(result: DeleteResult): DeleteResponse {
  return {
    revision: BigInt(result.revision),
    deleted: BigInt(result.deleted),
    more: result.more,
    previous: result.previous.map(keyValueFromEntry),
  };
}

export function rangeResponse(result: RangeResult, nextPageToken?: Uint8Array): RangeResponse {
  return RangeResponse.create({
    revision: BigInt(result.revision),
    kvs: result.entries.map(keyValueFromEntry),
    commonPrefixes: result.prefixes.map((prefix) => ({ keyForm: keyFormFromBytes(prefix) })),
    nextPageToken: nextPageToken ?? new Uint8Array(0),
    more: result.more,
    count: BigInt(result.count ?? 0),
  });
}

export function txnResponse(result: TxnResult): TxnResponse {
  return {
    revision: BigInt(result.revision),
    succeeded: result.succeeded,
    results: result.results.map(operationResult),
  };
}

function operationResult(result: OperationResult): OperationResultMessage {
  switch (result.kind) {
    case "get":
      return { result: { $case: "get", value: getResponse(result.get) } };
    case "range":
      return { result: { $case: "range", value: rangeResponse(result.range) } };
    case "put":
      return { result: { $case: "put", value: putResponse(result.put) } };
    case "delete":
      return { result: { $case: "delete", value: deleteResponse(result.delete) } };
    case "txn":
      return { result: { $case: "txn", value: txnResponse(result.txn) } };
  }
}
