// Requests as the engine's commands, checked: what a request must and must not say is settled here,
// before anything is asked of the engine.

import {
  type BatchOperation as BatchOperationMessage,
  type Compare as CompareMessage,
  type DeleteRequest,
  type GetRequest,
  type Operation as OperationMessage,
  CompareRelation as ProtoRelation,
  type PutRequest,
  RangeOrder,
  RangeRequest,
  type TxnRequest,
} from "../../gen/grpc/kvd/v1/kv.js";
import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type {
  BatchOperation,
  Compare,
  CompareRelation,
  CompareTarget,
  DeleteCommand,
  GetCommand,
  LeaseChoice,
  Operation,
  PutCommand,
  RangeQuery,
  TxnCommand,
} from "../kv/types.js";
import {
  checkedValue,
  keyFromForm,
  numberFromInt64,
  refuseConflict,
  refuseUnknown,
  selectorFromForm,
  ttlMsFromDuration,
} from "./fields.js";
import { decodePageToken, TOKEN_OVERHEAD_BYTES } from "./page-token.js";

/** What an answer needs besides its rows: its own fields, the store's id in a token. */
const ANSWER_OVERHEAD_BYTES = 512;

/** What the rows of an answer may weigh. */
export function rowsMaxBytes(limits: Limits): number {
  return limits.responseMaxBytes - ANSWER_OVERHEAD_BYTES;
}

export function getFromMessage(message: GetRequest, limits: Limits): GetCommand {
  const key = keyFromForm(message.keyForm, limits);
  return { key, revision: numberFromInt64(message.revision, "revision") };
}

export function putFromMessage(message: PutRequest, limits: Limits): PutCommand {
  const key = keyFromForm(message.keyForm, limits);
  refuseConflict({
    ttl: message.ttl !== undefined,
    lease_id: message.leaseId !== 0n,
    keep_lease: message.keepLease,
  });
  return {
    key,
    value: checkedValue(message.value, key, limits),
    lease: leaseChoice(message, limits),
    expectedModRevision: expectedFrom(message.expectedModRevision),
    returnPrevious: message.returnPrevious,
  };
}

export function deleteFromMessage(message: DeleteRequest, limits: Limits): DeleteCommand {
  const selector = selectorFromForm(message.selector, limits);
  if (selector.kind !== "key") {
    refuseConflict({
      [selectorName(message.selector)]: true,
      expected_mod_revision: message.expectedModRevision !== undefined,
    });
  }
  return {
    selector,
    limit: numberFromInt64(message.limit, "limit"),
    maxKeys: limits.deleteMaxKeys,
    expectedModRevision: expectedFrom(message.expectedModRevision),
    returnPrevious: message.returnPrevious,
    maxBytes: rowsMaxBytes(limits),
  };
}

/** A listing's page; `storeId` is that of the engine. */
export function rangeFromMessage(
  message: RangeRequest,
  limits: Limits,
  storeId: string,
): RangeQuery {
  const query = listingFromMessage(message, limits);
  if (message.pageToken.length === 0) return query;
  const expected = { storeId, maxBytes: limits.pageTokenMaxBytes };
  const token = decodePageToken(message.pageToken, listingBytes(message), expected);
  if (query.revision !== 0 && query.revision !== token.revision) {
    const text = `revision ${query.revision} is not that of the page token, ${token.revision}`;
    throw new KvdError("PAGE_TOKEN_INVALID", text);
  }
  return { ...query, revision: token.revision, resume: token.resume };
}

/** What makes a listing: the request without what may differ from page to page. */
export function listingBytes(message: RangeRequest): Uint8Array {
  const listing = { ...message, limit: 0n, revision: 0n, pageToken: new Uint8Array(0) };
  return RangeRequest.encode(listing).finish();
}

/** A txn; errors carry the path of the operation. The scan of its bytes has bounded its depth. */
export function txnFromMessage(message: TxnRequest, limits: Limits, path = ""): TxnCommand {
  const at = <T, R>(list: readonly T[], name: string, convert: (item: T, path: string) => R) =>
    list.map((item, index) =>
      withPath(`${path}${name}[${index}]`, (place) => convert(item, place)),
    );
  const operation = (item: OperationMessage, place: string) =>
    operationFromMessage(item, limits, place);
  return {
    compares: at(message.compares, "compares", (item) => compareFromMessage(item, limits)),
    success: at(message.success, "success", operation),
    failure: at(message.failure, "failure", operation),
  };
}

/** An operation of a batch; one that is refused keeps its place and fails alone. */
export function batchOperationOf(message: BatchOperationMessage, limits: Limits): BatchOperation {
  try {
    return batchOperationFromMessage(message, limits);
  } catch (error) {
    if (!(error instanceof KvdError)) throw error;
    const kind = message.operation?.$case;
    return { kind: "refused", error, isWrite: kind === "put" || kind === "delete" };
  }
}

