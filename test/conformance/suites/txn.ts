// Txns and batches.

import type { Compare } from "../../../server/kv/types.js";
import {
  all,
  batchOf,
  bytes,
  keysOf,
  one,
  op,
  prefix,
  put,
  rangeOf,
  refused,
  type Suite,
  TXN,
  text,
  txnOf,
  valueAt,
} from "../suite.js";

const compare = (
  selector: Compare["selector"],
  target: Compare["target"],
  relation: Compare["relation"] = "equal",
): Compare => ({ selector, relation, target });
const exists = (key: string, value = true) => compare(one(key), { kind: "exists", value });
const valueIs = (key: string, value: string, relation?: Compare["relation"]) =>
  compare(one(key), { kind: "value", value: bytes(value) }, relation);

export const txnSuite: Suite = (test, open) => {
  test("a txn's changes share one revision, and its answer tells each operation's", async (t) => {
    const { engine } = await open(t);
    await put(engine, "old");
    const success = [op.put("a", "1"), op.delete(one("old")), op.get("a"), op.range(all)];
    const result = await engine.txn(txnOf({ success }), TXN);
    t.true(result.succeeded);
    t.is(result.revision, 3);
    const [first, second, third, fourth] = result.results;
    t.is(first?.kind === "put" && first.put.revision, 3);
    t.is(second?.kind === "delete" && second.delete.deleted, 1);
    t.is(third?.kind === "get" && third.get.entry?.modRevision, 3);
    t.deepEqual(fourth?.kind === "range" && keysOf(fourth.range), ["a"]);
  });

  test("a txn that changes nothing makes no revision", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    const success = [op.get("a"), op.delete(one("b"))];
    t.is((await engine.txn(txnOf({ success }), TXN)).revision, 2);
    t.is((await engine.txn(txnOf({}), TXN)).revision, 2);
  });

  test("the failure branch runs when a compare does not hold", async (t) => {
    const { engine } = await open(t);
    const txn = txnOf({
      compares: [exists("a")],
      success: [op.put("s")],
      failure: [op.put("f")],
    });
    t.false((await engine.txn(txn, TXN)).succeeded);
    t.deepEqual(keysOf(await engine.range(rangeOf(all))), ["f"]);
  });

  const stored: [string, Compare, boolean][] = [
    ["version = 2", compare(one("a"), { kind: "version", value: 2 }), true],
    ["version > 2", compare(one("a"), { kind: "version", value: 2 }, "greater"), false],
    ["version < 3", compare(one("a"), { kind: "version", value: 3 }, "less"), true],
    ["create revision = 2", compare(one("a"), { kind: "createRevision", value: 2 }), true],
    ["mod revision = 3", compare(one("a"), { kind: "modRevision", value: 3 }), true],
    ["mod revision ≠ 3", compare(one("a"), { kind: "modRevision", value: 3 }, "not-equal"), false],
    ["value = v2", valueIs("a", "v2"), true],
    ["value < v3", valueIs("a", "v3", "less"), true],
    ["value > v3", valueIs("a", "v3", "greater"), false],
    ["lease = 0", compare(one("a"), { kind: "leaseId", value: 0n }), true],
    ["exists", exists("a"), true],
    ["does not exist", exists("a", false), false],
    ["absent: version = 0", compare(one("x"), { kind: "version", value: 0 }), true],
    [
      "absent: mod revision < 1",
      compare(one("x"), { kind: "modRevision", value: 1 }, "less"),
      true,
    ],
    ["absent: lease ≠ 0", compare(one("x"), { kind: "leaseId", value: 0n }, "not-equal"), false],
    ["absent: value = empty", valueIs("x", ""), false],
    ["absent: value ≠ something", valueIs("x", "y", "not-equal"), false],
    ["absent: value < something", valueIs("x", "y", "less"), false],
    ["absent: does not exist", exists("x", false), true],
    ["a range: all keys fit", compare(prefix("a"), { kind: "version", value: 0 }, "greater"), true],
    ["a range: one key does not", compare(prefix("a"), { kind: "version", value: 2 }), false],
    ["an empty range: version = 0", compare(prefix("x"), { kind: "version", value: 0 }), true],
    ["an empty range: value", compare(prefix("x"), { kind: "value", value: bytes("") }), false],
    ["an empty range does not exist", compare(prefix("x"), { kind: "exists", value: false }), true],
  ];

  test("compares hold as the contract says", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a", "v1");
    await put(engine, "a", "v2");
    await put(engine, "ab", "w");
    for (const [title, each, holds] of stored) {
      const { succeeded } = await engine.txn(txnOf({ compares: [each] }), TXN);
      t.is(succeeded, holds, title);
    }
  });

  test("all compares must hold, nested ones see the state before the txn", async (t) => {
    const { engine } = await open(t);
    const nested = op.txn({
      compares: [exists("a", false)],
      success: [op.put("nested", "saw nothing")],
      failure: [op.put("nested", "saw the put")],
    });
    await engine.txn(txnOf({ success: [op.put("a"), nested] }), TXN);
    t.is(await valueAt(engine, "nested"), "saw nothing");
    const both = txnOf({ compares: [exists("a"), exists("b")] });
    t.false((await engine.txn(both, TXN)).succeeded);
  });

  test("what fails inside aborts the whole txn and tells its path", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a", "before");
    const nested = op.txn({
      compares: [exists("nothing")],
      failure: [op.get("a"), op.put("c", "x", { expectedModRevision: 9 })],
    });
    const success = [op.put("a", "after"), op.delete(one("b")), nested];
    const error = await refused(t, engine.txn(txnOf({ success }), TXN), "PRECONDITION_FAILED");
    t.is(error.details.operation, "success[2].txn.failure[1]");
    t.is(await valueAt(engine, "a"), "before");
    t.is((await engine.status()).revision, 2);
  });

  test("a put with a lease that is not there aborts the txn", async (t) => {
    const { engine } = await open(t);
    const lease = { kind: "lease", id: 77n, maxKeys: 10 } as const;
    const success = [
      op.put("a", "1", { lease: { kind: "ttl", ttlMs: 5000 } }),
      op.put("b", "2", { lease }),
    ];
    const error = await refused(t, engine.txn(txnOf({ success }), TXN), "LEASE_NOT_FOUND");
    t.is(error.details.operation, "success[1]");
    const { keys, leases, revision } = await engine.status();
    t.deepEqual([keys, leases, revision], [0, 0, 1]);
  });

  test("operations see what the ones before them did, also to the precondition", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    const success = [
      op.delete(one("a")),
      op.delete(one("a"), { expectedModRevision: 0 }),
      op.get("a"),
    ];
    const { results } = await engine.txn(txnOf({ success }), TXN);
    const last = results[2];
    t.is(last?.kind === "get" && last.get.entry, undefined);
  });

  test("a txn that could write a key twice is refused whole", async (t) => {
    const { engine } = await open(t);
    const twice = txnOf({ success: [op.put("a"), op.put("a")] });
    await refused(t, engine.txn(twice, TXN), "DUPLICATE_KEY");
    const covered = txnOf({ success: [op.put("a"), op.delete(all)] });
    await refused(t, engine.txn(covered, TXN), "DUPLICATE_KEY");
    const apart = txnOf({ success: [op.put("a")], failure: [op.put("a")] });
    t.true((await engine.txn(apart, TXN)).succeeded);
  });

  test("a range in a txn that does not fit its answer aborts it", async (t) => {
    const { engine } = await open(t);
    for (const key of ["a", "b", "c", "d", "e"]) await put(engine, key, "x".repeat(1_000_000));
    const success = [op.put("new"), op.range(all)];
    const error = await refused(t, engine.txn(txnOf({ success }), TXN), "RESULT_TOO_LARGE");
    t.is(error.details.operation, "success[1]");
    t.is(await valueAt(engine, "new"), undefined);
    const limited = txnOf({ success: [op.range(all, { limit: 2 })] });
    const [result] = (await engine.txn(limited, TXN)).results;
    t.deepEqual(result?.kind === "range" && [keysOf(result.range), result.range.more], [
      ["a", "b"],
      true,
    ]);
  });

  test("reads at past revisions inside a txn see the past", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a", "1");
    await put(engine, "a", "2");
    const success = [op.put("a", "3"), op.get("a", 2), op.get("a")];
    const { results } = await engine.txn(txnOf({ success }), TXN);
    const values = results.map((result) => result.kind === "get" && text(result.get.entry?.value));
    t.deepEqual(values, [false, "1", "3"]);
    const future = txnOf({ success: [op.put("b"), op.get("a", 5)] });
    await refused(t, engine.txn(future, TXN), "REVISION_FUTURE");
  });

  test("a batch runs in order, each operation alone with its own revision", async (t) => {
    const { engine } = await open(t);
    const result = await engine.batch(
      batchOf([
        op.put("a", "1"),
        op.get("a"),
        op.put("a", "2", { expectedModRevision: 9 }),
        op.delete(one("a")),
        op.get("a"),
      ]),
    );
    t.is(result.revision, 3);
    const [first, second, third, fourth, fifth] = result.results;
    t.is(first?.kind === "put" && first.put.revision, 2);
    t.is(second?.kind === "get" && text(second.get.entry?.value), "1");
    t.is(third?.kind === "failure" && third.error.reason, "PRECONDITION_FAILED");
    t.is(third?.kind === "failure" && third.error.details.modRevision, 2);
    t.is(fourth?.kind === "delete" && fourth.delete.deleted, 1);
    t.is(fifth?.kind === "get" && fifth.get.entry, undefined);
  });

  test("a result that would overfill a batch's answer fails alone, before it is applied", async (t) => {
    const { engine } = await open(t);
    for (const key of ["a", "b", "c", "d"]) await put(engine, key, "x".repeat(1_400_000));
    const returnPrevious = true;
    const result = await engine.batch(
      batchOf([
        op.get("a"),
        op.get("b"),
        op.get("c"),
        op.put("d", "small", { returnPrevious }),
        op.put("e", "small"),
      ]),
    );
    const kinds = result.results.map((each) =>
      each.kind === "failure" ? each.error.reason : each.kind,
    );
    t.deepEqual(kinds, ["get", "get", "RESULT_TOO_LARGE", "RESULT_TOO_LARGE", "put"]);
    t.is((await valueAt(engine, "d"))?.length, 1_400_000);
  });

  test("an empty batch answers the revision", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    t.deepEqual(await engine.batch(batchOf([])), { revision: 2, results: [] });
  });
};
