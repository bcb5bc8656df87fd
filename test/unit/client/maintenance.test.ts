// Status, compaction and hashes through the client, against a real server: every field that there
// is comes through.

import test from "ava";
import { connect, KvdClientError } from "../../../client/index.js";
import type { Engine } from "../../../server/kv/engine.js";
import { createServer } from "../../../server/server.js";
import { serve } from "./served.js";

test("status tells how the server is", async (t) => {
  const { kv, engine } = await serve(t, { limits: { valueMaxBytes: 1000 } });
  await kv.put("a", "1");
  await kv.lease.grant("1h");
  const status = await kv.maintenance.status();
  t.like(status, {
    engine: "memory",
    storeId: engine.storeId,
    revision: 2,
    durableRevision: 2,
    keys: 1,
    leases: 1,
    watchers: 0,
    diskBytes: 0,
    fsyncPolicy: "memory",
    problems: [],
    capabilities: [],
  });
  t.true(status.liveBytes > 0 && status.uptimeMs >= 0);
  t.like(
    status.limits.find(({ flag }) => flag === "--value-max-bytes"),
    { value: 1000, unit: "bytes" },
  );
  t.true(Object.values(status.counters).every(Number.isSafeInteger));
});

test("health is serving while calls are taken, and not once the disk has failed", async (t) => {
  const { kv, engine } = await serve(t);
  t.is(await kv.maintenance.health(), "serving");
  const failed = Promise.resolve(new Error("the disk failed"));
  const failing: Engine = Object.create(engine, {
    failed: { value: failed },
    storeId: { value: engine.storeId },
    endWatches: { value: () => engine.endWatches() },
  });
  const server = await createServer({ engine: failing });
  t.teardown(() => server.close());
  const other = connect(server.address);
  t.teardown(() => other.close());
  t.is(await other.maintenance.health(), "not serving");
});

test("compaction moves the compact revision and refuses to go back or ahead", async (t) => {
  const { kv } = await serve(t);
  for (const value of ["1", "2", "3"]) await kv.put("a", value);
  t.deepEqual(await kv.maintenance.compact(3), { revision: 4, compactRevision: 3 });
  const reasonOf = async (revision: number) =>
    (await t.throwsAsync<KvdClientError>(kv.maintenance.compact(revision)))?.reason;
  t.is(await reasonOf(3), "REVISION_COMPACTED");
  t.is(await reasonOf(5), "REVISION_FUTURE");
  t.is(await reasonOf(0), "NUMBER_OUT_OF_RANGE");
  await t.throwsAsync(kv.maintenance.compact(1.5), { instanceOf: TypeError });
});

test("a hash is that of a revision, whatever is written later", async (t) => {
  const { kv } = await serve(t);
  await kv.put("a", "1");
  const then = await kv.maintenance.hash();
  t.is(then.hash.length, 32);
  t.is(then.revision, 2);
  await kv.put("a", "2");
  t.notDeepEqual((await kv.maintenance.hash()).hash, then.hash);
  t.deepEqual((await kv.maintenance.hash({ revision: 2 })).hash, then.hash);
  const future = kv.maintenance.hash({ revision: 9 });
  const error = await t.throwsAsync(future, { instanceOf: KvdClientError });
  t.is(error?.reason, "REVISION_FUTURE");
});

test("a snapshot comes in chunks, and is over for the server when it is left", async (t) => {
  const { kv } = await serve(t);
  const value = Buffer.alloc(1_000_000, 1);
  for (let index = 0; index < 8; index += 1) {
    await kv.put(
      `k${index}`,
      value.map((_, at) => (at * (index + 3)) % 251),
    );
  }
  const snapshot = kv.maintenance.snapshot();
  t.is(await snapshot.revision, 9);
  let bytes = 0;
  for await (const chunk of snapshot) bytes += chunk.length;
  t.true(bytes > 0);
  for await (const chunk of kv.maintenance.snapshot()) {
    t.true(chunk.length > 0);
    break;
  }
  const interruption = new AbortController();
  const { signal } = interruption;
  const aborted = kv.maintenance.snapshot({ signal });
  await aborted.revision;
  interruption.abort();
  const error = await t.throwsAsync<KvdClientError>(
    (async () => {
      for await (const _ of aborted);
    })(),
  );
  t.is(error?.code, "CANCELLED");
  await kv.close();
});
