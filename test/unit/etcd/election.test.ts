// etcd's election service, through grpc-js: who leads, what it proclaims, and who hears of it.

import test, { type ExecutionContext } from "ava";
import {
  type CampaignResponse,
  ElectionClient,
  type LeaderKey,
  type LeaderResponse,
  type ProclaimResponse,
  type ResignResponse,
} from "../../../gen/grpc/etcd/election.js";
import { systemClock } from "../../../server/lib/clock.js";
import { connectClient, logStream } from "../../support/grpc-service.js";
import type { KvdOptions } from "../../support/kvd-server.js";
import { ask, refusal, serveLines } from "./session.js";

async function serve(t: ExecutionContext, options: KvdOptions = {}) {
  const kvd = await serveLines(t, options);
  const client = connectClient(t, kvd.server.address, ElectionClient);
  const name = Buffer.from("e");
  const campaign = (lease: bigint, value: string) =>
    ask<CampaignResponse>((done) =>
      client.campaign({ name, lease, value: Buffer.from(value) }, done),
    );
  const proclaim = (leader: LeaderKey | undefined, value: string) =>
    ask<ProclaimResponse>((done) => client.proclaim({ leader, value: Buffer.from(value) }, done))
      .answer;
  const leader = () => ask<LeaderResponse>((done) => client.leader({ name }, done)).answer;
  const resign = (leader: LeaderKey | undefined) =>
    ask<ResignResponse>((done) => client.resign({ leader }, done)).answer;
  const observe = () => {
    const call = client.observe({ name });
    t.teardown(() => call.cancel());
    return { call, ...logStream<LeaderResponse>(call) };
  };
  return { ...kvd, campaign, proclaim, leader, resign, observe };
}

function proclaimed(messages: readonly LeaderResponse[]): string[] {
  return messages.map(({ kv }) => Buffer.from(kv?.value ?? []).toString());
}

async function keyOf(campaign: { readonly answer: Promise<CampaignResponse> }): Promise<LeaderKey> {
  const { leader } = await campaign.answer;
  if (leader === undefined) throw new Error("a campaign was won without a key");
  return leader;
}

test("who campaigns first leads, and has a key that proves it", async (t) => {
  const { engine, lease, campaign, leader, waiting } = await serve(t);
  await Promise.all([0x1fn, 2n].map(lease));
  const { header, leader: key } = await campaign(0x1fn, "one").answer;
  t.is(header?.revision, 2n);
  t.deepEqual(
    { ...key, name: String(key?.name), key: String(key?.key) },
    { name: "e", key: "e/1f", rev: 2n, lease: 0x1fn },
  );
  campaign(2n, "two");
  await waiting(1);
  const led = await leader();
  t.deepEqual(proclaimed([led]), ["one"]);
  t.is(led.header?.revision, BigInt(engine.revision));
  t.is(led.kv?.createRevision, 2n);
});

test("a leader that resigns, or whose lease ends, is followed by the next", async (t) => {
  const { engine, lease, campaign, leader, resign, waiting } = await serve(t);
  const ids = [1n, 2n, 3n];
  await Promise.all(ids.map(lease));
  const campaigns = [];
  for (const [index, id] of ids.entries()) {
    campaigns.push(campaign(id, `${id}`));
    await (index === 0 ? campaigns[0]?.answer : waiting(index));
  }
  const [first, second, third] = campaigns as [(typeof campaigns)[0], ...typeof campaigns];
  await resign(await keyOf(first));
  await second?.answer;
  t.deepEqual(proclaimed([await leader()]), ["2"]);
  await engine.revoke({ id: 2n });
  await third?.answer;
  t.deepEqual(proclaimed([await leader()]), ["3"]);
});

test("what a leader proclaims can be changed, by it alone", async (t) => {
  const { lease, campaign, proclaim, leader } = await serve(t);
  await lease(1n);
  const key = await keyOf(campaign(1n, "one"));
  const { header } = await proclaim(key, "more");
  const { kv } = await leader();
  t.deepEqual(proclaimed([{ header, kv }]), ["more"]);
  t.is(kv?.modRevision, header?.revision);
  t.is(kv?.lease, 1n);
  t.is(await refusal(proclaim({ ...key, rev: 1n }, "x")), "2 election: not leader");
  t.is(
    await refusal(proclaim({ ...key, lease: 99n }, "x")),
    "2 etcdserver: requested lease not found",
  );
});

test("a candidate that campaigns again has its place, and proclaims the newer value", async (t) => {
  const { lease, campaign, leader } = await serve(t);
  await lease(1n);
  const first = await campaign(1n, "one").answer;
  t.deepEqual(await campaign(1n, "one").answer, first);
  const again = await campaign(1n, "two").answer;
  t.deepEqual(again.leader, first.leader);
  const { kv } = await leader();
  t.is(kv?.version, 2n);
  t.is(String(kv?.value), "two");
});

