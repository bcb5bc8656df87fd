// Walks all keys of a server page by page, reading of each answer only what the next page needs.

import { RangeRequest as EtcdRangeRequest } from "../../gen/grpc/etcd/rpc.js";
import { RangeRequest } from "../../gen/grpc/kvd/v1/kv.js";
import { ETCD, KVD } from "../methods.js";
import { RedisConnection, respCommand } from "../servers/redis.js";
import { H2Connection } from "./h2-connection.js";
import { callUnary } from "./unary-call.js";
import { countOf, lastOf } from "./wire-fields.js";

/** Fields of the answers: gen/grpc/kvd/v1/kv.ts, gen/grpc/etcd/rpc.ts. */
const FIELD = { kvs: 2, nextPageToken: 4, etcdKvs: 2 };
const TO_THE_END = Buffer.from([0]);

export interface ListingPlan {
  readonly port: number;
  readonly pageRows: number;
  readonly keysOnly?: boolean;
}

/** How many keys came. */
export async function listKvd({ port, pageRows, keysOnly = false }: ListingPlan): Promise<number> {
  const connection = await H2Connection.open(port);
  const request = { selector: { $case: "all", value: true }, limit: BigInt(pageRows) } as const;
  let keys = 0;
  for (let pageToken: Buffer | undefined = Buffer.alloc(0); pageToken !== undefined; ) {
    const message = RangeRequest.fromPartial({ ...request, keysOnly, pageToken });
    const answer = await callUnary(connection, KVD.range, RangeRequest.encode(message).finish());
    keys += countOf(answer, FIELD.kvs);
    pageToken = lastOf(answer, FIELD.nextPageToken);
  }
  connection.close();
  return keys;
}

/**
 * Single pages that begin at these keys. etcd 3.4 looks at all the keys up to the end of the range
 * for each page, so a walk over everything would take minutes, most of them in its first half.
 */
export async function pagesOfEtcd(
  { port, pageRows }: ListingPlan,
  startKeys: readonly string[],
): Promise<number> {
  const connection = await H2Connection.open(port);
  let keys = 0;
  for (const start of startKeys) {
    const request = { key: Buffer.from(start), rangeEnd: TO_THE_END, limit: BigInt(pageRows) };
    const message = EtcdRangeRequest.encode(EtcdRangeRequest.fromPartial(request)).finish();
    keys += countOf(await callUnary(connection, ETCD.range, message), FIELD.etcdKvs);
  }
  connection.close();
  return keys;
}

/** By SCAN: keys alone, in no order, which is all that Redis lists. */
export async function scanRedis({ port, pageRows }: ListingPlan): Promise<number> {
  const connection = await RedisConnection.open(port);
  let keys = 0;
  let cursor = "0";
  do {
    const words = ["SCAN", cursor, "COUNT", String(pageRows)];
    const { lines, next } = await connection.scan(respCommand(words));
    keys += lines;
    cursor = next;
  } while (cursor !== "0");
  connection.close();
  return keys;
}
