// The calls of KvService but for watches: check and translate, call, translate. The translations
// are in requests.ts and messages.ts; deadlines, aborts and errors in calls.ts, and in batching.ts
// for those that travel together.

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
import { batchedDelete, batchedGet, batchedPut, type ToBatched } from "./batched-call.js";
import type { Batching } from "./batching.js";
import { always, type Calls, type Method, method } from "./calls.js";
import type { Kvd } from "./connection.js";
import {
  batchResult,
  deleteResult,
  getResult,
  putResult,
  rangeResult,
  txnResult,
} from "./messages.js";
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
import type { SingleResponse } from "./single.js";
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

/** A method whose calls may travel together. */
interface SingleMethod<Request, Response extends SingleResponse> {
  readonly method: Method<Request, Response>;
  readonly toBatched: ToBatched<Request, Response>;
}

const GET: SingleMethod<GetRequest, GetResponse> = {
  method: method(KvServiceService.get.path, GetRequest, GetResponse, always),
  toBatched: batchedGet,
};
const PUT: SingleMethod<PutRequest, PutResponse> = {
  method: method(KvServiceService.put.path, PutRequest, PutResponse),
  toBatched: batchedPut,
};
const DELETE: SingleMethod<DeleteRequest, DeleteResponse> = {
  method: method(KvServiceService.delete.path, DeleteRequest, DeleteResponse),
  toBatched: batchedDelete,
};
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
  readonly #batching: Batching | undefined;

  constructor(calls: Calls, batching: Batching | undefined) {
    this.#calls = calls;
    this.#batching = batching;
  }

  async get(key: KeyLike, options: GetOptions = {}): Promise<Entry | undefined> {
    return this.#single(GET, getRequest(key, options), { options, translate: getResult });
  }

  async put(key: KeyLike, value: ValueLike, options: PutOptions = {}): Promise<PutResult> {
    const request = putRequest(key, value, options);
    return this.#single(PUT, request, { options, translate: putResult });
  }

  async delete(selector: SelectorLike, options: DeleteOptions = {}): Promise<DeleteResult> {
    const request = deleteRequest(selector, options);
    return this.#single(DELETE, request, { options, translate: deleteResult });
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

  #single<Request, Response extends SingleResponse, Result>(
    { method, toBatched }: SingleMethod<Request, Response>,
    request: Request,
    call: { readonly options: CallOptions; readonly translate: (response: Response) => Result },
  ): Promise<Result> {
    const { options, translate } = call;
    const batched = this.#batching === undefined ? undefined : toBatched(method, request);
    if (batched === undefined) return this.#calls.unary(method, request, options, translate);
    return (this.#batching as Batching).call(batched, options, translate);
  }
}

/** The smaller of two limits of which 0 means none. */
function pageRows(left: number, right: number): number {
  return left === 0 || right === 0 ? left + right : Math.min(left, right);
}
