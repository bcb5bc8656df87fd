// etcd's lock service, through grpc-js: who holds, who waits, and that nothing stays behind.

import test, { type ExecutionContext } from "ava";
import { LockClient, type LockResponse, type UnlockResponse } from "../../../gen/grpc/etcd/lock.js";
import { connectClient } from "../../support/grpc-service.js";
import type { KvdOptions } from "../../support/kvd-server.js";
import { ManualClock } from "../../support/manual-clock.js";
import { ask, refusal, serveLines } from "./session.js";

async function serve(t: ExecutionContext, options: KvdOptions = {}) {
  const kvd = await serveLines(t, options);
  const client = connectClient(t, kvd.server.address, LockClient);
  const lock = (name: string | Uint8Array, lease: bigint) =>
    ask<LockResponse>((done) => client.lock({ name: Buffer.from(name), lease }, done));
  const unlock = (key: string | Uint8Array) =>
    ask<UnlockResponse>((done) => client.unlock({ key: Buffer.from(key) }, done)).answer;
  return { ...kvd, lock, unlock };
}

test("a lock's key is its name and its lease, in hexadecimal", async (t) => {
  const { engine, lease, lock } = await serve(t);
  const { key, header } = await lock("jobs", await lease(0xabcn)).answer;
  t.is(Buffer.from(key).toString(), "jobs/abc");
  t.is(header?.revision, BigInt(engine.revision));
  const negative = await lock("jobs2", await lease(-2n)).answer;
  t.is(Buffer.from(negative.key).toString(), "jobs2/-2");
  const binary = await lock(Uint8Array.of(0xff, 0), 0xabcn).answer;
  t.deepEqual([...binary.key], [0xff, 0, ...Buffer.from("/abc")]);
});

test("whoever locks again has the same lock", async (t) => {
  const { lease, lock } = await serve(t);
  await lease(1n);
  const first = await lock("a", 1n).answer;
  t.deepEqual(await lock("a", 1n).answer, first);
});

test("locks of other names are other locks", async (t) => {
  const { lease, lock, keys } = await serve(t);
  await Promise.all([1n, 2n, 3n].map(lease));
  await lock("a", 1n).answer;
  await lock("aa", 2n).answer;
  await lock("", 3n).answer;
  t.deepEqual(await keys(), ["a/1", "aa/2", "/3"]);
});

test("many wait for one lock: one holds it at a time, in the order of arrival", async (t) => {
  const { lease, lock, unlock, waiting } = await serve(t);
  const ids = Array.from({ length: 40 }, (_, index) => BigInt(index + 1));
  await Promise.all(ids.map(lease));
  let holders = 0;
  const order: bigint[] = [];
  const held: Promise<void>[] = [];
  for (const id of ids) {
    const { answer } = lock("a", id);
    held.push(
      answer.then(async ({ key }) => {
        order.push(id);
        holders += 1;
        t.is(holders, 1);
        await waiting(ids.length - order.length);
        holders -= 1;
        await unlock(key);
      }),
    );
    await waiting(held.length - 1);
  }
  await Promise.all(held);
  t.deepEqual(order, ids);
});

test("a lease that ends hands its lock on", async (t) => {
  const { engine, lease, lock, waiting } = await serve(t);
  await Promise.all([1n, 2n].map(lease));
  await lock("a", 1n).answer;
  const next = lock("a", 2n);
  await waiting(1);
  const { revision } = await engine.revoke({ id: 1n });
  t.is((await next.answer).header?.revision, BigInt(revision));
});

test("without a lease one of a minute is granted, and nobody renews it", async (t) => {
  const clock = new ManualClock();
  const { engine, lock, keys, waiting } = await serve(t, { clock });
  await lock("a", 0n).answer;
  const next = lock("a", 0n);
  await waiting(1);
  const { leases } = await engine.leases({ after: undefined, limit: 10 });
  t.deepEqual(
    leases.map(({ grantedTtlMs }) => grantedTtlMs),
    [60_000, 60_000],
  );
  const [holder, waiter] = await keys();
  await engine.keepAlive({ id: BigInt(`0x${waiter?.slice(2)}`) });
  await clock.advanceAndSettle(30_000);
  await engine.keepAlive({ id: BigInt(`0x${waiter?.slice(2)}`) });
  await clock.advanceAndSettle(30_001);
  t.is(Buffer.from((await next.answer).key).toString(), waiter ?? "");
  t.false((await keys()).includes(holder ?? ""));
});