test("without a lease one of a minute is granted, also to proclaim", async (t) => {
  const { engine, campaign, proclaim, leader } = await serve(t);
  const key = await keyOf(campaign(0n, "one"));
  t.is((await engine.leases({ after: undefined, limit: 9 })).leases[0]?.id, key.lease);
  await proclaim({ ...key, lease: 0n }, "two");
  const { kv } = await leader();
  t.not(kv?.lease, key.lease);
  t.is(await refusal(proclaim({ ...key, lease: 0n, rev: 1n }, "x")), "2 election: not leader");
  t.is((await engine.status()).leases, 2);
});

test("a candidate that withdraws leaves the line", async (t) => {
  const { lease, campaign, waiting, keys, resign } = await serve(t);
  await Promise.all([1n, 2n, 3n].map(lease));
  const key = await keyOf(campaign(1n, "one"));
  const second = campaign(2n, "two");
  await waiting(1);
  const third = campaign(3n, "three");
  await waiting(2);
  second.withdraw();
  await waiting(1);
  t.deepEqual(await keys(), ["e/1", "e/3"]);
  await resign(key);
  await third.answer;
});

test("elections are refused as etcd does it", async (t) => {
  const { engine, lease, campaign, leader, proclaim, resign, waiting } = await serve(t);
  const missing = '2 "leader" field must be provided';
  t.is(await refusal(leader()), "2 election: no leader");
  t.is(await refusal(proclaim(undefined, "v")), missing);
  t.is(await refusal(resign(undefined)), missing);
  t.is(await refusal(campaign(99n, "v").answer), "2 etcdserver: requested lease not found");
  await Promise.all([1n, 2n].map(lease));
  const key = await keyOf(campaign(1n, "one"));
  const empty = "2 etcdserver: key is not provided";
  t.is(await refusal(proclaim({ ...key, key: Buffer.from("") }, "v")), empty);
  t.is(await refusal(resign({ ...key, key: Buffer.from("") })), empty);
  const next = campaign(2n, "two");
  await waiting(1);
  await engine.revoke({ id: 2n });
  await resign({ ...key, rev: 1n });
  t.deepEqual(proclaimed([await leader()]), ["one"]);
  await resign(key);
  t.is(await refusal(next.answer), "2 election: not leader");
  const { header } = await resign(key);
  t.is(header?.revision, BigInt(engine.revision));
});

test("who observes hears of each leader and of what it proclaims", async (t) => {
  const { lease, campaign, proclaim, resign, observe, waiting } = await serve(t);
  await Promise.all([1n, 2n].map(lease));
  const early = observe();
  await waiting(1);
  const first = await keyOf(campaign(1n, "one"));
  await early.received(1);
  await proclaim(first, "more");
  await early.received(2);
  const late = observe();
  await late.received(1);
  const second = campaign(2n, "two");
  await waiting(3);
  await resign(first);
  const next = await keyOf(second);
  await early.received(3);
  await resign(next);
  await campaign(1n, "again").answer;
  t.deepEqual(proclaimed(await early.received(4)), ["one", "more", "two", "again"]);
  t.deepEqual(proclaimed(await late.received(3)), ["more", "two", "again"]);
  const revisions = early.messages.map(({ kv }) => kv?.createRevision);
  t.deepEqual(revisions, [2n, 2n, 4n, 7n]);
});

test("an election is observed across compactions", async (t) => {
  const { engine, lease, campaign, proclaim, observe } = await serve(t);
  await lease(1n);
  const key = await keyOf(campaign(1n, "1"));
  const { received } = observe();
  for (let value = 2; value < 30; value += 1) {
    await proclaim(key, `${value}`);
    await engine.compact({ revision: engine.revision });
  }
  let count = 1;
  for (;;) {
    const values = proclaimed(await received(count));
    t.deepEqual(
      values,
      [...values].sort((a, b) => Number(a) - Number(b)),
    );
    if (values.at(-1) === "29") return;
    count = values.length + 1;
  }
});

test("an observer that stops listening is forgotten; a server that stops ends it", async (t) => {
  const { server, observe, waiting } = await serve(t);
  const first = observe();
  const second = observe();
  await waiting(2);
  first.call.cancel();
  await waiting(1);
  await server.close();
  const { code, details } = await second.status;
  t.is(`${code} ${details}`, "14 etcdserver: server stopped");
});

test("an observer that does not read holds no more than a queue", async (t) => {
  const { engine, lease, campaign, proclaim, observe } = await serve(t);
  await lease(1n);
  const key = await keyOf(campaign(1n, "0"));
  const { call, messages } = observe();
  call.pause();
  const values = Array.from({ length: 200 }, (_, index) => `${index}`.padEnd(10_000, "."));
  for (const value of values) await proclaim(key, value);
  call.resume();
  while (proclaimed(messages).at(-1) !== values.at(-1)) await systemClock.yieldTurn();
  t.deepEqual(proclaimed(messages).slice(-200), values);
  t.is((await engine.status()).watchers, 1);
});
