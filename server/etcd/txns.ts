// etcd's txns and the operations in them: checked as etcd does, in its order, turned into what the
// engine runs, and its results into answers.

import {
  type Compare as CompareMessage,
  type DeleteRangeRequest,
  type DeleteRangeResponse,
  type PutRequest,
  type PutResponse,
  type RequestOp,
  type ResponseHeader,
  type ResponseOp,
  Compare_CompareResult as Result,
  Compare_CompareTarget as Target,
  type TxnRequest,
  type TxnResponse,
} from "../../gen/grpc/etcd/rpc.js";
import {
  type Compare,
  type CompareRelation,
  type CompareTarget,
  type DeleteCommand,
  type DeleteResult,
  type LeaseChoice,
  NO_LEASE,
  type Operation,
  type OperationResult,
  type PutCommand,
  type PutResult,
  type Revision,
  type TxnCommand,
  type TxnResult,
} from "../kv/types.js";
import { keyToWrite, keyValue, selectorFromRange } from "./messages.js";
import { foundByGet, foundByRange, rangeResponse, readInTxn } from "./ranges.js";
import { refusals } from "./status.js";

/** @throws EtcdError for fields that contradict each other. */
export function putFromRequest(request: PutRequest): PutCommand {
  const { ignoreValue, ignoreLease, lease } = request;
  const key = keyToWrite(request.key);
  if (ignoreValue && request.value.length > 0) throw refusals.valueProvided();
  if (ignoreLease && lease !== NO_LEASE) throw refusals.leaseProvided();
  return {
    key,
    value: ignoreValue ? "keep" : request.value,
    lease: ignoreLease ? { kind: "keep" } : leaseChoice(lease),
    expectedModRevision: ignoreValue || ignoreLease ? "present" : undefined,
    returnPrevious: request.prevKv,
  };
}

function leaseChoice(id: bigint): LeaseChoice {
  if (id === NO_LEASE) return { kind: "none" };
  return { kind: "lease", id, maxKeys: Number.POSITIVE_INFINITY };
}

/** `maxBytes` is of the previous entries; a txn has a bound of its own. */
export function deleteFromRequest(
  request: DeleteRangeRequest,
  maxBytes: number = Number.POSITIVE_INFINITY,
): DeleteCommand {
  return {
    selector: selectorFromRange(request.key, request.rangeEnd),
    limit: 0,
    maxKeys: Number.POSITIVE_INFINITY,
    expectedModRevision: undefined,
    returnPrevious: request.prevKv,
    maxBytes,
  };
}

/** Its longest list may have so many; a nested txn may have what is left then. */
export function txnFromRequest(request: TxnRequest, maxOperations: number): TxnCommand {
  const { compare, success, failure } = request;
  const longest = Math.max(compare.length, success.length, failure.length);
  if (longest > maxOperations) throw refusals.tooManyOperations();
  if (compare.some(({ key }) => key.length === 0)) throw refusals.emptyKey();
  const operation = (op: RequestOp) => operationFromRequest(op, maxOperations - longest);
  return {
    compares: compare.flatMap(compareFromMessage),
    success: success.map(operation),
    failure: failure.map(operation),
  };
}

function operationFromRequest({ request }: RequestOp, maxOperations: number): Operation {
  switch (request?.$case) {
    case "requestRange":
      return readInTxn(request.value);
    case "requestPut":
      return { kind: "put", put: putFromRequest(request.value) };
    case "requestDeleteRange":
      return { kind: "delete", delete: deleteFromRequest(request.value) };
    case "requestTxn":
      return { kind: "txn", txn: txnFromRequest(request.value, maxOperations) };
    case undefined:
      throw refusals.keyNotFound();
  }
}

const RELATIONS: { readonly [result: number]: CompareRelation } = {
  [Result.EQUAL]: "equal",
  [Result.NOT_EQUAL]: "not-equal",
  [Result.LESS]: "less",
  [Result.GREATER]: "greater",
};