test("a caller that withdraws leaves the line, and takes back the lease that it got", async (t) => {
  const { engine, lease, lock, unlock, keys, waiting } = await serve(t);
  await Promise.all([1n, 2n, 3n].map(lease));
  const { key } = await lock("a", 1n).answer;
  const withLease = lock("a", 2n);
  await waiting(1);
  const without = lock("a", 0n);
  await waiting(2);
  const last = lock("a", 3n);
  await waiting(3);
  withLease.withdraw();
  without.withdraw();
  t.is(await refusal(withLease.answer), "1 Cancelled on client");
  await waiting(1);
  t.deepEqual(await keys(), ["a/1", "a/3"]);
  t.is((await engine.status()).leases, 3);
  await unlock(key);
  await last.answer;
});

test("over HTTP/1 a caller that hangs up leaves the line, too", async (t) => {
  const { server, lease, lock, unlock, keys, waiting } = await serve(t);
  await Promise.all([1n, 2n].map(lease));
  const { key } = await lock("a", 1n).answer;
  const caller = new AbortController();
  const hungUp = fetch(`http://${server.address}/v3/lock/lock`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: Buffer.from("a").toString("base64") }),
    signal: caller.signal,
  });
  await waiting(1);
  const last = lock("a", 2n);
  await waiting(2);
  caller.abort();
  t.is(await hungUp.catch(({ name }) => name), "AbortError");
  await waiting(1);
  t.deepEqual(await keys(), ["a/1", "a/2"]);
  await unlock(key);
  await last.answer;
});

test("a lock whose key vanishes while it waits is refused", async (t) => {
  const { engine, lease, lock, unlock, waiting } = await serve(t);
  await Promise.all([1n, 2n].map(lease));
  const { key } = await lock("a", 1n).answer;
  const next = lock("a", 2n);
  await waiting(1);
  await engine.revoke({ id: 2n });
  await unlock(key);
  t.is(await refusal(next.answer), "2 mutex: session is expired");
});

test("a key that is deleted and written again is behind those that waited", async (t) => {
  const { lease, lock, unlock, keys, waiting } = await serve(t);
  await Promise.all([1n, 2n].map(lease));
  const { key } = await lock("a", 1n).answer;
  const next = lock("a", 2n);
  await waiting(1);
  await unlock(key);
  await next.answer;
  const again = lock("a", 1n);
  await waiting(1);
  t.deepEqual(await keys(), ["a/2", "a/1"]);
  await unlock("a/2");
  await again.answer;
});

test("compaction under those who wait does not disturb them", async (t) => {
  const { engine, lease, lock, unlock, waiting } = await serve(t);
  await Promise.all([1n, 2n].map(lease));
  const { key } = await lock("a", 1n).answer;
  const next = lock("a", 2n);
  await waiting(1);
  await engine.compact({ revision: engine.revision });
  await unlock(key);
  t.is(Buffer.from((await next.answer).key).toString(), "a/2");
});

test("a server that stops ends those who wait, and they leave no key", async (t) => {
  const { server, engine, lease, lock, waiting, keys } = await serve(t);
  await Promise.all([1n, 2n].map(lease));
  await lock("a", 1n).answer;
  const waiters = [lock("a", 2n), lock("a", 0n)];
  await waiting(2);
  await server.close();
  for (const { answer } of waiters) {
    t.is(await refusal(answer), "14 etcdserver: server stopped");
  }
  t.deepEqual(await keys(), ["a/1"]);
  t.is((await engine.status()).leases, 2);
});

test("a lock may take longer than an answer that nobody takes", async (t) => {
  const clock = new ManualClock();
  const limits = { watcherIdleMaxMs: 1000, requestMaxMs: 1000 };
  const { engine, lock, unlock, waiting } = await serve(t, { clock, limits });
  for (const id of [1n, 2n]) await engine.grant({ id, ttlMs: 3_600_000 });
  const { key } = await lock("a", 1n).answer;
  const next = lock("a", 2n);
  await waiting(1);
  await clock.advanceAndSettle(60_000);
  await unlock(key);
  await next.answer;
  t.pass();
});

test("locks are refused as etcd does it", async (t) => {
  const { engine, lock, unlock, keys } = await serve(t);
  const notFound = "2 etcdserver: requested lease not found";
  t.is(await refusal(lock("a", 99n).answer), notFound);
  t.is(await refusal(lock("a", -99n).answer), notFound);
  t.is(await refusal(unlock("")), "2 etcdserver: key is not provided");
  const { header } = await unlock("a/1");
  t.is(header?.revision, BigInt(engine.revision));
  t.deepEqual(await keys(), []);
});

test("a lock that cannot wait is refused, and leaves no lease", async (t) => {
  const { engine, lock, keys } = await serve(t, { limits: { watchersMax: 1 } });
  await lock("a", 0n).answer;
  const second = lock("a", 0n);
  const third = lock("a", 0n);
  const refused = await Promise.race([refusal(second.answer), refusal(third.answer)]);
  t.true(refused.startsWith("2 kvd: "), refused);
  t.is((await keys()).length, 2);
  t.is((await engine.status()).leases, 2);
});
