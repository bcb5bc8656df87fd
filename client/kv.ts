// The calls of KvService but for watches: check and translate, call, translate. The translations
// are in requests.ts and messages.ts; deadlines, aborts and errors in calls.ts.

import {
  BatchRequest,
  BatchResponse,
  DeleteRequest,
  DeleteResponse,
  GetRequest,
  GetResponse,
  KvServiceService,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
} from "../gen/grpc/kvd/v1/kv.js";
import { always, type Calls, method } from "./calls.js";
import type { Kvd } from "./connection.js";
import { optionalEntry } from "./entry.js";
import { batchResult, deleteResult, putResult, rangeResult, txnResult } from "./messages.js";
import { numberFromInt64 } from "./numbers.js";
import { batchReads, txnReads } from "./reads.js";
import {
  batchOperation,
  deleteRequest,
  getRequest,
  putRequest,
  rangeRequest,
  txnRequest,
} from "./requests.js";
import type { BatchOperation, BatchResult, TxnResult, TxnSpec } from "./txn-types.js";
import type {
  CallOptions,
  CountOptions,
  CountResult,
  DeleteOptions,
  DeleteResult,
  EntriesOptions,
  Entry,
  GetOptions,
  KeyLike,
  PagesOptions,
  PutOptions,
  PutResult,
  RangeOptions,
  RangeResult,
  SelectorLike,
  ValueLike,
} from "./types.js";

const GET = method(KvServiceService.get.path, GetRequest, GetResponse, always);
const PUT = method(KvServiceService.put.path, PutRequest, PutResponse);
const DELETE = method(KvServiceService.delete.path, DeleteRequest, DeleteResponse);
export const RANGE = method(KvServiceService.range.path, RangeRequest, RangeResponse, always);
const TXN = method(KvServiceService.txn.path, TxnRequest, TxnResponse, txnReads);
const BATCH = method(KvServiceService.batch.path, BatchRequest, BatchResponse, batchReads);

type KvMembers =
  | "get"
  | "put"
  | "delete"
  | "range"
  | "pages"
  | "entries"
  | "count"
  | "txn"
  | "batch";

/** Methods are async, so that what a translation throws becomes a rejection. */
export class KvCalls implements Pick<Kvd, KvMembers> {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  async get(key: KeyLike, options: GetOptions = {}): Promise<Entry | undefined> {
    const request = getRequest(key, options);
    return this.#calls.unary(GET, request, options, ({ kv }) => optionalEntry(kv));
  }

  async put(key: KeyLike, value: ValueLike, options: PutOptions = {}): Promise<PutResult> {
    return this.#calls.unary(PUT, putRequest(key, value, options), options, putResult);
  }

  async delete(selector: SelectorLike, options: DeleteOptions = {}): Promise<DeleteResult> {
    return this.#calls.unary(DELETE, deleteRequest(selector, options), options, deleteResult);
  }

  async range(selector: SelectorLike, options: RangeOptions = {}): Promise<RangeResult> {
    return this.#calls.unary(RANGE, rangeRequest(selector, options), options, rangeResult);
  }

  async *pages(
    selector: SelectorLike,
    options: PagesOptions = {},
  ): AsyncGenerator<RangeResult, void> {
    const { pageSize = 0, limit = 0, ...rest } = options;
    let remaining = limit === 0 ? Number.MAX_SAFE_INTEGER : limit;
    let pageToken: Uint8Array | undefined;
    do {
      const rows = pageRows(pageSize, limit === 0 ? 0 : remaining);
      const resume = pageToken === undefined ? {} : { pageToken };
      const page: RangeResult = await this.range(selector, { ...rest, ...resume, limit: rows });
      yield page;
      remaining -= page.entries.length + page.commonPrefixes.length;
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined && remaining > 0);
  }

  async *entries(
    selector: SelectorLike,
    options: EntriesOptions = {},
  ): AsyncGenerator<Entry, void> {
    for await (const page of this.pages(selector, options)) yield* page.entries;
  }

  async count(selector: SelectorLike, options: CountOptions = {}): Promise<CountResult> {
    const request = rangeRequest(selector, { ...options, countOnly: true });
    return this.#calls.unary(RANGE, request, options, (response) => ({
      revision: numberFromInt64(response.revision, "revision"),
      count: numberFromInt64(response.count, "count"),
      more: response.more,
    }));
  }

  async txn(spec: TxnSpec, options: CallOptions = {}): Promise<TxnResult> {
    return this.#calls.unary(TXN, txnRequest(spec), options, txnResult);
  }

  async batch(
    operations: readonly BatchOperation[],
    options: CallOptions = {},
  ): Promise<BatchResult> {
    const request = { operations: operations.map(batchOperation) };
    return this.#calls.unary(BATCH, request, options, batchResult);
  }
}

/** The smaller of two limits of which 0 means none. */
function pageRows(left: number, right: number): number {
  return left === 0 || right === 0 ? left + right : Math.min(left, right);
}