/** As etcd takes what there is none of: such a result holds, such a target is always equal. */
function compareFromMessage(message: CompareMessage): Compare[] {
  const { target } = message;
  const selector = selectorFromRange(message.key, message.rangeEnd);
  const relation = RELATIONS[message.result];
  if (!TARGETS.includes(target)) {
    return relation === undefined || relation === "equal" ? [] : [{ selector, ...NEVER }];
  }
  if (relation !== undefined) return [{ selector, relation, target: targetFromMessage(message) }];
  return target === Target.VALUE ? [{ selector, ...PRESENT }] : [];
}

const TARGETS: readonly number[] = [
  Target.VERSION,
  Target.CREATE,
  Target.MOD,
  Target.VALUE,
  Target.LEASE,
];

const PRESENT: Omit<Compare, "selector"> = {
  relation: "equal",
  target: { kind: "exists", value: true },
};

const NO_BYTES = new Uint8Array(0);

/** No value is below that of no bytes. */
const NEVER: Omit<Compare, "selector"> = {
  relation: "less",
  target: { kind: "value", value: NO_BYTES },
};

/** A member of the union that is not the target's counts as 0, or as empty. */
function targetFromMessage({ target, targetUnion: union }: CompareMessage): CompareTarget {
  switch (target) {
    case Target.VERSION:
      return { kind: "version", value: union?.$case === "version" ? Number(union.value) : 0 };
    case Target.CREATE: {
      const value = union?.$case === "createRevision" ? Number(union.value) : 0;
      return { kind: "createRevision", value };
    }
    case Target.MOD: {
      const value = union?.$case === "modRevision" ? Number(union.value) : 0;
      return { kind: "modRevision", value };
    }
    case Target.LEASE:
      return { kind: "leaseId", value: union?.$case === "lease" ? union.value : NO_LEASE };
    default:
      return { kind: "value", value: union?.$case === "value" ? union.value : NO_BYTES };
  }
}

export function putResponse(result: PutResult, header: ResponseHeader): PutResponse {
  return { header, prevKv: result.previous && keyValue(result.previous) };
}

export function deleteResponse(result: DeleteResult, header: ResponseHeader): DeleteRangeResponse {
  const prevKvs = result.previous.map((entry) => keyValue(entry));
  return { header, deleted: BigInt(result.deleted), prevKvs };
}

export function txnResponse(
  request: TxnRequest,
  result: TxnResult,
  header: ResponseHeader,
): TxnResponse {
  const { succeeded, results } = result;
  const operations = succeeded ? request.success : request.failure;
  const responses = operations.map((operation, index) =>
    responseOp(operation, results[index] as OperationResult),
  );
  return { header, succeeded, responses };
}

function responseOp({ request }: RequestOp, result: OperationResult): ResponseOp {
  switch (result.kind) {
    case "get":
    case "range": {
      const ranged = request?.$case === "requestRange" ? request.value : undefined;
      if (ranged === undefined) throw new Error("a result of a read that nobody asked for");
      const read = result.kind === "get" ? result.get : result.range;
      const found =
        result.kind === "get" ? foundByGet(result.get) : foundByRange(ranged, result.range);
      const header = innerHeader(read.currentRevision);
      const value = rangeResponse(ranged, found, header);
      return { response: { $case: "responseRange", value } };
    }
    case "put": {
      const value = putResponse(result.put, innerHeader(result.put.revision));
      return { response: { $case: "responsePut", value } };
    }
    case "delete": {
      const value = deleteResponse(result.delete, innerHeader(result.delete.revision));
      return { response: { $case: "responseDeleteRange", value } };
    }
    case "txn": {
      const nested = request?.$case === "requestTxn" ? request.value : undefined;
      if (nested === undefined) throw new Error("a result of a txn that nobody asked for");
      const value = txnResponse(nested, result.txn, innerHeader(0));
      return { response: { $case: "responseTxn", value } };
    }
  }
}

/** Inside a txn a header has the revision only, and that of a nested txn nothing. */
function innerHeader(revision: Revision): ResponseHeader {
  return { clusterId: 0n, memberId: 0n, revision: BigInt(revision), raftTerm: 0n };
}
