// etcd's watches through grpc-js: what a stream tells, in which order, and how it ends.

import test, { type ExecutionContext } from "ava";
import {
  WatchClient,
  WatchCreateRequest,
  type WatchRequest,
  type WatchResponse,
} from "../../../gen/grpc/etcd/rpc.js";
import { ALL, del, op, put, TXN_OPTIONS, txn } from "../../support/commands.js";
import { connectClient, logStream } from "../../support/grpc-service.js";
import { serve } from "../client/served.js";

const ZERO = new Uint8Array(1);

async function openStream(t: ExecutionContext, limits = {}) {
  const { engine, server } = await serve(t, { limits });
  const client = connectClient(t, server.address, WatchClient);
  const call = client.watch();
  t.teardown(() => call.cancel());
  const log = logStream<WatchResponse>(call);
  const send = (requestUnion: WatchRequest["requestUnion"]) => call.write({ requestUnion });
  return {
    engine,
    server,
    call,
    log,
    create: (fields: Partial<WatchCreateRequest>) =>
      send({ $case: "createRequest", value: WatchCreateRequest.create(fields) }),
    cancel: (watchId: bigint) => send({ $case: "cancelRequest", value: { watchId } }),
    progress: () => send({ $case: "progressRequest", value: {} }),
  };
}

/** `created 0 @1`, `0 @2: put a=1`. */
function line(message: WatchResponse): string {
  const { header, watchId, created, canceled, events, cancelReason, compactRevision } = message;
  const words = [
    ...(created ? ["created"] : []),
    ...(canceled ? ["canceled"] : []),
    `${watchId} @${header?.revision}`,
    ...(compactRevision > 0n ? [`compacted ${compactRevision}`] : []),
    ...(cancelReason === "" ? [] : [cancelReason]),
    ...events.map(({ type, kv, prevKv }) => {
      const [key, value] = [kv?.key, kv?.value].map((bytes) => Buffer.from(bytes ?? []).toString());
      const before = prevKv === undefined ? "" : ` was ${Buffer.from(prevKv.value).toString()}`;
      return (type === 0 ? `put ${key}=${value}` : `delete ${key}`) + before;
    }),
  ];
  return `${words.join(" ")}${message.fragment ? " …" : ""}`;
}

test("ids count from 0, one may bring its own, and taken ones are refused", async (t) => {
  const { log, create } = await openStream(t);
  for (const watchId of [0n, 0n, 2n, 0n, 2n, -5n]) create({ key: Buffer.from("a"), watchId });
  t.deepEqual((await log.received(6)).map(line), [
    "created 0 @1",
    "created 1 @1",
    "created 2 @1",
    "created 3 @1",
    "created canceled -1 @1 mvcc: duplicate watch ID provided on the WatchStream",
    "created -5 @1",
  ]);
});

test("an empty range, and a start below 0, are refused, and the stream goes on", async (t) => {
  const { log, create } = await openStream(t);
  create({ key: Buffer.from("b"), rangeEnd: Buffer.from("b") });
  create({ key: Buffer.from("b"), rangeEnd: Buffer.from("a") });
  create({ key: Buffer.from("b"), startRevision: -1n });
  create({ key: Buffer.from("b") });
  t.deepEqual((await log.received(4)).map(line), [
    "created canceled -1 @1 mvcc: watcher range is empty",
    "created canceled -1 @1 mvcc: watcher range is empty",
    "created canceled -1 @1 etcdserver: mvcc: required revision has been compacted",
    "created 0 @1",
  ]);
});

test("an empty key means the lowest, and each watch has its own range and filters", async (t) => {
  const { engine, log, create } = await openStream(t);
  create({ key: new Uint8Array(0), rangeEnd: ZERO, prevKv: true });
  create({ key: Buffer.from("a"), filters: [0] });
  await log.received(2);
  await engine.put(put("a", "1"));
  await engine.put(put("b", "2"));
  await engine.delete(del("a"));
  const told = (id: bigint) =>
    log.messages
      .filter(({ watchId, events }) => watchId === id && events.length > 0)
      .flatMap((message) =>
        line({ ...message, header: undefined })
          .split(/ (?=put|delete)/)
          .slice(1),
      );
  for (let at = 3; told(0n).length < 3 || told(1n).length < 1; at += 1) await log.received(at);
  t.deepEqual(told(0n), ["put a=1", "put b=2", "delete a was 1"]);
  t.deepEqual(told(1n), ["delete a"]);
});

test("below the compact revision a watch is created, then told where history begins", async (t) => {
  const { engine, log, create } = await openStream(t);
  for (const value of ["1", "2", "3"]) await engine.put(put("a", value));
  await engine.compact({ revision: 3 });
  create({ key: Buffer.from("a"), startRevision: 2n });
  create({ key: Buffer.from("a"), startRevision: 3n });
  const told = (await log.received(4)).map(line);
  t.deepEqual(
    [0, 1].map((id) => told.filter((text) => text.includes(`${id} @`))),
    [
      ["created 0 @4", "canceled 0 @0 compacted 3"],
      ["created 1 @4", "1 @4 put a=2 put a=3"],
    ],
  );
});

