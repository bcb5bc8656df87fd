// What the client does when connections break, stall, or are not there, and when the server is
// started again: through a proxy, against a real server.

import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import test, { type ExecutionContext } from "ava";
import {
  type ConnectOptions,
  connect,
  get,
  KvdClientError,
  put,
  type Watch,
  type WatchEvent,
} from "../../../client/index.js";
import { type MemoryEngine, openMemoryEngine } from "../../../server/engines/memory.js";
import { defaultLimits, type Limits } from "../../../server/kv/limits.js";
import { systemClock } from "../../../server/lib/clock.js";
import { createServer } from "../../../server/server.js";
import { servedEngine } from "../../support/served-engine.js";
import { openProxy } from "../../support/tcp-proxy.js";

async function openEngine(
  t: ExecutionContext,
  limits: Partial<Limits> = {},
): Promise<MemoryEngine> {
  const engine = await openMemoryEngine({ limits: defaultLimits(limits), clock: systemClock });
  t.teardown(async () => {
    engine.check();
    await engine.close();
  });
  return engine;
}

/** A server on an engine that outlives it. */
async function serveEngine(t: ExecutionContext, engine: MemoryEngine) {
  const server = await createServer({ engine: servedEngine(engine), shutdownGraceMs: 100 });
  t.teardown(() => server.close());
  return server;
}

/** A client that goes through a proxy, and one that does not. */
async function proxied(t: ExecutionContext, options: ConnectOptions = {}) {
  const engine = await openEngine(t);
  const server = await serveEngine(t, engine);
  const proxy = await openProxy(t, server.port ?? 0);
  const connectTo = (address: string, connectOptions: ConnectOptions) => {
    const kv = connect(address, connectOptions);
    t.teardown(() => kv.close());
    return kv;
  };
  const kv = connectTo(proxy.address, options);
  return { engine, server, proxy, kv, direct: connectTo(server.address, {}), connectTo };
}

async function take(count: number, watch: Watch): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of watch) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

const revisionsOf = (events: readonly WatchEvent[]) => events.map(({ revision }) => revision);

test("a watch sees what happened while its connection was broken, once", async (t) => {
  const { proxy, kv, direct } = await proxied(t);
  const watch = kv.watch("a");
  const { revision } = await watch.ready();
  const seen: number[] = [];
  await direct.put("a", "1");
  for await (const event of watch) {
    seen.push(event.revision);
    if (seen.length === 6) break;
    if (seen.length > 1) continue;
    proxy.refuse();
    proxy.cut();
    for (const value of ["2", "3", "4"]) await direct.put("a", value);
    await proxy.listen();
    for (const value of ["5", "6"]) await direct.put("a", value);
  }
  const due = Array.from({ length: 6 }, (_, index) => revision + 1 + index);
  t.deepEqual(seen, due);
});

test("a watch goes on when its connection stalls without a word", async (t) => {
  const { proxy, kv, direct } = await proxied(t, { pingInterval: 50 });
  const watch = kv.watch("a");
  const { revision } = await watch.ready();
  const { connections } = proxy;
  const taken = take(1, watch);
  proxy.stall();
  await direct.put("a", "1");
  await proxy.until(() => proxy.connections > connections);
  proxy.flow();
  t.deepEqual(revisionsOf(await taken), [revision + 1]);
});

test("a watch waits for a server that is not there yet, as long as a call does", async (t) => {
  const { proxy, connectTo, direct } = await proxied(t);
  proxy.refuse();
  const hasty = connectTo(proxy.address, { timeout: 50 }).watch("a");
  const error = await t.throwsAsync(hasty.ready(), { instanceOf: KvdClientError });
  t.is(error?.code, "UNAVAILABLE");
  t.true(error?.message.includes(proxy.address));
  t.is(await t.throwsAsync(take(1, hasty)), error);
  const patient = connectTo(proxy.address, { timeout: 0 }).watch("a");
  await proxy.listen();
  await patient.ready();
  const { revision } = await direct.put("a", "1");
  t.deepEqual(revisionsOf(await take(1, patient)), [revision]);
});

