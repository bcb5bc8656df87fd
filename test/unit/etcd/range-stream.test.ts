// RangeStream: its pieces together are the answer of Range.

import test, { type ExecutionContext } from "ava";
import {
  KVClient,
  RangeRequest,
  type RangeResponse,
  type RangeStreamResponse,
} from "../../../gen/grpc/etcd/rpc.js";
import { put } from "../../support/commands.js";
import { connectClient, logStream, settle } from "../../support/grpc-service.js";
import { serve } from "../client/served.js";

const ALL = { key: new Uint8Array(1), rangeEnd: new Uint8Array(1) };

async function serveKv(t: ExecutionContext) {
  const { engine, server } = await serve(t);
  const client = connectClient(t, server.address, KVClient);
  const range = (fields: Partial<RangeRequest>) =>
    settle<RangeResponse>((done) => client.range(RangeRequest.create(fields), done));
  const stream = async (fields: Partial<RangeRequest>) => {
    const log = logStream<RangeStreamResponse>(client.rangeStream(RangeRequest.create(fields)));
    const status = await log.status;
    return { status, pieces: log.messages.map(({ rangeResponse }) => rangeResponse) };
  };
  return { engine, range, stream };
}

test("pieces hold the same as one answer, and the last of them what is told of all", async (t) => {
  const { engine, range, stream } = await serveKv(t);
  for (let count = 0; count < 100; count += 1) {
    await engine.put(put(`key${String(count).padStart(3, "0")}`, "x".repeat(10_000)));
  }
  const asked = [
    ALL,
    { ...ALL, limit: 70n },
    { ...ALL, limit: 100n },
    { ...ALL, keysOnly: true },
    { ...ALL, countOnly: true },
    { ...ALL, revision: 50n, limit: 48n },
    { key: Buffer.from("key001") },
    { key: Buffer.from("nothing") },
  ];
  for (const fields of asked) {
    const whole = await range(fields);
    const { status, pieces } = await stream(fields);
    t.is(status.code, 0);
    const last = pieces.at(-1);
    t.deepEqual({ ...last, kvs: pieces.flatMap((piece) => piece?.kvs ?? []) }, whole);
    t.true(pieces.slice(0, -1).every((piece) => piece?.header === undefined && !piece?.more));
  }
  t.true((await stream(ALL)).pieces.length > 3);
});

test("sorts and bounds are refused with etcd's words", async (t) => {
  const { stream } = await serveKv(t);
  const sorted = await stream({ ...ALL, sortOrder: 2 });
  t.is(sorted.status.code, 12);
  t.regex(sorted.status.details, /RangeStream does not support custom sort orders/);
  const bounded = await stream({ ...ALL, minModRevision: 2n });
  t.regex(bounded.status.details, /RangeStream does not support revision filters/);
  const empty = await stream({});
  t.deepEqual([empty.status.code, empty.status.details], [3, "etcdserver: key is not provided"]);
});
