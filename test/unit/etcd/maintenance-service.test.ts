// How the server is, checksums and alarms, as etcd's clients ask for them.

import test, { type ExecutionContext } from "ava";
import {
  AlarmRequest_AlarmAction as Action,
  AlarmRequest,
  type AlarmResponse,
  AlarmType,
  DowngradeRequest,
  HashKVRequest,
  type HashKVResponse,
  HashRequest,
  type HashResponse,
  MaintenanceClient,
  MoveLeaderRequest,
  type MoveLeaderResponse,
  StatusRequest,
  type StatusResponse,
} from "../../../gen/grpc/etcd/rpc.js";
import { Identity } from "../../../server/etcd/identity.js";
import { ALL, del, op, put, TXN_OPTIONS, txn } from "../../support/commands.js";
import { serveEtcd } from "../../support/etcd/served-etcd.js";
import { connectClient, settle } from "../../support/grpc-service.js";
import { refused } from "../../support/refused.js";

async function served(t: ExecutionContext, limits = {}) {
  const { engine, address } = await serveEtcd(t, { limits });
  const client = connectClient(t, address, MaintenanceClient);
  return { engine, client, identity: new Identity(engine.storeId) };
}

function hashKv(client: MaintenanceClient, revision: number): Promise<HashKVResponse> {
  const request = HashKVRequest.create({ revision: BigInt(revision) });
  return settle<HashKVResponse>((done) => client.hashKv(request, done));
}

function statusOf(client: MaintenanceClient): Promise<StatusResponse> {
  return settle<StatusResponse>((done) => client.status(StatusRequest.create(), done));
}

function alarms(client: MaintenanceClient, request: Partial<AlarmRequest> = {}) {
  return settle<AlarmResponse>((done) => client.alarm(AlarmRequest.create(request), done));
}

test("the status is that of a leader without followers, with the sizes of the store", async (t) => {
  const { engine, client, identity } = await served(t, { storeMaxBytes: 1_000_000 });
  await engine.put(put("a", "1"));
  await engine.put(put("a", "2"));
  const { liveBytes, historyBytes } = await engine.status();
  const kept = BigInt(liveBytes + historyBytes);
  t.deepEqual(await statusOf(client), {
    header: identity.header(3),
    version: "3.6.11",
    dbSize: kept,
    dbSizeInUse: kept,
    dbSizeQuota: 1_000_000n,
    leader: identity.memberId,
    raftIndex: 3n,
    raftAppliedIndex: 3n,
    raftTerm: 2n,
    errors: [],
    isLearner: false,
    storageVersion: "3.6.0",
    downgradeInfo: { enabled: false, targetVersion: "" },
  });
});

test("checksums are those that etcd 3.4.23 gave for the same history", async (t) => {
  const { engine, client } = await served(t);
  await engine.put(put("a", "1"));
  await engine.put(put("b", "1"));
  await engine.put(put("a", "2"));
  const hashes = async (revisions: readonly number[]) =>
    Promise.all(revisions.map(async (revision) => (await hashKv(client, revision)).hash));
  const known = [1084519789, 3086679940, 1084519789, 2587454935, 2143169314, 3086679940];
  t.deepEqual(await hashes([-1, 0, 1, 2, 3, 4]), known);
  t.like(await hashKv(client, 2), { compactRevision: -1n, hashRevision: 2n });
  await engine.compact({ revision: 3 });
  t.deepEqual(await hashes([0, -5]), [2393049859, 1084519789]);
  t.like(await hashKv(client, 0), { compactRevision: 3n, hashRevision: 4n });
  const { hash } = await settle<HashResponse>((done) => client.hash(HashRequest.create(), done));
  t.is(hash, 2393049859);
});

test("what one txn changes counts in its order", async (t) => {
  const operations = [op.put(put("a")), op.put(put("b"))];
  const hashes = new Set<number>();
  for (const success of [operations, [...operations].reverse()]) {
    const { engine, client } = await served(t);
    await engine.txn(txn({ success }), TXN_OPTIONS);
    hashes.add((await hashKv(client, 0)).hash);
  }
  t.is(hashes.size, 2);
});

test("a checksum of the future or of what is compacted is refused", async (t) => {
  const { engine, client } = await served(t);
  for (const value of ["1", "2", "3"]) await engine.put(put("a", value));
  await engine.compact({ revision: 3 });
  await t.throwsAsync(hashKv(client, 5), {
    message: "11 OUT_OF_RANGE: etcdserver: mvcc: required revision is a future revision",
  });
  await t.throwsAsync(hashKv(client, 2), {
    message: "11 OUT_OF_RANGE: etcdserver: mvcc: required revision has been compacted",
  });
  t.is((await hashKv(client, 3)).hashRevision, 3n);
});

test("a store that has refused a write for want of room raises an alarm until there is some", async (t) => {
  const { engine, client, identity } = await served(t, { storeMaxBytes: 5000 });
  const { memberId: memberID } = identity;
  const nospace = [{ memberID, alarm: AlarmType.NOSPACE }];
  await engine.put(put("a", new Uint8Array(2000)));
  t.deepEqual((await alarms(client)).alarms, []);
  await refused(t, "STORE_FULL", engine.put(put("b", new Uint8Array(3000))));
  t.deepEqual((await alarms(client)).alarms, nospace);
  t.deepEqual((await alarms(client, { alarm: AlarmType.NOSPACE })).alarms, nospace);
  t.deepEqual((await alarms(client, { alarm: AlarmType.CORRUPT })).alarms, []);
  t.deepEqual((await statusOf(client)).errors, [`memberID:${memberID} alarm:NOSPACE `]);
  const disarm = { action: Action.DEACTIVATE, memberID, alarm: AlarmType.NOSPACE };
  t.deepEqual((await alarms(client, disarm)).alarms, nospace);
  t.deepEqual((await alarms(client, { ...disarm, memberID: 5n })).alarms, []);
  t.deepEqual((await alarms(client)).alarms, nospace);
  await engine.delete(del(ALL));
  t.deepEqual((await alarms(client)).alarms, []);
  t.deepEqual((await statusOf(client)).errors, []);
});

test("nobody but the store raises an alarm", async (t) => {
  const { client, identity } = await served(t);
  const { memberId: memberID } = identity;
  const request = { action: Action.ACTIVATE, memberID, alarm: AlarmType.NOSPACE };
  const message = /^12 UNIMPLEMENTED: kvd: alarms are raised by the store alone/;
  await t.throwsAsync(alarms(client, request), { message });
});

test("the leader may move to itself", async (t) => {
  const { client, identity } = await served(t);
  const request = MoveLeaderRequest.create({ targetID: identity.memberId });
  const moved = await settle<MoveLeaderResponse>((done) => client.moveLeader(request, done));
  t.deepEqual(moved.header, identity.header(1));
});

test("a downgrade is refused", async (t) => {
  const { client } = await served(t);
  const request = DowngradeRequest.create({ version: "3.5.0" });
  const downgrading = settle((done) => client.downgrade(request, done));
  await t.throwsAsync(downgrading, { message: /^12 UNIMPLEMENTED: kvd: / });
});
