// The direct way: what a batch sees, and when it is answered, while the log is slow.

import test from "ava";
import type { Direct, DirectBatch } from "../../../server/kv/direct.js";
import { viewedBytes } from "../../../server/lib/viewed-bytes.js";
import { get, put } from "../../support/commands.js";
import { openMemoryFor } from "../../support/engines.js";
import { HeldBackend } from "../../support/held-backend.js";

const key = viewedBytes(Buffer.from("a1"));
const READS = { readsOnly: true, operations: 1, maxBytes: 10_000 };
const WRITES = { readsOnly: false, operations: 2, maxBytes: 10_000 };

const putOne = (batch: DirectBatch) => batch.put(key, 0, 1, 1, 2);
const found = (batch: DirectBatch) => `${batch.get(key, 0, 1)}@${batch.revision}`;
const putAndGet = (batch: DirectBatch) => [putOne(batch), found(batch)];

test("a batch that writes sees the head, and is answered when that is durable", async (t) => {
  const backend = new HeldBackend();
  const engine = await openMemoryFor(t, { backend });
  const direct = engine.direct as Direct;
  backend.hold();
  let answered = false;
  const answer = Promise.resolve(direct.batch(WRITES, putAndGet)).finally(() => {
    answered = true;
  });
  await engine.status();
  t.false(answered);
  backend.release();
  t.deepEqual(await answer, [2, "true@2"]);
});

test("a batch that reads sees what is durable, at once", async (t) => {
  const backend = new HeldBackend();
  const engine = await openMemoryFor(t, { backend });
  const direct = engine.direct as Direct;
  backend.hold();
  const written = engine.put(put("a"));
  t.is(direct.batch(READS, found), "false@1");
  backend.release();
  await written;
  t.is(direct.batch(READS, found), "true@2");
});

test("a batch that found nothing to delete waits for the head that it saw", async (t) => {
  const backend = new HeldBackend();
  const engine = await openMemoryFor(t, { backend });
  const direct = engine.direct as Direct;
  await engine.put(put("a"));
  backend.hold();
  const gone = direct.batch(WRITES, (batch) => batch.delete(key, 0, 1));
  const nothing = direct.batch(WRITES, (batch) => batch.delete(key, 0, 1));
  t.true(nothing instanceof Promise);
  backend.release();
  t.deepEqual([await gone, await nothing], [1, 0]);
});

for (const way of ["directly", "by commands"]) {
  test(`a batch that is told of a compaction waits until that is durable, ${way}`, async (t) => {
    const backend = new HeldBackend();
    const engine = await openMemoryFor(t, { backend, limits: { historyMaxBytes: 1 } });
    const direct = engine.direct as Direct;
    for (const value of ["1", "2", "3"]) await engine.put(put("a", value));
    const operation = { kind: "get", get: get("a", 2) } as const;
    backend.hold();
    const asked =
      way === "directly"
        ? direct.batch(READS, (batch) => [batch.run(operation)])
        : engine
            .batch({ operations: [operation], maxBytes: 10_000 })
            .then(({ results }) => results);
    let answered = false;
    const answer = Promise.resolve(asked).finally(() => {
      answered = true;
    });
    await engine.status();
    t.false(answered);
    backend.release();
    const [result] = await answer;
    t.is(result?.kind === "failure" && result.error.reason, "REVISION_COMPACTED");
  });
}

test("in memory there is nothing to wait for", async (t) => {
  const engine = await openMemoryFor(t);
  const direct = engine.direct as Direct;
  t.deepEqual(direct.batch(WRITES, putAndGet), [2, "true@2"]);
});

test("an entry tells where its value is", async (t) => {
  const engine = await openMemoryFor(t);
  const direct = engine.direct as Direct;
  await engine.put(put("a", "0"));
  await direct.batch(WRITES, putOne);
  const entry = await direct.batch(READS, (batch) => {
    batch.get(key, 0, 1);
    const { source, valueStart, valueEnd, ...rest } = batch.entry;
    return { ...rest, value: Buffer.from(source.bytes.subarray(valueStart, valueEnd)).toString() };
  });
  t.deepEqual(entry, {
    createRevision: 2,
    modRevision: 3,
    version: 2,
    leaseId: 0n,
    value: "1",
  });
});
