// etcd's KV service: check and translate, call the engine, translate the answer.

import { KV } from "../../gen/es/etcd/rpc_pb.js";
import {
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  KVService,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  RangeStreamResponse,
  TxnRequest,
  TxnResponse,
} from "../../gen/grpc/etcd/rpc.js";
import { AnswerRooms } from "../grpc/answer-room.js";
import { type Decoded, encodedBy, methodOptions, servedMethod } from "../grpc/codec.js";
import { then, unary, unaryInTurn } from "../grpc/handlers.js";
import type { AnsweringCall, Handlers } from "../grpc/service.js";
import type { Engine } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { LeaseId, PutCommand, PutResult, Revision } from "../kv/types.js";
import type { EtcdContext } from "./context.js";
import { positiveFromInt64 } from "./messages.js";
import { plainAnswers } from "./plain-answers.js";
import { plainPut, plainRange } from "./plain-requests.js";
import { streamRange } from "./range-stream.js";
import { type Found, foundByGet, foundByRange, rangeResponse, readFromRange } from "./ranges.js";
import { runTxn } from "./txn-errors.js";
import {
  deleteFromRequest,
  deleteResponse,
  putFromRequest,
  putResponse,
  txnFromRequest,
  txnResponse,
} from "./txns.js";

export function kvDefinition(limits: Limits) {
  const generated = KVService;
  const input = KV.method;
  const with_ = methodOptions(limits.etcdRequestMaxBytes);
  const answers = plainAnswers();
  return {
    range: encodedBy(
      servedMethod(generated.range, {
        ...with_(input.range.input, RangeRequest, RangeResponse),
        plain: plainRange,
      }),
      answers.range,
    ),
    rangeStream: servedMethod(
      generated.rangeStream,
      with_(input.rangeStream.input, RangeRequest, RangeStreamResponse),
    ),
    put: encodedBy(
      servedMethod(generated.put, {
        ...with_(input.put.input, PutRequest, PutResponse),
        plain: plainPut,
      }),
      answers.put,
    ),
    deleteRange: servedMethod(
      generated.deleteRange,
      with_(input.deleteRange.input, DeleteRangeRequest, DeleteRangeResponse),
    ),
    txn: servedMethod(generated.txn, with_(input.txn.input, TxnRequest, TxnResponse)),
    compact: servedMethod(
      generated.compact,
      with_(input.compact.input, CompactionRequest, CompactionResponse),
    ),
  };
}

type RangeStreamCall = AnsweringCall<Decoded<RangeRequest>, RangeStreamResponse>;

export function kvHandlers(context: EtcdContext): Handlers {
  const { engine, identity, limits, statusOf } = context;
  const rooms = new AnswerRooms();
  const calls = engine.prompt ?? engine;
  const maxOperations = limits.etcdTxnMaxOperations;
  return {
    range: unaryInTurn(rooms, statusOf, (request: RangeRequest) => {
      const read = readFromRange(request, limits.etcdResponseMaxBytes);
      const answer = (found: Found, currentRevision: Revision): RangeResponse =>
        rangeResponse(request, found, identity.header(currentRevision));
      if (read.kind === "get") {
        return then(calls.get(read.get), (result) =>
          answer(foundByGet(result), result.currentRevision),
        );
      }
      return engine
        .range(read.range)
        .then((result) => answer(foundByRange(request, result), result.currentRevision));
    }),
    rangeStream: (call: RangeStreamCall) => streamRange(call, context),
    put: unary(statusOf, (request: PutRequest) =>
      then(put(engine, putFromRequest(request)), (result) =>
        putResponse(result, identity.header(result.revision)),
      ),
    ),
    deleteRange: unaryInTurn(rooms, statusOf, async (request: DeleteRangeRequest) => {
      const result = await engine.delete(deleteFromRequest(request, limits.etcdResponseMaxBytes));
      return deleteResponse(result, identity.header(result.revision));
    }),
    txn: unaryInTurn(rooms, statusOf, async (request: TxnRequest) => {
      const command = txnFromRequest(request, maxOperations);
      const result = await runTxn(engine, command, { maxBytes: limits.etcdResponseMaxBytes });
      return txnResponse(request, result, identity.header(result.revision));
    }),
    compact: unary(statusOf, async (request: CompactionRequest): Promise<CompactionResponse> => {
      const { revision } = await engine.compact({ revision: positiveFromInt64(request.revision) });
      return { header: identity.header(revision) };
    }),
  };
}

function put(engine: Engine, command: PutCommand): PutResult | Promise<PutResult> {
  // Only then can the engine's refusal be another than etcd's.
  const isOfBoth = command.lease.kind === "lease" && command.expectedModRevision === "present";
  if (isOfBoth) return putToLease(engine, command, command.lease.id);
  return (engine.prompt ?? engine).put(command);
}

/** Of a missing lease and a missing key, etcd tells the lease. */
async function putToLease(engine: Engine, command: PutCommand, id: LeaseId): Promise<PutResult> {
  try {
    return await engine.put(command);
  } catch (error) {
    const isAbsent = error instanceof KvdError && error.reason === "PRECONDITION_FAILED";
    if (isAbsent) await engine.timeToLive({ id, withKeys: false, maxBytes: 0 });
    throw error;
  }
}
