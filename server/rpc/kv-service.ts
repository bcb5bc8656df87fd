// KvService's unary calls: check and translate, call the engine, translate the answer.

import { KvService } from "../../gen/es/kvd/v1/kv_pb.js";
import {
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
} from "../../gen/grpc/kvd/v1/kv.js";
import {
  MultiWatchRequest,
  MultiWatchResponse,
  WatchRequest,
  WatchResponse,
} from "../../gen/grpc/kvd/v1/watch.js";
import { AnswerRooms } from "../grpc/answer-room.js";
import { answeredWith, methodOptions, servedBytes, servedMethod } from "../grpc/codec.js";
import type { StatusOf } from "../grpc/failures.js";
import { unary, unaryInTurn } from "../grpc/handlers.js";
import type { Handlers } from "../grpc/service.js";
import type { Engine } from "../kv/engine.js";
import type { Limits } from "../kv/limits.js";
import { BatchCodec } from "./batch-codec.js";
import { BATCH_SHAPE } from "./batch-shape.js";
import {
  deleteFromMessage,
  getFromMessage,
  listingBytes,
  putFromMessage,
  rangeFromMessage,
  rowsMaxBytes,
  txnFromMessage,
} from "./commands.js";
import {
  deleteResponse,
  getResponse,
  putResponse,
  rangeResponse,
  txnResponse,
} from "./messages.js";
import { encodePageToken } from "./page-token.js";
import { encodeGetResult, encodePutResult, plainGet, plainPut } from "./plain-calls.js";
import { scanTxn } from "./txn-scan.js";

export interface ServiceOptions {
  readonly engine: Engine;
  readonly limits: Limits;
  /** For the errors that calls end with. */
  readonly statusOf: StatusOf;
}

/** KvService with the codecs of this server. */
export function kvDefinition(limits: Limits) {
  const generated = KvServiceService;
  const input = KvService.method;
  const with_ = methodOptions(limits.requestMaxBytes);
  return {
    get: answeredWith(
      servedMethod(generated.get, {
        ...with_(input.get.input, GetRequest, GetResponse),
        plain: plainGet,
      }),
      encodeGetResult,
      getResponse,
    ),
    put: answeredWith(
      servedMethod(generated.put, {
        ...with_(input.put.input, PutRequest, PutResponse),
        plain: plainPut,
      }),
      encodePutResult,
      putResponse,
    ),
    delete: servedMethod(
      generated.delete,
      with_(input.delete.input, DeleteRequest, DeleteResponse),
    ),
    range: servedMethod(generated.range, with_(input.range.input, RangeRequest, RangeResponse)),
    txn: servedMethod(generated.txn, {
      ...with_(input.txn.input, TxnRequest, TxnResponse),
      scan: (bytes) => scanTxn(bytes, limits),
    }),
    batch: servedBytes(generated.batch, limits),
    pipeline: servedBytes(generated.pipeline, limits),
    watch: servedMethod(generated.watch, with_(input.watch.input, WatchRequest, WatchResponse)),
    multiWatch: servedMethod(
      generated.multiWatch,
      with_(input.multiWatch.input, MultiWatchRequest, MultiWatchResponse),
    ),
  };
}

/** The unary half of the implementation. */
export function kvHandlers(options: ServiceOptions): Handlers {
  const { engine, limits, statusOf } = options;
  const calls = engine.prompt ?? engine;
  const rooms = new AnswerRooms();
  const batches = new BatchCodec(engine, BATCH_SHAPE, limits);
  return {
    get: unary(statusOf, (request: GetRequest) => calls.get(getFromMessage(request, limits))),
    put: unary(statusOf, (request: PutRequest) => calls.put(putFromMessage(request, limits))),
    delete: unary(statusOf, async (request: DeleteRequest) =>
      deleteResponse(await engine.delete(deleteFromMessage(request, limits))),
    ),
    range: unaryInTurn(rooms, statusOf, async (request: RangeRequest) => {
      const query = rangeFromMessage(request, limits, engine.storeId);
      const result = await engine.range(query);
      return rangeResponse(result, nextToken(request, result, engine.storeId));
    }),
    txn: unaryInTurn(rooms, statusOf, async (request: TxnRequest) => {
      const maxBytes = rowsMaxBytes(limits);
      return txnResponse(await engine.txn(txnFromMessage(request, limits), { maxBytes }));
    }),
    batch: unaryInTurn(rooms, statusOf, async (bytes: Uint8Array) => batches.answer(bytes)),
  };
}

function nextToken(
  request: RangeRequest,
  result: { readonly revision: number; readonly next: Uint8Array | undefined },
  storeId: string,
): Uint8Array | undefined {
  if (result.next === undefined) return undefined;
  const token = { storeId, revision: result.revision, resume: result.next };
  return encodePageToken(token, listingBytes(request));
}
