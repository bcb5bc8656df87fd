// RangeStream: a range of one revision in pieces, at the pace of who takes them. Only the last
// piece has a header, `more` and `count`.

import type { RangeRequest, RangeResponse, RangeStreamResponse } from "../../gen/grpc/etcd/rpc.js";
import type { Decoded } from "../grpc/codec.js";
import { type PacedMessage, servePaced } from "../grpc/paced-stream.js";
import type { AnsweringCall } from "../grpc/service.js";
import { type Entry, entryBytes, type RangeQuery } from "../kv/types.js";
import type { EtcdContext } from "./context.js";
import { keyValue } from "./messages.js";
import { foundByGet, rangeResponse, readFromRange } from "./ranges.js";
import { unimplemented } from "./status.js";

type RangeStreamCall = AnsweringCall<Decoded<RangeRequest>, RangeStreamResponse>;

const PIECE_BYTES = 256 * 1024;

/** Runs until all is written, or the call is over. */
export function streamRange(call: RangeStreamCall, context: EtcdContext): Promise<void> {
  return servePaced(call, (request) => pieces(request, context), context);
}

type Piece = PacedMessage<RangeStreamResponse>;

async function* pieces(request: RangeRequest, context: EtcdContext): AsyncGenerator<Piece> {
  refuseSorted(request);
  const { engine, identity } = context;
  const read = readFromRange(request);
  if (read.kind === "get") {
    const result = await engine.get(read.get);
    const header = identity.header(result.currentRevision);
    const response = rangeResponse(request, foundByGet(result), header);
    const bytes = weightOf(result.entry === undefined ? [] : [result.entry]);
    yield { message: { rangeResponse: response }, bytes };
    return;
  }
  let query: RangeQuery = { ...read.range, maxBytes: PIECE_BYTES };
  let page = await engine.range(query);
  const { revision, count = 0 } = page;
  const header = identity.header(page.currentRevision);
  let left = query.limit;
  while (page.next !== undefined && (query.limit === 0 || left > page.entries.length)) {
    left -= page.entries.length;
    yield pieceOf(page.entries, request, {});
    query = { ...query, revision, resume: page.next, count: "no", limit: Math.max(0, left) };
    page = await engine.range(query);
  }
  const more = read.range.limit > 0 && count > read.range.limit;
  yield pieceOf(page.entries, request, { header, more, count: BigInt(count) });
}

function pieceOf(
  entries: readonly Entry[],
  request: RangeRequest,
  last: Partial<Omit<RangeResponse, "kvs">>,
): Piece {
  const kvs = entries.map((entry) => keyValue(entry, request.keysOnly));
  const response = { header: undefined, more: false, count: 0n, ...last, kvs };
  return { message: { rangeResponse: response }, bytes: weightOf(entries) };
}

function weightOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
}

/** As in etcd. */
function refuseSorted(request: RangeRequest): void {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  if (request.sortOrder !== 0 || request.sortTarget !== 0) {
    throw unimplemented("RangeStream does not support custom sort orders");
  }
  const bounds = [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision];
  if (bounds.some((bound) => bound !== 0n)) {
    throw unimplemented("RangeStream does not support revision filters");
  }
}