test("a canceled watch says so, an unknown id says nothing", async (t) => {
  const { engine, log, create, cancel } = await openStream(t);
  create({ key: Buffer.from("a") });
  await log.received(1);
  cancel(7n);
  cancel(0n);
  cancel(0n);
  create({ key: Buffer.from("a") });
  await log.received(3);
  await engine.put(put("a", "1"));
  t.deepEqual((await log.received(4)).map(line), [
    "created 0 @1",
    "canceled 0 @1",
    "created 1 @1",
    "1 @2 put a=1",
  ]);
});

test("progress comes after all that it speaks of, once for all watches", async (t) => {
  const { engine, log, create, progress } = await openStream(t);
  progress();
  create({ key: Buffer.from("a"), startRevision: 1n });
  create({ key: Buffer.from("b"), startRevision: 1n });
  create({ key: Buffer.from("c"), startRevision: 100n });
  await log.received(3);
  await engine.put(put("a", "1"));
  await engine.put(put("b", "2"));
  progress();
  progress();
  const told = (await log.received(7)).slice(3).map(line);
  t.deepEqual([...told.slice(0, 2)].sort(), ["0 @2 put a=1", "1 @3 put b=2"]);
  t.deepEqual(told.slice(2), ["-1 @3", "-1 @3"]);
});

test("progress of watches that all begin in the future stays below them", async (t) => {
  const { engine, log, create, progress } = await openStream(t);
  await engine.put(put("a", "1"));
  create({ key: Buffer.from("a"), startRevision: 4n });
  await log.received(1);
  progress();
  t.is(line((await log.received(2))[1] as WatchResponse), "-1 @2");
  await engine.put(put("a", "2"));
  await engine.put(put("a", "3"));
  t.is(line((await log.received(3))[2] as WatchResponse), "0 @4 put a=3");
});

test("a watch that is canceled does not hold up the progress of the others", async (t) => {
  const { engine, log, create, cancel, progress } = await openStream(t);
  for (let count = 0; count < 50; count += 1) await engine.put(put("a", "x".repeat(60_000)));
  create({ key: Buffer.from("a"), startRevision: 1n });
  create({ key: Buffer.from("b") });
  progress();
  cancel(0n);
  let at = 2;
  while (!(await log.received(at)).slice(0, at).some(({ watchId }) => watchId === -1n)) at += 1;
  t.pass();
});

test("a revision is one message, unless fragments are asked for", async (t) => {
  const { engine, log, create } = await openStream(t, { etcdRequestMaxBytes: 100_000 });
  const keys = ["a", "b", "c", "d"].map((key) => op.put(put(key, "x".repeat(40_000))));
  await engine.txn(txn({ success: keys }), TXN_OPTIONS);
  create({ key: ZERO, rangeEnd: ZERO, startRevision: 2n });
  const [, whole] = await log.received(2);
  t.deepEqual([whole?.events.length, whole?.fragment], [4, false]);
  create({ key: ZERO, rangeEnd: ZERO, startRevision: 2n, fragment: true });
  const parts = (await log.received(5)).slice(3);
  t.deepEqual(
    parts.map(({ events, fragment, header }) => [events.length, fragment, header?.revision]),
    [
      [2, true, 2n],
      [2, false, 2n],
    ],
  );
});

test("the stream goes on after the client's half-close", async (t) => {
  const { engine, call, log, create } = await openStream(t);
  create({ key: Buffer.from("a") });
  await log.received(1);
  call.end();
  await engine.put(put("a", "1"));
  t.is(line((await log.received(2))[1] as WatchResponse), "0 @2 put a=1");
});

test("a call that its client cancels frees its watches", async (t) => {
  const { engine, call, log, create } = await openStream(t);
  create({ key: Buffer.from("a") });
  create({ key: Buffer.from("b") });
  await log.received(2);
  t.is((await engine.status()).watchers, 2);
  call.cancel();
  await log.status;
  while ((await engine.status()).watchers > 0) await new Promise((next) => setImmediate(next));
  t.pass();
});

test("the stop of the server ends the stream so that clients come again", async (t) => {
  const { server, log, create } = await openStream(t);
  create({ key: Buffer.from("a") });
  await log.received(1);
  await server.close();
  const { code, details } = await log.status;
  t.deepEqual([code, details], [14, "etcdserver: server stopped"]);
});

test("more watches than there may be are refused one by one", async (t) => {
  const { log, create } = await openStream(t, { watchersMax: 1 });
  create({ key: Buffer.from("a") });
  create({ key: Buffer.from("b") });
  const [, refused] = await log.received(2);
  t.deepEqual([refused?.created, refused?.canceled, refused?.watchId], [true, true, -1n]);
  t.regex(refused?.cancelReason ?? "", /--watchers-max/);
});

test("what is written by a txn is told in the order of its operations", async (t) => {
  const { engine, log, create } = await openStream(t);
  create({ key: ZERO, rangeEnd: ZERO });
  await log.received(1);
  const puts = ["c", "a", "b"].map((key) => op.put(put(key, key)));
  await engine.txn(txn({ success: puts }), TXN_OPTIONS);
  await engine.delete(del(ALL));
  const told = (await log.received(3)).slice(1).map(line);
  t.deepEqual(told, ["0 @2 put c=c put a=a put b=b", "0 @3 delete a delete b delete c"]);
});
