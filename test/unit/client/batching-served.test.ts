// Single calls that travel together, against real servers: whatever is called, it looks as if each
// had been called by itself, one after the other.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect, type Kvd, KvdClientError } from "../../../client/index.js";
import { openMemoryEngine } from "../../../server/engines/memory.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { systemClock } from "../../../server/lib/clock.js";
import { createServer } from "../../../server/server.js";
import { SEED } from "../../support/fault-scale.js";
import { run } from "../../support/process.js";
import { type SeededRandom, seededRandom } from "../../support/seeded-random.js";
import { servedEngine } from "../../support/served-engine.js";
import { openProxy } from "../../support/tcp-proxy.js";
import { serve } from "./served.js";

/** What a call became, as data to compare. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof KvdClientError)) throw error;
    const { code, reason, message, details, metadata } = error;
    return { code, reason, message, details, metadata };
  }
}

const KEYS = ["a", "b", "c", "é"];

/** A call, the same for every client; what it says of revisions depends on the ones before it. */
function randomCall(random: SeededRandom): (kv: Kvd) => Promise<unknown> {
  const name = random.pick(KEYS);
  const key = random.below(4) === 0 ? new TextEncoder().encode(name) : name;
  const expectedModRevision = random.below(12);
  const value = "x".repeat(random.below(20));
  const returnPrevious = random.below(3) === 0;
  const expecting = random.below(3) === 0 ? { expectedModRevision } : {};
  switch (random.below(8)) {
    case 0:
    case 1:
      return (kv) => kv.put(key, value, { returnPrevious, ...expecting });
    case 2:
      return (kv) => kv.delete(key, { returnPrevious, ...expecting });
    case 3:
      return (kv) => kv.get(key, { revision: expectedModRevision });
    default:
      return (kv) => kv.get(key);
  }
}

test("calls without waiting in between are executed in the order in which they were made", async (t) => {
  t.log(`seed ${SEED}`);
  const random = seededRandom(SEED);
  for (let run = 0; run < 10; run += 1) {
    const { kv } = await serve(t);
    const { connect: connectOther } = await serve(t);
    const oneByOne = connectOther({ batching: false });
    const calls = Array.from({ length: 1 + random.below(120) }, () => randomCall(random));
    const due: unknown[] = [];
    for (const call of calls) due.push(await outcomeOf(call(oneByOne)));
    const outcomes: Promise<unknown>[] = [];
    for (const call of calls) {
      outcomes.push(outcomeOf(call(kv)));
      if (random.below(10) === 0) await new Promise(setImmediate);
    }
    t.deepEqual(await Promise.all(outcomes), due);
  }
});

test("a call that is refused says in a batch all that it says alone", async (t) => {
  const { kv, connect: connectOther } = await serve(t, { limits: { leaseMaxKeys: 1 } });
  const alone = connectOther({ batching: false });
  await kv.put("old", "1");
  const { revision } = await kv.put("old", "2");
  await kv.maintenance.compact(revision);
  const { id } = await kv.lease.grant("1h");
  await kv.put("leased", "1", { leaseId: id });
  const calls: readonly ((kv: Kvd) => Promise<unknown>)[] = [
    (client) => client.get(""),
    (client) => client.get("k".repeat(10_000)),
    (client) => client.get("old", { revision: revision - 1 }),
    (client) => client.get("old", { revision: 1_000 }),
    (client) => client.get("old", { revision: -1 }),
    (client) => client.put("", "1"),
    (client) => client.put("k", "v".repeat(1_600_000)),
    (client) => client.put("k", "1", { ttl: "1s", leaseId: 5n }),
    (client) => client.put("k", "1", { ttl: 1 }),
    (client) => client.put("k", "1", { leaseId: 5n }),
    (client) => client.put("k", "1", { leaseId: id }),
    (client) => client.put("old", "1", { expectedModRevision: 1 }),
    (client) => client.delete("old", { expectedModRevision: 0 }),
    (client) => client.delete("absent", { expectedModRevision: 4 }),
    (client) => client.delete(""),
  ];
  const due = await Promise.all(calls.map((call) => outcomeOf(call(alone))));
  const together = await Promise.all(calls.map((call) => outcomeOf(call(kv))));
  t.deepEqual(together, due);
  for (const outcome of due) t.not((outcome as KvdClientError).reason, undefined);
});

test("a failed precondition tells the revision of its turn", async (t) => {
  const { kv } = await serve(t);
  const { revision } = await kv.put("a", "1");
  const outcomes = await Promise.allSettled([
    kv.put("b", "1"),
    kv.put("a", "2", { expectedModRevision: 0 }),
    kv.get("b"),
    kv.delete("absent"),
    kv.put("b", "2"),
    kv.put("a", "2", { expectedModRevision: 0 }),
    kv.delete("b"),
  ]);
  const details = outcomes.map((outcome) =>
    outcome.status === "rejected" ? outcome.reason.details : undefined,
  );
  const of = (offset: number) => ({ modRevision: revision, revision: revision + offset });
  t.deepEqual(details, [undefined, of(1), undefined, undefined, undefined, of(2), undefined]);
});

