// What bounds a call of etcd's protocol: how large a request and an answer may be, and how long a
// peer that does not read keeps its stream.

import { type ClientReadableStream, type ServiceError, status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { ElectionClient, LeaderRequest } from "../../../gen/grpc/etcd/election.js";
import {
  DeleteRangeRequest,
  KVClient,
  PutRequest,
  RangeRequest,
  type RangeResponse,
  TxnRequest,
} from "../../../gen/grpc/etcd/rpc.js";
import { connectClient, settle } from "../../support/grpc-service.js";
import { type KvdOptions, serveKvd } from "../../support/kvd-server.js";
import { ManualClock } from "../../support/manual-clock.js";

const MIB = 1024 * 1024;
const IDLE_MAX_MS = 300_000;
const ALL = { key: new Uint8Array(1), rangeEnd: new Uint8Array(1) };

async function serve(t: ExecutionContext, options: KvdOptions = {}) {
  const kvd = await serveKvd(t, options);
  const kv = connectClient(t, kvd.server.address, KVClient);
  const range = (fields: Partial<RangeRequest>) =>
    settle<RangeResponse>((done) => kv.range(RangeRequest.create(fields), done));
  const put = (key: string, bytes: number) => {
    const request = PutRequest.create({ key: Buffer.from(key), value: Buffer.alloc(bytes, "x") });
    return settle((done) => kv.put(request, done));
  };
  return { ...kvd, kv, range, putBytes: put };
}

async function refusal(t: ExecutionContext, call: Promise<unknown>): Promise<ServiceError> {
  return (await t.throwsAsync(call)) as ServiceError;
}

test("an answer that would be too large is refused, and nothing is changed", async (t) => {
  const { kv, range, putBytes } = await serve(t, { limits: { etcdResponseMaxBytes: 2 * MIB } });
  for (const key of ["a", "b", "c"]) await putBytes(key, MIB);
  const before = await range({ key: Buffer.from("a") });
  const requestRange = { $case: "requestRange", value: RangeRequest.create(ALL) } as const;
  const requestPut = {
    $case: "requestPut",
    value: PutRequest.create({ key: Buffer.from("d") }),
  } as const;
  const txn = TxnRequest.create({ success: [{ request: requestPut }, { request: requestRange }] });
  const remove = DeleteRangeRequest.create({ ...ALL, prevKv: true });
  for (const call of [
    range(ALL),
    range({ ...ALL, sortTarget: 2, sortOrder: 2 }),
    range({ ...ALL, limit: 3n }),
    settle((done) => kv.txn(txn, done)),
    settle((done) => kv.deleteRange(remove, done)),
  ]) {
    const { code, details } = await refusal(t, call);
    t.is(code, status.RESOURCE_EXHAUSTED);
    t.regex(details, /--etcd-response-max-bytes/);
  }
  t.deepEqual(await range({ key: Buffer.from("a") }), before);
  t.is((await range({ ...ALL, limit: 1n })).kvs.length, 1);
  t.is((await range({ ...ALL, countOnly: true })).count, 3n);
  t.is((await range({ ...ALL, keysOnly: true })).kvs.length, 3);
});

test("requests may be as large as the flag says, above what kvd.v1 takes", async (t) => {
  const { engine, putBytes } = await serve(t, { limits: { etcdRequestMaxBytes: 16 * MIB } });
  await putBytes("a", 12 * MIB);
  const { entry } = await engine.get({ key: Buffer.from("a"), revision: 0 });
  t.is(entry?.value.length, 12 * MIB);
  const { code, details } = await refusal(t, putBytes("a", 16 * MIB));
  t.deepEqual([code, details], [3, "etcdserver: request is too large"]);
});

/** Settles with the status of a call whose first message alone is read. */
function stalled<Message>(t: ExecutionContext, call: ClientReadableStream<Message>) {
  t.teardown(() => call.cancel());
  call.on("error", () => {});
  const ended = new Promise<number>((resolve) => call.on("status", ({ code }) => resolve(code)));
  const begun = new Promise<void>((resolve) => {
    call.once("data", () => {
      call.pause();
      resolve();
    });
  });
  return { begun, ended };
}

async function settled(clock: ManualClock): Promise<void> {
  for (let round = 0; round < 20; round += 1) await clock.settle();
}

test("a peer that does not read a streamed range loses it", async (t) => {
  const clock = new ManualClock();
  const { kv, putBytes } = await serve(t, { clock });
  for (let count = 0; count < 20; count += 1) await putBytes(`key${count}`, MIB);
  const { begun, ended } = stalled(t, kv.rangeStream(RangeRequest.create(ALL)));
  await begun;
  await settled(clock);
  await clock.advanceAndSettle(IDLE_MAX_MS);
  await clock.advanceAndSettle(20_000);
  t.is(await ended, status.RESOURCE_EXHAUSTED);
});

test("a peer that does not read whom it observes loses its stream, and frees its watch", async (t) => {
  const clock = new ManualClock();
  const { server, engine, putBytes } = await serve(t, { clock });
  const election = connectClient(t, server.address, ElectionClient);
  await putBytes("e/1", 10);
  const call = election.observe(LeaderRequest.create({ name: Buffer.from("e") }));
  const { begun, ended } = stalled(t, call);
  await begun;
  for (let count = 0; count < 20; count += 1) await putBytes("e/1", MIB);
  await settled(clock);
  await clock.advanceAndSettle(IDLE_MAX_MS);
  await clock.advanceAndSettle(20_000);
  t.is(await ended, status.RESOURCE_EXHAUSTED);
  t.is((await engine.status()).watchers, 0);
});