function batchOperationFromMessage(message: BatchOperationMessage, limits: Limits): BatchOperation {
  switch (message.operation?.$case) {
    case "get":
      return { kind: "get", get: getFromMessage(message.operation.value, limits) };
    case "put":
      return { kind: "put", put: putFromMessage(message.operation.value, limits) };
    case "delete": {
      const command = deleteFromMessage(message.operation.value, limits);
      if (command.selector.kind === "key") return { kind: "delete", delete: command };
      const fields = [selectorName(message.operation.value.selector)];
      throw new KvdError("FIELD_CONFLICT", "a batch deletes single keys only", { fields });
    }
    default:
      throw emptyOperation();
  }
}

function operationFromMessage(message: OperationMessage, limits: Limits, path: string): Operation {
  switch (message.operation?.$case) {
    case "get":
      return { kind: "get", get: getFromMessage(message.operation.value, limits) };
    case "range": {
      const range = message.operation.value;
      if (range.pageToken.length === 0) {
        return { kind: "range", range: listingFromMessage(range, limits) };
      }
      const fields = ["page_token"];
      throw new KvdError("FIELD_CONFLICT", "a range inside a txn has no page_token", { fields });
    }
    case "put":
      return { kind: "put", put: putFromMessage(message.operation.value, limits) };
    case "delete":
      return { kind: "delete", delete: deleteFromMessage(message.operation.value, limits) };
    case "txn":
      return { kind: "txn", txn: txnFromMessage(message.operation.value, limits, `${path}.txn.`) };
    default:
      throw emptyOperation();
  }
}

function emptyOperation(): KvdError {
  return new KvdError("OPERATION_EMPTY", "the operation has no member set");
}

function listingFromMessage(message: RangeRequest, limits: Limits): RangeQuery {
  const selector = selectorFromForm(message.selector, limits);
  refuseUnknown(message.order, [0, 1, 2], "order");
  if (selector.kind === "key") refuseConflict({ key: true, delimiter: message.delimiter !== "" });
  const delimiter = Buffer.from(message.delimiter, "utf8");
  if (delimiter.length > limits.keyMaxBytes) {
    const text = `the delimiter has ${delimiter.length} bytes, more than ${limits.keyMaxBytes}`;
    throw new KvdError("KEY_TOO_LONG", `${text} (--key-max-bytes)`);
  }
  return {
    selector,
    revision: numberFromInt64(message.revision, "revision"),
    order: message.order === RangeOrder.DESCENDING ? "descending" : "ascending",
    limit: numberFromInt64(message.limit, "limit"),
    keysOnly: message.keysOnly,
    count: message.countOnly ? "only" : "no",
    delimiter,
    resume: undefined,
    maxBytes: rowsMaxBytes(limits) - limits.keyMaxBytes - TOKEN_OVERHEAD_BYTES,
  };
}

const RELATIONS: { readonly [relation: number]: CompareRelation } = {
  [ProtoRelation.UNSPECIFIED]: "equal",
  [ProtoRelation.EQUAL]: "equal",
  [ProtoRelation.NOT_EQUAL]: "not-equal",
  [ProtoRelation.LESS]: "less",
  [ProtoRelation.GREATER]: "greater",
};

function compareFromMessage(message: CompareMessage, limits: Limits): Compare {
  const selector = selectorFromForm(message.selector, limits);
  const relation = RELATIONS[message.relation];
  if (relation === undefined) {
    throw new KvdError("FIELD_UNKNOWN_VALUE", "relation has a value that is not known");
  }
  const target = targetFromMessage(message.target);
  if (target.kind === "exists") refuseConflict({ exists: true, relation: relation !== "equal" });
  return { selector, relation, target };
}

function targetFromMessage(target: CompareMessage["target"]): CompareTarget {
  switch (target?.$case) {
    case "version":
    case "createRevision":
    case "modRevision":
      return { kind: target.$case, value: numberFromInt64(target.value, target.$case) };
    case "value":
      return { kind: "value", value: target.value };
    case "leaseId":
      return { kind: "leaseId", value: target.value };
    case "exists":
      return { kind: "exists", value: target.value };
    default:
      throw new KvdError("FIELD_MISSING", "the compare has no target");
  }
}

function leaseChoice(message: PutRequest, limits: Limits): LeaseChoice {
  if (message.ttl !== undefined) return { kind: "ttl", ttlMs: ttlMsFromDuration(message.ttl) };
  if (message.keepLease) return { kind: "keep" };
  if (message.leaseId === 0n) return { kind: "none" };
  return { kind: "lease", id: message.leaseId, maxKeys: limits.leaseMaxKeys };
}

function expectedFrom(expected: bigint | undefined): number | undefined {
  return expected === undefined ? undefined : numberFromInt64(expected, "expected_mod_revision");
}

const SELECTOR_NAMES = { rawKey: "raw_key", rawPrefix: "raw_prefix" } as const;

function selectorName(form: DeleteRequest["selector"]): string {
  const name = form?.$case ?? "all";
  return name === "rawKey" || name === "rawPrefix" ? SELECTOR_NAMES[name] : name;
}

function withPath<T>(path: string, convert: (path: string) => T): T {
  try {
    return convert(path);
  } catch (error) {
    if (!(error instanceof KvdError) || error.details.operation !== undefined) throw error;
    throw error.with({ operation: path });
  }
}