test("a watch that nobody answers says so in time", async (t) => {
  const sockets: Socket[] = [];
  const silent = createTcpServer((socket) => {
    sockets.push(socket.on("error", () => {}).resume());
  });
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  t.teardown(() => {
    silent.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = silent.address() as AddressInfo;
  const kv = connect(`127.0.0.1:${port}`, { timeout: 50 });
  const error = await t.throwsAsync(kv.watch("a").ready(), { instanceOf: KvdClientError });
  // It takes connections and says nothing on them, so there is none that HTTP/2 could use.
  t.is(error?.code, "UNAVAILABLE");
  // Without resume, having no connection would have been an error at once.
  const hasty = kv.watch("a", { resume: false });
  t.is((await t.throwsAsync<KvdClientError>(hasty.ready()))?.code, "DEADLINE_EXCEEDED");
  await kv.close();
});

test("a watch that does not resume fails at once without a server, and at a break", async (t) => {
  const { proxy, kv, connectTo } = await proxied(t);
  const watch = kv.watch("a", { resume: false });
  const { revision } = await watch.ready();
  proxy.refuse();
  proxy.cut();
  const cut = await t.throwsAsync(take(1, watch), { instanceOf: KvdClientError });
  t.deepEqual([cut?.code, cut?.reason], ["UNAVAILABLE", undefined]);
  t.is(cut?.details.resumeRevision, revision + 1);
  const other = connectTo(proxy.address, { retry: false }).watch("a");
  t.is((await t.throwsAsync<KvdClientError>(other.ready()))?.code, "UNAVAILABLE");
});

test("what only reads is sent again when the connection breaks under it", async (t) => {
  const { proxy, kv, direct } = await proxied(t);
  await direct.put("a", "1");
  await kv.ready();
  const { id } = await kv.lease.grant("1h");
  // What the server answers does not arrive any more.
  proxy.delayMs = 60_000;
  const { bytesUp } = proxy;
  const reads = [
    kv.get("a").then((entry) => entry?.text()),
    kv.range("a").then(({ entries }) => entries.length),
    kv.count("a").then(({ count }) => count),
    kv.txn({ success: [get("a")] }).then(({ succeeded }) => succeeded),
    kv.batch([get("a")]).then(({ results }) => results.length),
    kv.lease.timeToLive(id).then((lease) => lease.id === id),
    kv.lease.keepAlive(id),
    kv.maintenance.hash().then(({ hash }) => hash.length),
  ];
  await proxy.until(() => proxy.bytesUp > bytesUp);
  proxy.cut();
  proxy.delayMs = 0;
  t.deepEqual(await Promise.all(reads), ["1", 1, 1, true, 1, true, 3_600_000, 32]);
});

test("a write whose connection breaks is never sent again", async (t) => {
  const { proxy, kv, direct } = await proxied(t);
  await kv.ready();
  const { revision } = await direct.maintenance.status();
  proxy.delayMs = 60_000;
  const writes = [
    kv.put("put", "1"),
    kv.txn({ success: [put("txn", "1")], failure: [get("txn")] }),
    kv.batch([put("batch", "1"), get("batch")]),
    kv.delete("nothing"),
  ];
  const outcomes = Promise.allSettled(writes);
  while ((await direct.maintenance.status()).revision < revision + 3);
  proxy.cut();
  proxy.delayMs = 0;
  for (const outcome of await outcomes) {
    const { code, reason } = outcome.status === "rejected" ? outcome.reason : { code: "none" };
    t.deepEqual([code, reason], ["UNAVAILABLE", undefined]);
  }
  await kv.ready();
  t.is((await kv.maintenance.status()).revision, revision + 3);
  for (const key of ["put", "txn", "batch"]) t.is((await kv.get(key))?.version, 1);
});

test("what was never sent waits for a connection, writes too", async (t) => {
  const { proxy, kv, connectTo } = await proxied(t);
  proxy.refuse();
  const hasty = connectTo(proxy.address, { retry: false });
  t.is((await t.throwsAsync<KvdClientError>(hasty.put("a", "0")))?.code, "UNAVAILABLE");
  const writes = [kv.put("a", "1"), kv.batch([put("b", "1")]), kv.lease.grant("1h")];
  await proxy.listen();
  await Promise.all(writes);
  t.is((await kv.get("a"))?.version, 1);
  t.is((await kv.get("b"))?.version, 1);
});

test("a listing that is broken between its pages goes on, at its revision", async (t) => {
  const { proxy, kv, direct } = await proxied(t);
  for (const key of ["a", "b", "c", "d"]) await direct.put(key, "old");
  const { revision } = await direct.maintenance.status();
  const seen: string[] = [];
  for await (const page of kv.pages({ all: true }, { pageSize: 1 })) {
    t.is(page.revision, revision);
    for (const entry of page.entries) seen.push(`${entry.key} ${entry.text()}`);
    await direct.put({ 1: "d", 2: "c" }[seen.length] ?? "z", "new");
    proxy.cut();
  }
  t.deepEqual(seen, ["a old", "b old", "c old", "d old"]);
});

test("a server that is started again is the same to its clients", async (t) => {
  const engine = await openEngine(t);
  const first = await serveEngine(t, engine);
  const proxy = await openProxy(t, first.port ?? 0);
  const kv = connect(proxy.address);
  t.teardown(() => kv.close());
  await kv.batch(Array.from({ length: 1500 }, (_, index) => put(`present/${index}`, "")));
  const watch = kv.watch({ all: true }, { includeCurrent: true });
  const steps = watch.steps()[Symbol.asyncIterator]();
  let entries = 0;
  let server = first;
  const revisions: number[] = [];
  const due: number[] = [];
  const restart = async () => {
    await server.close();
    server = await serveEngine(t, engine);
    proxy.targetPort = server.port ?? 0;
  };
  while (due.length < 10 || revisions.length < due.length) {
    const { value: step } = await steps.next();
    if (step?.kind === "current") {
      entries += step.entries.length;
      await restart();
    } else if (step?.kind === "synced" || step?.kind === "events") {
      if (step.kind === "events") for (const { revision } of step.events) revisions.push(revision);
      if (due.length === 10) continue;
      const stopped = restart();
      // While there is no server, and while it starts.
      const writes = [kv.put("a", ""), kv.put("b", "")];
      for (const { revision } of await Promise.all(writes)) due.push(revision);
      await stopped;
    }
  }
  watch.close();
  t.is(entries, 1500);
  t.deepEqual(
    revisions,
    due.sort((left, right) => left - right),
  );
});

test("a watch and a listing do not go on in another store", async (t) => {
  const { proxy, kv, server } = await proxied(t);
  await kv.put("a", "1");
  await kv.put("b", "1");
  const watch = kv.watch({ all: true }, { startRevision: 1 });
  const events = watch[Symbol.asyncIterator]();
  await events.next();
  const entries = kv.entries({ all: true }, { pageSize: 1 })[Symbol.asyncIterator]();
  await entries.next();
  const other = await openEngine(t);
  const second = await serveEngine(t, other);
  for (let count = 0; count < 5; count += 1) await kvOf(t, second.address).put("c", "2");
  proxy.targetPort = second.port ?? 0;
  await server.close();
  t.is((await events.next()).value?.key, "b");
  const ended = await t.throwsAsync(events.next(), { instanceOf: KvdClientError });
  t.is(ended?.reason, "STORE_CHANGED");
  t.is(ended?.details.storeId, other.storeId);
  const refused = await t.throwsAsync(entries.next(), { instanceOf: KvdClientError });
  t.is(refused?.reason, "STORE_CHANGED");
});

function kvOf(t: ExecutionContext, address: string) {
  const kv = connect(address);
  t.teardown(() => kv.close());
  return kv;
}

test("history that went while the connection was broken is told, or listed anew", async (t) => {
  const { proxy, kv, direct } = await proxied(t);
  await direct.put("a", "1");
  const strict = kv.watch({ all: true });
  const lenient = kv.watch({ all: true }, { relist: true });
  await Promise.all([strict.ready(), lenient.ready()]);
  proxy.refuse();
  proxy.cut();
  for (const value of ["2", "3", "4"]) await direct.put("b", value);
  await direct.delete("a");
  const { revision } = await direct.maintenance.status();
  await direct.maintenance.compact(revision);
  await proxy.listen();
  const error = await t.throwsAsync(take(1, strict), { instanceOf: KvdClientError });
  t.is(error?.reason, "REVISION_COMPACTED");
  const kinds: string[] = [];
  for await (const step of lenient.steps()) {
    kinds.push(step.kind === "current" ? step.entries.map(({ key }) => key).join() : step.kind);
    if (step.kind === "synced") await direct.put("c", "5");
    if (step.kind === "events") break;
  }
  t.deepEqual(kinds, ["created", "relist", "b", "synced", "events"]);
});
