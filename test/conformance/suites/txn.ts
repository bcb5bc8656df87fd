// Txns: one revision for all, each operation after the ones before it, all or nothing.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import type { Operation, OperationResult, TxnCommand } from "../../../server/kv/types.js";
import {
  ALL,
  del,
  get,
  interval,
  keysOf,
  op,
  plain,
  prefix,
  put,
  range,
  TXN_OPTIONS,
  text,
  txn,
  watch,
  withLease,
  withTtl,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { refusedUnchanged } from "../../support/refused.js";
import { openWatch, shown, takeOne } from "../../support/take.js";

const run = (engine: Engine, command: Partial<TxnCommand>) => engine.txn(txn(command), TXN_OPTIONS);

/** The result of one kind at a place. */
function resultAt<Kind extends OperationResult["kind"]>(
  results: readonly OperationResult[],
  index: number,
  kind: Kind,
): Extract<OperationResult, { kind: Kind }> {
  const result = results[index];
  if (result?.kind === kind) return result as Extract<OperationResult, { kind: Kind }>;
  throw new Error(`result ${index} is ${result?.kind}, not ${kind}`);
}

const DUPLICATES: readonly (readonly [what: string, readonly Operation[]])[] = [
  ["two puts of one key", [op.put(put("a")), op.put(put("a"))]],
  ["a put and then a delete of its key", [op.put(put("a")), op.delete(del("a"))]],
  ["a delete of a key and then its put", [op.delete(del("a")), op.put(put("a"))]],
  ["a put and a delete of its prefix", [op.put(put("ab")), op.delete(del(prefix("a")))]],
  ["a put and a delete of all", [op.delete(del(ALL)), op.put(put("ab"))]],
  [
    "a put at the start of a deleted interval",
    [op.put(put("a")), op.delete(del(interval("a", "b")))],
  ],
  [
    "a put in an interval without an end",
    [op.put(put("z")), op.delete(del(interval("a", undefined)))],
  ],
  ["two puts with something between", [op.put(put("a")), op.get(get("a")), op.put(put("a"))]],
];

const NO_DUPLICATES: readonly (readonly [what: string, Partial<TxnCommand>])[] = [
  ["puts of other keys", { success: [op.put(put("a")), op.put(put("a\0"))] }],
  [
    "a put at the end of a deleted interval",
    { success: [op.put(put("b")), op.delete(del(interval("a", "b")))] },
  ],
  ["a put beside a deleted prefix", { success: [op.put(put("b")), op.delete(del(prefix("a")))] }],
  [
    "a put and an interval of no width",
    { success: [op.put(put("b")), op.delete(del(interval("b", "b")))] },
  ],
  ["the same put in both branches", { success: [op.put(put("a"))], failure: [op.put(put("a"))] }],
  [
    "a put here and a delete there",
    { success: [op.put(put("a"))], failure: [op.delete(del(ALL))] },
  ],
  [
    "deletes that overlap",
    { success: [op.delete(del("a")), op.delete(del(prefix("a"))), op.delete(del(ALL))] },
  ],
];

export function txnSuite(test: TestFn, open: OpenEngine): void {
  test("what a txn or a delete looks at in one go is bounded", async (t) => {
    const engine = await open(t, { limits: { turnMaxVisits: 1000 } });
    for (let index = 0; index < 400; index += 1) await engine.put(put(`key${1000 + index}`));
    const count = op.range(range(ALL, { count: "only" }));
    const compare = {
      selector: ALL,
      target: { kind: "exists", value: true },
      relation: "equal",
    } as const;
    t.true((await run(engine, { success: [count, count] })).succeeded);
    t.true((await run(engine, { compares: [compare, compare] })).succeeded);
    for (const command of [
      { success: [count, count, count] },
      { compares: [compare, compare, compare] },
      { compares: [compare], success: [op.put(put("new")), count, count] },
      { compares: [compare, compare], success: [op.delete(del(ALL))] },
    ]) {
      const error = await refusedUnchanged(t, "TOO_MANY_KEYS", engine, () => run(engine, command));
      t.regex(error.message, /1000 keys.*--turn-max-visits/);
    }
    t.is((await engine.delete(del(ALL))).deleted, 400);
  });

  test("all changes of a txn share one revision", async (t) => {
    const engine = await open(t);
    await engine.put(put("old"));
    const { revision, succeeded, results } = await run(engine, {
      success: [op.put(put("a")), op.delete(del("old")), op.put(put("b"))],
    });
    t.deepEqual([revision, succeeded], [3, true]);
    t.is(resultAt(results, 0, "put").put.revision, 3);
    t.is(resultAt(results, 1, "delete").delete.revision, 3);
    const { entries } = await engine.range(range(ALL));
    t.deepEqual(
      entries.map(({ modRevision }) => modRevision),
      [3, 3],
    );
    t.is((await engine.status()).revision, 3);
  });

  test("the events of a txn come in one message, in the order of its operations", async (t) => {
    const engine = await open(t);
    await engine.put(put("m"));
    const watcher = await openWatch(engine, watch(ALL));
    await run(engine, { success: [op.put(put("z")), op.delete(del("m")), op.put(put("a"))] });
    const { events, revision } = await takeOne(watcher, "events");
    t.deepEqual(events.map(shown), ["put z@3", "delete m@3", "put a@3"]);
    t.is(revision, 3);
    watcher.close();
  });

  test("a txn that changes nothing makes no revision and answers the current one", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    for (const success of [
      [],
      [op.get(get("a")), op.range(range(ALL))],
      [op.delete(del("x")), op.delete(del(prefix("y")))],
      [op.txn({ success: [op.get(get("a"))] })],
    ]) {
      const { revision, results } = await run(engine, { success });
      t.deepEqual([revision, results.length], [2, success.length]);
    }
    t.is((await engine.status()).revision, 2);
  });

  test("there is one result for each operation of the branch that ran, of its kind", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const { results } = await run(engine, {
      success: [
        op.get(get("a")),
        op.put(put("b")),
        op.range(range(ALL)),
        op.delete(del("a")),
        op.txn({}),
      ],
    });
    t.deepEqual(
      results.map(({ kind }) => kind),
      ["get", "put", "range", "delete", "txn"],
    );
  });

  test("reads see the puts and deletes before them, at the new revision", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.put(put("b", "1"));
    const { results } = await run(engine, {
      success: [
        op.get(get("c")),
        op.put(put("c", "new")),
        op.get(get("c")),
        op.delete(del("a")),
        op.get(get("a")),
        op.range(range(ALL)),
      ],
    });
    t.is(resultAt(results, 0, "get").get.entry, undefined);
    t.is(resultAt(results, 0, "get").get.revision, 3, "nothing has changed yet");
    const seen = resultAt(results, 2, "get").get;
    t.deepEqual(
      [seen.entry && plain(seen.entry), seen.revision],
      [{ key: "c", value: "new", createRevision: 4, modRevision: 4, version: 1, leaseId: 0n }, 4],
    );
    t.is(resultAt(results, 4, "get").get.entry, undefined);
    t.deepEqual(keysOf(resultAt(results, 5, "range").range.entries), ["b", "c"]);
  });

  test("deletes see the deletes before them", async (t) => {
    const engine = await open(t);
    for (const key of ["a1", "a2", "b"]) await engine.put(put(key));
    const { results } = await run(engine, {
      success: [op.delete(del("a1")), op.delete(del(prefix("a"))), op.delete(del(ALL))],
    });
    t.deepEqual(
      [0, 1, 2].map((index) => resultAt(results, index, "delete").delete.deleted),
      [1, 1, 1],
    );
  });

  test("a precondition sees what was done before it in the txn", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const { revision } = await run(engine, {
      success: [op.delete(del("a")), op.delete(del("a", { expectedModRevision: 0 }))],
    });
    t.is(revision, 3);
  });

  test("reads at a past revision see the past, also after changes of the txn", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.put(put("a", "2"));
    const { results } = await run(engine, {
      success: [
        op.put(put("a", "3")),
        op.get(get("a", 2)),
        op.range(range(ALL, { revision: 3 })),
        op.get(get("a")),
      ],
    });
    const past = resultAt(results, 1, "get").get;
    t.deepEqual([past.entry && text(past.entry.value), past.revision], ["1", 2]);
    const listed = resultAt(results, 2, "range").range;
    t.deepEqual([listed.entries.map(({ value }) => text(value)), listed.revision], [["2"], 3]);
    const now = resultAt(results, 3, "get").get;
    t.is(now.entry && text(now.entry.value), "3");
    if (!open.traits.tellsCurrentRevision) return;
    t.deepEqual([past.currentRevision, listed.currentRevision, now.currentRevision], [4, 4, 4]);
  });

  test("the revision that the txn is about to make cannot be named in it", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    for (const read of [op.get(get("a", 3)), op.range(range(ALL, { revision: 3 }))]) {
      const error = await refusedUnchanged(t, "REVISION_FUTURE", engine, () =>
        run(engine, { success: [op.put(put("b")), read] }),
      );
      t.deepEqual([error.details.revision, error.details.operation], [2, "success[1]"]);
    }
  });

  test("a read below the compact revision aborts the txn", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    await engine.put(put("a"));
    await engine.compact({ revision: 3 });
    for (const read of [op.get(get("a", 2)), op.range(range(ALL, { revision: 2 }))]) {
      const error = await refusedUnchanged(t, "REVISION_COMPACTED", engine, () =>
        run(engine, { success: [op.put(put("b")), read] }),
      );
      t.deepEqual([error.details.compactRevision, error.details.operation], [3, "success[1]"]);
    }
  });

  test("puts and deletes of a txn give the entries before when they are asked for", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.put(put("b", "2"));
    const { results } = await run(engine, {
      success: [
        op.put(put("a", "3", { returnPrevious: true })),
        op.delete(del("b", { returnPrevious: true })),
      ],
    });
    t.is(resultAt(results, 0, "put").put.previous?.modRevision, 2);
    t.deepEqual(keysOf(resultAt(results, 1, "delete").delete.previous), ["b"]);
  });

  test("a limited delete of a txn takes the lowest keys", async (t) => {
    const engine = await open(t);
    for (const key of ["c", "a", "b"]) await engine.put(put(key));
    const { results } = await run(engine, { success: [op.delete(del(ALL, { limit: 2 }))] });
    const { deleted, more } = resultAt(results, 0, "delete").delete;
    t.deepEqual([deleted, more], [2, true]);
    t.deepEqual(keysOf((await engine.range(range(ALL))).entries), ["c"]);
  });

  test("a range of a txn lists in both orders, folds, counts, and with a limit says more", async (t) => {
    const engine = await open(t);
    for (const key of ["a", "g/1", "g/2", "z"]) await engine.put(put(key));
    const { results } = await run(engine, {
      success: [
        op.range(range(ALL, { delimiter: "/" })),
        op.range(range(ALL, { order: "descending", limit: 1 })),
        op.range(range(ALL, { count: "only" })),
        op.range(range(ALL, { keysOnly: true })),
      ],
    });
    const folded = resultAt(results, 0, "range").range;
    t.deepEqual([keysOf(folded.entries), folded.prefixes.map(text)], [["a", "z"], ["g/"]]);
    const limited = resultAt(results, 1, "range").range;
    t.deepEqual([keysOf(limited.entries), limited.more], [["z"], true]);
    t.is(resultAt(results, 2, "range").range.count, 4);
    t.is(resultAt(results, 3, "range").range.entries.length, 4);
  });

  for (const [what, success] of DUPLICATES) {
    test(`a txn that could write a key twice is refused: ${what}`, async (t) => {
      const engine = await open(t);
      await engine.put(put("a", "before"));
      await refusedUnchanged(t, "DUPLICATE_KEY", engine, () => run(engine, { success }));
      await refusedUnchanged(t, "DUPLICATE_KEY", engine, () =>
        run(engine, { success: [], failure: success }),
      );
    });
  }

  for (const [what, command] of NO_DUPLICATES) {
    test(`a txn that writes no key twice is done: ${what}`, async (t) => {
      const engine = await open(t);
      await engine.put(put("a"));
      t.true((await run(engine, command)).succeeded);
    });
  }

  test("a txn that fails in the middle has done nothing, to keys or leases", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.put(put("b", "1", { lease: withTtl(60_000) }));
    const before: readonly Operation[] = [
      op.put(put("a", "2")),
      op.put(put("c", "", { lease: withTtl(60_000) })),
      op.delete(del("b")),
    ];
    const error = await refusedUnchanged(t, "PRECONDITION_FAILED", engine, () =>
      run(engine, { success: [...before, op.put(put("d", "", { expectedModRevision: 9 }))] }),
    );
    t.is(error.details.operation, "success[3]");
    t.is(error.details.modRevision, 0);
    await refusedUnchanged(t, "LEASE_NOT_FOUND", engine, () =>
      run(engine, { success: [...before, op.put(put("d", "", { lease: withLease(404n) }))] }),
    );
    const again = await run(engine, { success: before });
    t.deepEqual([again.succeeded, again.revision], [true, 4]);
  });

  test("what fails in the branch of failure is told with its path", async (t) => {
    const engine = await open(t);
    const error = await refusedUnchanged(t, "PRECONDITION_FAILED", engine, () =>
      run(engine, {
        compares: [{ selector: ALL, relation: "equal", target: { kind: "exists", value: true } }],
        failure: [op.put(put("a")), op.delete(del("b", { expectedModRevision: 1 }))],
      }),
    );
    t.is(error.details.operation, "failure[1]");
  });

  test("what would fail in the branch that does not run does not matter", async (t) => {
    const engine = await open(t);
    const { succeeded } = await run(engine, {
      success: [op.put(put("a"))],
      failure: [op.put(put("b", "", { expectedModRevision: 9 })), op.get(get("c", 99))],
    });
    t.true(succeeded);
  });

  test("results that do not fit the answer abort the txn, also those after changes", async (t) => {
    const responseMaxBytes = 32 * 1024;
    const engine = await open(t, { limits: { responseMaxBytes } });
    for (let index = 0; index < 10; index += 1) {
      await engine.put(put(`key${index}`, new Uint8Array(8 * 1024)));
    }
    const maxBytes = responseMaxBytes;
    for (const reads of [
      [op.range(range(ALL, { maxBytes }))],
      [0, 1, 2, 3, 4].map((index) => op.get(get(`key${index}`))),
      [op.delete(del(prefix("key"), { returnPrevious: true, maxBytes }))],
      [0, 1, 2, 3, 4].map((index) => op.put(put(`key${index}`, "", { returnPrevious: true }))),
    ]) {
      const error = await refusedUnchanged(t, "RESULT_TOO_LARGE", engine, () =>
        engine.txn(txn({ success: [op.put(put("new")), ...reads] }), { maxBytes }),
      );
      t.regex(error.details.operation ?? "", /^success\[[1-5]\]$/);
    }
    const some = txn({ success: [op.range(range(ALL, { limit: 2, maxBytes }))] });
    t.is((await engine.txn(some, { maxBytes })).results.length, 1);
  });

  test("a delete of more keys than it may aborts the txn", async (t) => {
    const engine = await open(t, { limits: { deleteMaxKeys: 2 } });
    for (const key of ["a", "b", "c"]) await engine.put(put(key));
    const error = await refusedUnchanged(t, "TOO_MANY_KEYS", engine, () =>
      run(engine, {
        success: [op.put(put("new")), op.delete(del(interval("a", "d"), { maxKeys: 2 }))],
      }),
    );
    t.is(error.details.operation, "success[1]");
  });

  test("a txn of 1,024 operations is one revision", async (t) => {
    const engine = await open(t);
    const success = Array.from({ length: 1024 }, (_, index) => op.put(put(`key${index}`)));
    const { revision, results } = await run(engine, { success });
    t.deepEqual([revision, results.length], [2, 1024]);
    t.is((await engine.status()).keys, 1024);
  });

  test("txns that raise a counter at once lose no step", async (t) => {
    const engine = await open(t);
    await engine.put(put("counter", "0"));
    const raise = async (): Promise<void> => {
      for (;;) {
        const { entry } = await engine.get(get("counter"));
        const { succeeded } = await run(engine, {
          compares: [
            {
              selector: { kind: "key", key: Buffer.from("counter") },
              relation: "equal",
              target: { kind: "modRevision", value: entry?.modRevision ?? 0 },
            },
          ],
          success: [
            op.put(put("counter", `${Number(text(entry?.value ?? Buffer.from("0"))) + 1}`)),
          ],
        });
        if (succeeded) return;
      }
    };
    await Promise.all(Array.from({ length: 10 }, raise));
    const { entry } = await engine.get(get("counter"));
    t.deepEqual([entry && text(entry.value), entry?.version], ["10", 11]);
  });
}
