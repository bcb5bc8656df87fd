// etcd's ranges: what is asked of the engine, and what becomes of its answer. The engine walks keys
// in their order; other orders, and bounds of revisions, are made here of all that it finds.

import {
  RangeRequest_SortOrder as Order,
  type RangeRequest,
  type RangeResponse,
  type ResponseHeader,
  RangeRequest_SortTarget as Target,
} from "../../gen/grpc/etcd/rpc.js";
import { KvdError } from "../kv/errors.js";
import type { Entry, GetCommand, GetResult, RangeQuery, RangeResult } from "../kv/types.js";
import { compareBytes } from "../lib/bytes.js";
import { keyValue, positiveFromInt64, selectorFromRange } from "./messages.js";
import { refusals } from "./status.js";

/** One key is got, others are listed. */
export type Read =
  | { readonly kind: "get"; readonly get: GetCommand }
  | { readonly kind: "range"; readonly range: RangeQuery };

/** What both reads give. */
export interface Found {
  readonly entries: readonly Entry[];
  readonly count: number;
}

const NO_BYTES = new Uint8Array(0);

/** The generated enums hold -1, too, for what they do not know. */
const ORDERS: readonly number[] = [Order.NONE, Order.ASCEND, Order.DESCEND];
const TARGETS: readonly number[] = [
  Target.KEY,
  Target.VERSION,
  Target.CREATE,
  Target.MOD,
  Target.VALUE,
];

/**
 * `maxBytes` is of what is found; a txn has a bound of its own.
 *
 * @throws EtcdError for an empty key, and sorts that there are none of.
 */
export function readFromRange(
  request: RangeRequest,
  maxBytes: number = Number.POSITIVE_INFINITY,
): Read {
  if (!ORDERS.includes(request.sortOrder)) throw refusals.sortOption();
  if (!TARGETS.includes(request.sortTarget)) throw refusals.sortOption();
  const selector = selectorFromRange(request.key, request.rangeEnd);
  const revision = positiveFromInt64(request.revision);
  if (selector.kind === "key") return { kind: "get", get: { key: selector.key, revision } };
  const range: RangeQuery = {
    selector,
    revision,
    order: isDescending(request) ? "descending" : "ascending",
    limit: request.countOnly ? 0 : limitOfWalk(request),
    keysOnly: request.keysOnly && request.sortTarget !== Target.VALUE,
    count: request.countOnly ? "only" : "also",
    delimiter: NO_BYTES,
    resume: undefined,
    maxBytes,
  };
  return { kind: "range", range };
}

/** Outside of a txn a revision below 0 means now, in one it is taken for a compacted one. */
export function readInTxn(request: RangeRequest): Read {
  const read = readFromRange(request);
  if (request.revision >= 0n) return read;
  return read.kind === "get"
    ? { kind: "get", get: { ...read.get, revision: BELOW_ALL } }
    : { kind: "range", range: { ...read.range, revision: BELOW_ALL } };
}

const BELOW_ALL = -1;

/** By keys only: other orders are made of what was found. */
function isDescending({ sortOrder, sortTarget }: RangeRequest): boolean {
  return sortOrder === Order.DESCEND && sortTarget === Target.KEY;
}

/**
 * What is not in the order of keys, or filtered, needs all. A target without an order means
 * ascending, but etcd cuts what it sorts by it to the limit and one more first.
 */
function limitOfWalk(request: RangeRequest): number {
  const limit = positiveFromInt64(request.limit);
  if (limit === 0 || isFiltered(request)) return 0;
  if (request.sortTarget === Target.KEY) return limit;
  return request.sortOrder === Order.NONE ? limit + 1 : 0;
}

function isFiltered(request: RangeRequest): boolean {
  return (
    request.minModRevision !== 0n ||
    request.maxModRevision !== 0n ||
    request.minCreateRevision !== 0n ||
    request.maxCreateRevision !== 0n
  );
}

export function foundByGet({ entry }: GetResult): Found {
  return entry === undefined ? { entries: [], count: 0 } : { entries: [entry], count: 1 };
}

/** @throws KvdError RESULT_TOO_LARGE when that was not all. */
export function foundByRange(request: RangeRequest, result: RangeResult): Found {
  const { entries, count = 0 } = result;
  const limit = limitOfWalk(request);
  const isWhole = result.next === undefined || (limit > 0 && entries.length >= limit);
  if (!isWhole) throw new KvdError("RESULT_TOO_LARGE", "the range does not fit into one answer");
  return { entries, count };
}

export function rangeResponse(
  request: RangeRequest,
  found: Found,
  header: ResponseHeader,
): RangeResponse {
  const { count } = found;
  if (request.countOnly) return { header, kvs: [], more: false, count: BigInt(count) };
  const sorted = inOrder(request, wanted(request, found.entries));
  const limit = positiveFromInt64(request.limit);
  const all = limitOfWalk(request) === limit && limit > 0 ? count : sorted.length;
  const shown = limit === 0 ? sorted : sorted.slice(0, limit);
  return {
    header,
    kvs: shown.map((entry) => keyValue(entry, request.keysOnly)),
    more: limit > 0 && all > limit,
    count: BigInt(count),
  };
}

function wanted(request: RangeRequest, entries: readonly Entry[]): readonly Entry[] {
  if (!isFiltered(request)) return entries;
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return entries.filter(
    ({ modRevision, createRevision }) =>
      isWithin(modRevision, minModRevision, maxModRevision) &&
      isWithin(createRevision, minCreateRevision, maxCreateRevision),
  );
}

/** A bound of 0 is none. */
function isWithin(revision: number, min: bigint, max: bigint): boolean {
  const value = BigInt(revision);
  return (min === 0n || value >= min) && (max === 0n || value <= max);
}

const COMPARISONS: { readonly [target: number]: (one: Entry, other: Entry) => number } = {
  [Target.VERSION]: (one, other) => one.version - other.version,
  [Target.CREATE]: (one, other) => one.createRevision - other.createRevision,
  [Target.MOD]: (one, other) => one.modRevision - other.modRevision,
  [Target.VALUE]: (one, other) => compareBytes(one.value, other.value),
};

/** Entries that compare equal stay in the order of their keys. */
function inOrder(request: RangeRequest, entries: readonly Entry[]): readonly Entry[] {
  const compare = COMPARISONS[request.sortTarget];
  if (compare === undefined) return entries;
  const sign = request.sortOrder === Order.DESCEND ? -1 : 1;
  return [...entries].sort((one, other) => sign * compare(one, other));
}
