// One store under two protocols: what clients of kvd.v1 write, clients of etcd see, and the other
// way round, with the same revisions, leases and events. Keys are any bytes.

import test, { type ExecutionContext } from "ava";
import { connect, type KvdClientError, type WatchEvent } from "../../../client/index.js";
import {
  CompactionRequest,
  type CompactionResponse,
  Compare,
  DeleteRangeRequest,
  type DeleteRangeResponse,
  KVClient,
  LeaseClient,
  LeaseGrantRequest,
  type LeaseGrantResponse,
  LeaseRevokeRequest,
  type LeaseRevokeResponse,
  LeaseTimeToLiveRequest,
  type LeaseTimeToLiveResponse,
  PutRequest,
  type PutResponse,
  RangeRequest,
  type RangeResponse,
  TxnRequest,
  type TxnResponse,
  WatchClient,
  WatchRequest,
  type WatchResponse,
} from "../../../gen/grpc/etcd/rpc.js";
import { connectClient, logStream, settle } from "../../support/grpc-service.js";
import { type KvdOptions, serveKvd } from "../../support/kvd-server.js";

const BINARY = Buffer.of(0xff, 0, 0x80, 0x2f);
const TEXT = Buffer.from("text");

async function serve(t: ExecutionContext, options: KvdOptions = {}) {
  const { server } = await serveKvd(t, options);
  const kvd = connect(server.address);
  t.teardown(() => kvd.close());
  const kv = connectClient(t, server.address, KVClient);
  const leases = connectClient(t, server.address, LeaseClient);
  const watches = connectClient(t, server.address, WatchClient);
  const etcd = {
    put: (request: Partial<PutRequest>) =>
      settle<PutResponse>((done) => kv.put(PutRequest.create(request), done)),
    range: (request: Partial<RangeRequest>) =>
      settle<RangeResponse>((done) => kv.range(RangeRequest.create(request), done)),
    delete: (request: Partial<DeleteRangeRequest>) =>
      settle<DeleteRangeResponse>((done) =>
        kv.deleteRange(DeleteRangeRequest.create(request), done),
      ),
    txn: (request: Partial<TxnRequest>) =>
      settle<TxnResponse>((done) => kv.txn(TxnRequest.create(request), done)),
    compact: (revision: bigint) =>
      settle<CompactionResponse>((done) =>
        kv.compact(CompactionRequest.create({ revision }), done),
      ),
    grant: (ID: bigint) =>
      settle<LeaseGrantResponse>((done) =>
        leases.leaseGrant(LeaseGrantRequest.create({ ID, TTL: 60n }), done),
      ),
    revoke: (ID: bigint) =>
      settle<LeaseRevokeResponse>((done) =>
        leases.leaseRevoke(LeaseRevokeRequest.create({ ID }), done),
      ),
    timeToLive: (ID: bigint) =>
      settle<LeaseTimeToLiveResponse>((done) =>
        leases.leaseTimeToLive(LeaseTimeToLiveRequest.create({ ID, keys: true }), done),
      ),
    watchAll: () => {
      const call = watches.watch();
      t.teardown(() => call.cancel());
      const all = { key: Buffer.of(0), rangeEnd: Buffer.of(0), startRevision: 1n, prevKv: true };
      call.write(
        WatchRequest.fromPartial({ requestUnion: { $case: "createRequest", value: all } }),
      );
      return logStream<WatchResponse>(call);
    },
  };
  return { server, kvd, etcd };
}

/** So many events of a watch of etcd's, without the messages around them. */
async function eventsOf(log: ReturnType<typeof logStream<WatchResponse>>, count: number) {
  for (let messages = 1; ; messages += 1) {
    const events = (await log.received(messages)).flatMap((response) => response.events);
    if (events.length >= count) return events;
  }
}

async function take(watch: AsyncIterable<WatchEvent>, count: number): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of watch) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

test("keys that etcd's clients write are read by kvd.v1, whatever bytes they are", async (t) => {
  const { kvd, etcd } = await serve(t);
  await etcd.put({ key: TEXT, value: Buffer.from("1") });
  await etcd.put({ key: BINARY, value: Buffer.of(0, 0xff) });
  const { header } = await etcd.put({ key: TEXT, value: Buffer.from("2") });
  const entry = await kvd.get("text");
  t.like(entry, { createRevision: 2, modRevision: 4, version: 2 });
  t.is(entry?.modRevision, Number(header?.revision));
  t.is(entry?.text(), "2");
  const binary = await kvd.get(BINARY);
  t.deepEqual([...(binary?.bytes ?? [])], [0, 0xff]);
  const { entries } = await kvd.range({ all: true });
  t.deepEqual(
    entries.map(({ keyBytes }) => Buffer.from(keyBytes)),
    [TEXT, BINARY],
  );
});

test("keys that kvd.v1 writes are read by etcd's clients, whatever bytes they are", async (t) => {
  const { kvd, etcd } = await serve(t);
  await kvd.put("text", "1");
  await kvd.put(BINARY, Buffer.of(0, 0xff));
  const { revision } = await kvd.put("text", "2");
  const { header, kvs, count } = await etcd.range({ key: Buffer.of(0), rangeEnd: Buffer.of(0) });
  t.is(header?.revision, BigInt(revision));
  t.is(count, 2n);
  t.deepEqual(
    kvs.map(({ key }) => Buffer.from(key)),
    [TEXT, BINARY],
  );
  t.like(kvs[0], { createRevision: 2n, modRevision: 4n, version: 2n, lease: 0n });
  const old = await etcd.range({ key: TEXT, revision: 2n });
  t.is(String(old.kvs[0]?.value), "1");
});

