// Keys, values and prebuilt messages. What is random is seeded, so every run sends the same bytes.

import {
  PutRequest as EtcdPut,
  RangeRequest as EtcdRange,
  TxnRequest,
} from "../gen/grpc/etcd/rpc.js";
import {
  BatchOperation,
  BatchRequest,
  GetRequest,
  PipelineRequest,
  PutRequest,
} from "../gen/grpc/kvd/v1/kv.js";
import { framed } from "./load/message-splitter.js";

export const VALUE = Buffer.alloc(64, "v");

/** 16 bytes, as those of redis-benchmark -r. */
export function keyAt(index: number): string {
  return `key:${String(index).padStart(12, "0")}`;
}

/** Numbers from 0 to below `bound`, the same in every run. */
export function seededIndexes(seed: number): (bound: number) => number {
  let state = seed >>> 0 || 1;
  return (bound) => {
    // xorshift32.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % bound;
  };
}

const keyForm = (index: number) => ({ $case: "key" as const, value: keyAt(index) });

export function getMessage(index: number): Uint8Array {
  return GetRequest.encode(GetRequest.fromPartial({ keyForm: keyForm(index) })).finish();
}

export function putMessage(index: number): Uint8Array {
  return PutRequest.encode(
    PutRequest.fromPartial({ keyForm: keyForm(index), value: VALUE }),
  ).finish();
}

function operation(kind: "get" | "put", index: number): BatchOperation {
  return kind === "get"
    ? BatchOperation.fromPartial({
        operation: { $case: "get", value: { keyForm: keyForm(index) } },
      })
    : BatchOperation.fromPartial({
        operation: { $case: "put", value: { keyForm: keyForm(index), value: VALUE } },
      });
}

export interface MixPlan {
  /** Half of them gets, half puts. */
  readonly operations: number;
  readonly distinctKeys: number;
}

/** Bodies that together read and write every one of the keys, each message half and half. */
export function mixedOperations({ operations, distinctKeys }: MixPlan): BatchOperation[][] {
  const half = operations / 2;
  const order = shuffled(distinctKeys);
  const count = Math.max(1, Math.ceil(distinctKeys / half));
  return Array.from({ length: count }, (_, body) => {
    const keys = Array.from({ length: half }, (_, at) => order[(body * half + at) % distinctKeys]);
    return keys.flatMap((key = 0) => [operation("put", key), operation("get", key)]);
  });
}

function shuffled(count: number): number[] {
  const next = seededIndexes(count);
  const order = Array.from({ length: count }, (_, index) => index);
  for (let at = count - 1; at > 0; at -= 1) {
    const other = next(at + 1);
    [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
  }
  return order;
}

export function batchBodies(plan: MixPlan): Buffer[] {
  return mixedOperations(plan).map((operations) =>
    framed(BatchRequest.encode(BatchRequest.fromPartial({ operations })).finish()),
  );
}

export function pipelineBodies(plan: MixPlan): Buffer[] {
  return mixedOperations(plan).map((operations) => pipelineBody(operations));
}

function pipelineBody(operations: readonly BatchOperation[]): Buffer {
  const message = PipelineRequest.fromPartial({ id: 1n, operations: [...operations] });
  return framed(PipelineRequest.encode(message).finish());
}

/** One message that puts the keys from `from` to below `to`. */
export function putsBody(from: number, to: number): Buffer {
  return pipelineBody(Array.from({ length: to - from }, (_, at) => operation("put", from + at)));
}

export function etcdRangeMessage(index: number): Uint8Array {
  return EtcdRange.encode(EtcdRange.fromPartial({ key: Buffer.from(keyAt(index)) })).finish();
}

export function etcdPutMessage(index: number): Uint8Array {
  return EtcdPut.encode(
    EtcdPut.fromPartial({ key: Buffer.from(keyAt(index)), value: VALUE }),
  ).finish();
}

/** Puts and ranges of the keys from `from` on, in one txn of etcd's. */
export function etcdTxnMessage(
  from: number,
  { puts, ranges }: { readonly puts: number; readonly ranges: number },
): Uint8Array {
  const key = (at: number) => Buffer.from(keyAt(from + at));
  return TxnRequest.encode(
    TxnRequest.fromPartial({
      success: [
        ...Array.from({ length: ranges }, (_, at) => ({
          request: { $case: "requestRange" as const, value: { key: key(at) } },
        })),
        ...Array.from({ length: puts }, (_, at) => ({
          request: { $case: "requestPut" as const, value: { key: key(at), value: VALUE } },
        })),
      ],
    }),
  ).finish();
}
