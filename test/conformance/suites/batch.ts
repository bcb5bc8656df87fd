// Batches: many operations in one message, each of them for itself.

import type { TestFn } from "ava";
import { KvdError } from "../../../server/kv/errors.js";
import type { BatchResult } from "../../../server/kv/types.js";
import {
  ALL,
  batch,
  bytes,
  del,
  get,
  key,
  op,
  plain,
  put,
  text,
  watch,
  withLease,
  withTtl,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { onlyIf } from "../../support/only-if.js";
import { openWatch, shown, takeEvents } from "../../support/take.js";

/** The results in short: kind and revision, or the reason. */
function outcomes({ results }: BatchResult): string[] {
  return results.map((result) => {
    if (result.kind === "get") return `get@${result.get.revision}`;
    if (result.kind === "put") return `put@${result.put.revision}`;
    if (result.kind === "delete") return `delete@${result.delete.revision}`;
    return result.error.reason;
  });
}

export function batchSuite(test: TestFn, open: OpenEngine): void {
  test("operations of a batch are done in order, each with a revision of its own", async (t) => {
    const engine = await open(t);
    const result = await engine.batch(
      batch([op.put(put("a")), op.put(put("b")), op.delete(del("a")), op.put(put("c"))]),
    );
    t.deepEqual(outcomes(result), ["put@2", "put@3", "delete@4", "put@5"]);
    t.is(result.revision, 5);
  });

  test("every operation of a batch sees the ones before it", async (t) => {
    const engine = await open(t);
    const { results } = await engine.batch(
      batch([
        op.get(get("a")),
        op.put(put("a", "1")),
        op.get(get("a")),
        op.put(put("a", "2", { expectedModRevision: 2, returnPrevious: true })),
        op.delete(del("a", { returnPrevious: true })),
        op.get(get("a")),
      ]),
    );
    const [none, , one, two, gone, last] = results;
    t.is(none?.kind === "get" && none.get.entry, undefined);
    t.is(one?.kind === "get" && one.get.entry && text(one.get.entry.value), "1");
    t.is(two?.kind === "put" && two.put.previous && text(two.put.previous.value), "1");
    t.deepEqual(gone?.kind === "delete" && gone.delete.previous.map(plain), [
      { key: "a", value: "2", createRevision: 2, modRevision: 3, version: 2, leaseId: 0n },
    ]);
    t.is(last?.kind === "get" && last.get.entry, undefined);
  });

  test("one key can be written many times in a batch", async (t) => {
    const engine = await open(t);
    await engine.batch(
      batch(Array.from({ length: 50 }, (_, index) => op.put(put("a", `${index}`)))),
    );
    const { entry } = await engine.get(get("a"));
    t.deepEqual([entry?.version, entry?.modRevision], [50, 51]);
  });

  test("what fails in a batch does not stop the rest and changes nothing", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const result = await engine.batch(
      batch([
        op.put(put("a", "no", { expectedModRevision: 0 })),
        op.put(put("b")),
        op.put(put("c", "", { lease: withLease(404n) })),
        op.delete(del("a", { expectedModRevision: 9 })),
        op.get(get("a", 99)),
        op.put(put("d")),
      ]),
    );
    t.deepEqual(outcomes(result), [
      "PRECONDITION_FAILED",
      "put@3",
      "LEASE_NOT_FOUND",
      "PRECONDITION_FAILED",
      "REVISION_FUTURE",
      "put@4",
    ]);
    const [first, , , fourth] = result.results;
    t.is(first?.kind === "failure" && first.error.details.modRevision, 2);
    t.is(fourth?.kind === "failure" && fourth.error.details.modRevision, 2);
    t.is(result.revision, 4);
  });

  test("a failed precondition of an absent key tells mod revision 0", async (t) => {
    const engine = await open(t);
    const command = put("a", "", { expectedModRevision: 4 });
    const [failed] = (await engine.batch(batch([op.put(command)]))).results;
    t.is(failed?.kind === "failure" && failed.error.details.modRevision, 0);
  });

  test("a batch of gets makes no revision", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.put(put("a", "2"));
    const { revision, results } = await engine.batch(
      batch([op.get(get("a")), op.get(get("a", 2)), op.get(get("x"))]),
    );
    t.is(revision, 3);
    const values = results.map(
      (result) => result.kind === "get" && result.get.entry && text(result.get.entry.value),
    );
    t.deepEqual(values, ["2", "1", undefined]);
  });

  test("deletes of a batch that find nothing make no revision", async (t) => {
    const engine = await open(t);
    const result = await engine.batch(batch([op.delete(del("a")), op.put(put("a"))]));
    t.deepEqual(outcomes(result), ["delete@1", "put@2"]);
  });

  test("an empty batch answers the current revision", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    t.deepEqual(await engine.batch(batch([])), { revision: 2, results: [] });
  });

  test("16,384 operations are done in one batch", async (t) => {
    const engine = await open(t);
    const operations = Array.from({ length: 16_384 }, (_, index) => op.put(put(`key${index}`)));
    const { revision, results } = await engine.batch(batch(operations));
    t.deepEqual([revision, results.length], [16_385, 16_384]);
    t.is((await engine.status()).keys, 16_384);
  });

  test("the writes of a batch come to watches each as a revision", async (t) => {
    const engine = await open(t);
    const watcher = await openWatch(engine, watch(ALL));
    await engine.batch(batch([op.put(put("a")), op.put(put("b")), op.delete(del("a"))]));
    const events = await takeEvents(watcher, 3);
    t.deepEqual(events.map(shown), ["put a@2", "put b@3", "delete a@4"]);
    watcher.close();
  });

  test("puts of a batch can have a time to live of their own", async (t) => {
    const engine = await open(t);
    const { results } = await engine.batch(
      batch([op.put(put("a", "", { lease: withTtl(5000) })), op.put(put("b"))]),
    );
    const [first] = results;
    t.is(first?.kind === "put" && first.put.ttlMs, 5000);
    t.is((await engine.status()).leases, 1);
  });

  test("a result that does not fit the answer fails alone, and is not applied", async (t) => {
    const responseMaxBytes = 64 * 1024;
    const engine = await open(t, { limits: { responseMaxBytes } });
    const value = new Uint8Array(16 * 1024);
    const keys = Array.from({ length: 8 }, (_, index) => `key${index}`);
    for (const each of keys) await engine.put(put(each, value));
    const { results, revision } = await engine.batch(
      batch(
        [
          ...keys.map((each) => op.get(get(each))),
          op.put(put("key0", "", { returnPrevious: true })),
          op.delete(del("key1", { returnPrevious: true, maxBytes: responseMaxBytes })),
          op.put(put("key2", "written")),
          op.get(get("absent")),
        ],
        responseMaxBytes,
      ),
    );
    const kinds = results.map((result) =>
      result.kind === "failure" ? result.error.reason : result.kind,
    );
    const fitting = kinds.indexOf("RESULT_TOO_LARGE");
    t.true(fitting >= 2 && fitting <= 4);
    t.deepEqual(kinds.slice(0, 10), [
      ...Array(fitting).fill("get"),
      ...Array(10 - fitting).fill("RESULT_TOO_LARGE"),
    ]);
    t.deepEqual(kinds.slice(10), ["put", "get"]);
    t.is(revision, 10);
    t.is((await engine.get(get("key0"))).entry?.value.length, value.length);
    t.is((await engine.get(get("key1"))).entry?.value.length, value.length);
  });

  onlyIf(open.traits.takesRefusedOperations, test)(
    "an operation that its caller has refused keeps its place as a failure",
    async (t) => {
      const engine = await open(t);
      const error = new KvdError("KEY_EMPTY", "refused before");
      const result = await engine.batch(
        batch([
          op.put(put("a")),
          { kind: "refused", error, isWrite: true },
          op.delete(del(key(bytes("a")))),
        ]),
      );
      t.deepEqual(outcomes(result), ["put@2", "KEY_EMPTY", "delete@3"]);
    },
  );
}