test("gets whose values do not fit one answer are all answered, as of their turn", async (t) => {
  const { kv } = await serve(t);
  const keys = Array.from({ length: 40 }, (_, index) => `key ${index}`);
  const old = "1".repeat(300_000);
  for (const key of keys) await kv.put(key, old);
  const before = keys.map((key) => kv.get(key));
  const writes = keys.map((key) => kv.put(key, "2", { returnPrevious: true }));
  const after = keys.map((key) => kv.get(key));
  for (const entry of await Promise.all(before)) t.is(entry?.text(), old);
  for (const { previous } of await Promise.all(writes)) t.is(previous?.bytes.length, old.length);
  for (const entry of await Promise.all(after)) t.is(entry?.text(), "2");
});

test("limits of the server that are below what the client sends cost nobody a call", async (t) => {
  const limits = { batchMaxOperations: 3, requestMaxBytes: 2_000, responseMaxBytes: 4_000 };
  const { kv } = await serve(t, { limits });
  const keys = Array.from({ length: 100 }, (_, index) => `key ${index}`);
  const values = keys.map((key) => key.repeat(20));
  const revisions = await Promise.all(keys.map((key, index) => kv.put(key, values[index] ?? "")));
  const entries = await Promise.all(keys.map((key) => kv.get(key)));
  t.deepEqual(
    entries.map((entry) => entry?.text()),
    values,
  );
  const due = keys.map((_, index) => (revisions[0]?.revision ?? 0) + index);
  t.deepEqual(
    revisions.map(({ revision }) => revision),
    due,
  );
  const outcome = (await outcomeOf(kv.put("large", "x".repeat(3_000)))) as KvdClientError;
  t.is(outcome.reason, "REQUEST_TOO_LARGE");
});

async function serveOnDisk(t: ExecutionContext): Promise<Kvd> {
  const dataDir = await mkdtemp(join(tmpdir(), "kvd-batching-"));
  const server = await createServer({ dataDir });
  const kv = connect(server.address);
  t.teardown(async () => {
    await kv.close();
    await server.close();
    await rm(dataDir, { recursive: true });
  });
  return kv;
}

test("a get sees the puts that were made before it, also while they wait for the disk", async (t) => {
  const kv = await serveOnDisk(t);
  const writes: Promise<unknown>[] = [];
  const reads: Promise<string | undefined>[] = [];
  for (let count = 0; count < 50; count += 1) {
    writes.push(kv.put("a", `${count}`));
    if (count % 2 === 0) await new Promise(setImmediate);
    reads.push(kv.get("a").then((entry) => entry?.text()));
  }
  await Promise.all(writes);
  const due = Array.from({ length: 50 }, (_, count) => `${count}`);
  t.deepEqual(await Promise.all(reads), due);
});

test("a get sees the puts before it, although the writes of its message are refused", async (t) => {
  const kv = await serveOnDisk(t);
  await kv.get("a");
  for (let count = 0; count < 20; count += 1) {
    const first = kv.put("a", `${count}`);
    await new Promise(setImmediate);
    const second = kv.put("", "x");
    const read = kv.get("a");
    await t.throwsAsync(second);
    await first;
    t.is((await read)?.text(), `${count}`);
  }
});

test("servers that are started again lose and double no write that is made meanwhile", async (t) => {
  const engine = await openMemoryEngine({ limits: defaultLimits(), clock: systemClock });
  const open = () => createServer({ engine: servedEngine(engine), shutdownGraceMs: 1_000 });
  let server = await open();
  const proxy = await openProxy(t, server.port ?? 0);
  const kv = connect(proxy.address);
  t.teardown(async () => {
    await kv.close();
    await server.close();
    engine.check();
    await engine.close();
  });
  let count = 0;
  let unknown = 0;
  const keys: string[] = [];
  // Only an answer that was on its way when the stream ended can be lost.
  const refused = (error: unknown) => {
    if (!(error instanceof KvdClientError) || error.code !== "UNAVAILABLE") throw error;
    unknown += 1;
  };
  let stopped = false;
  const writing = Array.from({ length: 20 }, async () => {
    while (!stopped) {
      const key = `key ${count++}`;
      const write = kv.put(key, "").then(() => keys.push(key), refused);
      await kv.get(key);
      await write;
    }
  });
  for (let restart = 0; restart < 10; restart += 1) {
    for (let reads = 0; reads < 20; reads += 1) await kv.get("key 0");
    await server.close();
    server = await open();
    proxy.targetPort = server.port ?? 0;
  }
  stopped = true;
  await Promise.all(writing);
  for (const key of keys) t.is((await kv.get(key))?.version, 1);
  t.log(`${count} writes, ${unknown} of them unknown`);
  for await (const entry of kv.entries({ all: true })) t.is(entry.version, 1);
});

test("a process that does not close its client ends by itself", async (t) => {
  const { server } = await serve(t);
  const client = new URL("../../../client/index.js", import.meta.url).href;
  const script = `
    import { connect } from ${JSON.stringify(client)};
    const kv = connect(${JSON.stringify(server.address)});
    await kv.put("a", "1");
    process.stdout.write((await kv.get("a")).text());
  `;
  const ended = await run(t, [process.execPath, "--input-type=module", "-e", script]);
  t.deepEqual([ended.exitCode, ended.stdout], [0, "1"]);
});
