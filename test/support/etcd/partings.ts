// Known differences after which the two servers would not hold the same any more, or one would be
// gone: they are not among the random operations, and are looked at one by one.

import {
  type DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  type RangeRequest_SortTarget,
  type RequestOp,
  TxnRequest,
  WatchCreateRequest,
} from "../../../gen/grpc/etcd/rpc.js";
import type { Operation } from "./operations.js";

export interface Parting {
  readonly name: string;
  readonly reason: string;
  readonly operation: Operation;
  /** How it ends: OK, or a code and its text. */
  readonly etcd: string;
  readonly kvd: string;
}

const DUPLICATE = "INVALID_ARGUMENT etcdserver: duplicate key given in txn request";
const TOO_LARGE = "INVALID_ARGUMENT etcdserver: request is too large";
const COMPACTED = "etcdserver: mvcc: required revision has been compacted";

const KEY = Buffer.from("k");
const ZERO = Buffer.of(0);
const ONE_CHANGE = "kvd holds one change of a key in a revision; etcd overlooks that there are two";

/** The last one ends etcd. */
export const PARTINGS: readonly Parting[] = [
  {
    name: "first compaction at 0",
    reason: "there is nothing to compact; etcd takes it once, and then refuses it",
    operation: { kind: "compact", request: { revision: 0n, physical: false } },
    etcd: "OK",
    kvd: `OUT_OF_RANGE ${COMPACTED}`,
  },
  {
    name: "put in a nested txn, delete in a later one",
    reason: ONE_CHANGE,
    operation: txn(nested(put()), nested(remove({ key: KEY, rangeEnd: Buffer.alloc(0) }))),
    etcd: "OK",
    kvd: DUPLICATE,
  },
  {
    name: "put of a key that a delete from a key on covers",
    reason: ONE_CHANGE,
    operation: txn(remove({ key: Buffer.from("a"), rangeEnd: ZERO }), put()),
    etcd: "OK",
    kvd: DUPLICATE,
  },
  {
    name: "request that is about as large as may be",
    reason: "etcd measures what it writes into its log, some bytes more than what was sent",
    operation: putOf(1_572_844),
    etcd: TOO_LARGE,
    kvd: "OK",
  },
  {
    name: "request above 2 MiB",
    reason:
      "etcd's transport refuses it before etcd does; kvd says the same of all that is too large",
    operation: putOf(2 * 1024 * 1024),
    etcd: "RESOURCE_EXHAUSTED grpc: received message larger than max (2097160 vs. 2097152)",
    kvd: TOO_LARGE,
  },
  {
    name: "watch from a revision below 0",
    reason: "etcd 3.4 begins at the first revision; kvd refuses it, as etcd does from 3.6 on",
    operation: {
      kind: "watch",
      request: WatchCreateRequest.create({ key: KEY, startRevision: -1n }),
    },
    etcd: "OK",
    kvd: `refused ${COMPACTED}`,
  },
  {
    name: "sort target that there is none of",
    reason: "it ends the process of etcd 3.4; kvd refuses it, as etcd does from 3.6 on",
    operation: {
      kind: "range",
      request: RangeRequest.create({
        ...{ key: ZERO, rangeEnd: ZERO },
        sortTarget: 5 as RangeRequest_SortTarget,
      }),
    },
    etcd: "UNAVAILABLE",
    kvd: "INVALID_ARGUMENT etcdserver: invalid sort option",
  },
];

function putOf(bytes: number): Operation {
  const value = Buffer.alloc(bytes);
  return { kind: "put", request: PutRequest.create({ key: KEY, value }) };
}

function txn(...success: RequestOp[]): Operation {
  return { kind: "txn", request: TxnRequest.create({ success }) };
}

function nested(...success: RequestOp[]): RequestOp {
  return { request: { $case: "requestTxn", value: TxnRequest.create({ success }) } };
}

function put(): RequestOp {
  return { request: { $case: "requestPut", value: PutRequest.create({ key: KEY }) } };
}

function remove(range: Omit<DeleteRangeRequest, "prevKv">): RequestOp {
  return { request: { $case: "requestDeleteRange", value: { ...range, prevKv: false } } };
}