test("a watch of either protocol sees what is written by both, in one order", async (t) => {
  const { kvd, etcd } = await serve(t);
  const log = etcd.watchAll();
  await log.received(1);
  const watch = kvd.watch({ all: true }, { startRevision: 2, previous: true });
  const ours = take(watch, 5);
  await etcd.put({ key: BINARY, value: Buffer.from("1") });
  await kvd.put(BINARY, "2");
  await kvd.put("text", "3");
  await etcd.delete({ key: Buffer.of(0), rangeEnd: Buffer.from("u") });
  await kvd.delete(BINARY);
  const theirs = (await eventsOf(log, 5)).map(({ type, kv, prevKv }) => ({
    type: type === 0 ? "put" : "delete",
    key: Buffer.from(kv?.key ?? []).toString("hex"),
    revision: Number(kv?.modRevision),
    before: String(prevKv?.value ?? ""),
  }));
  t.deepEqual(
    (await ours).map(({ type, keyBytes, revision, previous }) => ({
      type,
      key: Buffer.from(keyBytes).toString("hex"),
      revision,
      before: previous?.text() ?? "",
    })),
    theirs,
  );
  t.deepEqual(
    theirs.map(({ type, before }) => `${type} ${before}`),
    ["put ", "put 1", "put ", "delete 3", "delete 2"],
  );
});

test("leases are the same under both, and what ends one ends its keys under both", async (t) => {
  const { kvd, etcd } = await serve(t);
  const log = etcd.watchAll();
  await etcd.grant(-7n);
  await kvd.put(BINARY, "by kvd.v1", { leaseId: -7n });
  await etcd.put({ key: TEXT, value: Buffer.from("by etcd"), lease: -7n });
  t.is((await kvd.get("text"))?.leaseId, -7n);
  const { keys } = await etcd.timeToLive(-7n);
  t.deepEqual(
    keys.map((key) => Buffer.from(key)),
    [TEXT, BINARY],
  );
  const { keyBytes } = await kvd.lease.timeToLive(-7n, { withKeys: true });
  t.deepEqual(keyBytes.map(Buffer.from), keys.map(Buffer.from));
  const ended = take(kvd.watch({ all: true }, { startRevision: 4 }), 2);
  await etcd.revoke(-7n);
  t.deepEqual(
    (await ended).map((event) => event.type === "delete" && event.reason),
    ["revoked", "revoked"],
  );

  const { leaseId } = await kvd.put("timed", "x", { ttl: "30s" });
  t.is((await etcd.timeToLive(leaseId)).grantedTTL, 30n);
  t.is((await etcd.range({ key: Buffer.from("timed") })).kvs[0]?.lease, leaseId);
  await kvd.lease.revoke(leaseId);
  const [, , , , put, gone] = await eventsOf(log, 6);
  t.is(put?.kv?.lease, leaseId);
  t.is(String(gone?.kv?.key), "timed");
  t.is((await etcd.timeToLive(leaseId)).TTL, -1n);
});

test("a txn of one protocol compares what the other wrote", async (t) => {
  const { kvd, etcd } = await serve(t);
  const { revision } = await kvd.put(BINARY, "1");
  const compare = Compare.fromPartial({
    target: 2,
    key: BINARY,
    targetUnion: { $case: "modRevision", value: BigInt(revision) },
  });
  t.true((await etcd.txn({ compare: [compare] })).succeeded);
  await etcd.put({ key: BINARY, value: Buffer.from("2") });
  t.false((await etcd.txn({ compare: [compare] })).succeeded);
  const error = await t.throwsAsync<KvdClientError>(
    kvd.put(BINARY, "3", { expectedModRevision: revision }),
  );
  t.is(error.reason, "PRECONDITION_FAILED");
});

test("compaction by one protocol counts for the other", async (t) => {
  const { kvd, etcd } = await serve(t);
  for (const value of ["1", "2", "3", "4"]) await kvd.put("text", value);
  await etcd.compact(3n);
  const error = await t.throwsAsync<KvdClientError>(kvd.get("text", { revision: 2 }));
  t.is(error.reason, "REVISION_COMPACTED");
  await kvd.maintenance.compact(4);
  await t.throwsAsync(etcd.range({ key: TEXT, revision: 3n }), { message: /has been compacted/ });
});

test("keys that are too long for kvd.v1 are listed and watched there, and deleted by range", async (t) => {
  const { kvd, etcd } = await serve(t);
  const long = Buffer.alloc(20_000, "k");
  const watched = take(kvd.watch({ all: true }, { startRevision: 2 }), 1);
  await etcd.put({ key: long, value: Buffer.from("1") });
  t.is((await kvd.range({ all: true })).entries[0]?.key, long.toString());
  t.is((await watched)[0]?.key, long.toString());
  const error = await t.throwsAsync<KvdClientError>(kvd.get(long));
  t.is(error.reason, "KEY_TOO_LONG");
  t.is((await kvd.delete({ prefix: "k" })).deleted, 1);
});

test("deletes above the limit of kvd.v1 work under etcd's protocol", async (t) => {
  const limits = { deleteMaxKeys: 2 };
  const { kvd, etcd } = await serve(t, { limits });
  for (const key of ["a", "b", "c"]) await kvd.put(key, "1");
  const error = await t.throwsAsync<KvdClientError>(kvd.delete({ all: true }));
  t.is(error.reason, "TOO_MANY_KEYS");
  t.is((await etcd.delete({ key: Buffer.of(0), rangeEnd: Buffer.of(0) })).deleted, 3n);
});
