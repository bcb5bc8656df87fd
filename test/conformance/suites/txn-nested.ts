// Txns inside of txns.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import type { Operation, TxnCommand, TxnResult } from "../../../server/kv/types.js";
import {
  ALL,
  absent,
  del,
  exists,
  get,
  keysOf,
  op,
  put,
  range,
  TXN_OPTIONS,
  text,
  txn,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { refusedUnchanged } from "../../support/refused.js";

const run = (engine: Engine, command: Partial<TxnCommand>) => engine.txn(txn(command), TXN_OPTIONS);

function nestedAt({ results }: TxnResult, index: number): TxnResult {
  const result = results[index];
  if (result?.kind !== "txn") throw new Error(`result ${index} is ${result?.kind}`);
  return result.txn;
}

/** An operation so many txns deep: 0 is itself. */
function deep(operation: Operation, levels: number): Operation {
  return levels === 0 ? operation : op.txn({ success: [deep(operation, levels - 1)] });
}

const DUPLICATES: readonly (readonly [what: string, readonly Operation[]])[] = [
  ["a put outside and the same inside", [op.put(put("a")), deep(op.put(put("a")), 1)]],
  ["a put inside and the same after it", [deep(op.put(put("a")), 2), op.put(put("a"))]],
  ["the same put in two txns side by side", [deep(op.put(put("a")), 1), deep(op.put(put("a")), 1)]],
  ["a put outside and a delete of all inside", [op.put(put("a")), deep(op.delete(del(ALL)), 1)]],
  ["a delete outside that covers a put inside", [op.delete(del(ALL)), deep(op.put(put("a")), 3)]],
  [
    "a put outside and the same in a branch that cannot hold",
    [op.put(put("a")), op.txn({ success: [], failure: [op.put(put("a"))] })],
  ],
  [
    "the same put in the success of one and the failure of another",
    [op.txn({ success: [op.put(put("a"))] }), op.txn({ failure: [op.put(put("a"))] })],
  ],
];

export function txnNestedSuite(test: TestFn, open: OpenEngine): void {
  test("a nested txn chooses its branch by the state before the outer one", async (t) => {
    const engine = await open(t);
    await engine.put(put("b"));
    const result = await run(engine, {
      success: [
        op.put(put("a")),
        op.delete(del("b")),
        op.txn({
          compares: [absent("a"), exists("b")],
          success: [op.put(put("saw", "before"))],
          failure: [op.put(put("saw", "after"))],
        }),
      ],
    });
    t.true(nestedAt(result, 2).succeeded);
    const { entry } = await engine.get(get("saw"));
    t.is(entry && text(entry.value), "before");
  });

  test("the compares of the innermost txn see that state too", async (t) => {
    const engine = await open(t);
    const innermost = op.txn({ compares: [absent("a")], success: [op.put(put("yes"))] });
    await run(engine, { success: [op.put(put("a")), deep(innermost, 5)] });
    t.deepEqual(keysOf((await engine.range(range(ALL))).entries), ["a", "yes"]);
  });

  test("operations of a nested txn see those before it, and those after it see its own", async (t) => {
    const engine = await open(t);
    const result = await run(engine, {
      success: [
        op.put(put("a", "outer")),
        op.txn({ success: [op.get(get("a")), op.put(put("b", "inner"))] }),
        op.get(get("b")),
      ],
    });
    const [inner] = nestedAt(result, 1).results;
    t.is(inner?.kind === "get" && inner.get.entry && text(inner.get.entry.value), "outer");
    const last = result.results[2];
    t.is(last?.kind === "get" && last.get.entry && text(last.get.entry.value), "inner");
  });

  test("nested txns share the revision of the outer one", async (t) => {
    const engine = await open(t);
    const result = await run(engine, {
      success: [deep(op.put(put("a")), 3), op.put(put("b")), deep(op.put(put("c")), 1)],
    });
    t.is(result.revision, 2);
    t.is(nestedAt(result, 0).revision, 2);
    t.is(nestedAt(result, 2).revision, 2);
    const { entries } = await engine.range(range(ALL));
    t.deepEqual(
      entries.map(({ modRevision }) => modRevision),
      [2, 2, 2],
    );
  });

  test("a nested txn answers its branch and its results as an outer one does", async (t) => {
    const engine = await open(t);
    const result = await run(engine, {
      compares: [exists("x")],
      failure: [
        op.txn({
          compares: [exists("y")],
          success: [op.put(put("no"))],
          failure: [op.get(get("z")), op.txn({}), op.range(range(ALL))],
        }),
      ],
    });
    const nested = nestedAt(result, 0);
    t.deepEqual([result.succeeded, nested.succeeded], [false, false]);
    t.deepEqual(
      nested.results.map(({ kind }) => kind),
      ["get", "txn", "range"],
    );
    t.deepEqual(nestedAt(nested, 1), { revision: 1, succeeded: true, results: [] });
    t.is(result.revision, 1);
  });

  test("8 levels of txns are done", async (t) => {
    const engine = await open(t);
    let result = await run(engine, { success: [deep(op.put(put("a")), 7)] });
    for (let level = 0; level < 7; level += 1) result = nestedAt(result, 0);
    t.is(result.results[0]?.kind, "put");
    t.is((await engine.status()).keys, 1);
  });

  for (const [what, success] of DUPLICATES) {
    test(`a key that could be written twice over levels is refused: ${what}`, async (t) => {
      const engine = await open(t);
      await engine.put(put("b"));
      await refusedUnchanged(t, "DUPLICATE_KEY", engine, () => run(engine, { success }));
    });
  }

  test("both branches of a nested txn may write the same key", async (t) => {
    const engine = await open(t);
    const either = op.txn({ success: [op.put(put("a"))], failure: [op.put(put("a"))] });
    const cleared = op.txn({ success: [op.put(put("b"))], failure: [op.delete(del("b"))] });
    t.is((await run(engine, { success: [either, cleared] })).revision, 2);
  });

  test("what fails inside aborts all of it and is told with its whole path", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    const fails = op.put(put("z", "", { expectedModRevision: 5 }));
    const cases: readonly (readonly [string, Partial<TxnCommand>])[] = [
      ["success[1].txn.success[0]", { success: [op.put(put("b")), op.txn({ success: [fails] })] }],
      [
        "success[2].txn.failure[0]",
        {
          success: [
            op.put(put("a", "2")),
            op.delete(del("c")),
            op.txn({ compares: [exists("x")], failure: [fails] }),
          ],
        },
      ],
      [
        "failure[0].txn.success[1].txn.failure[2]",
        {
          compares: [exists("x")],
          failure: [
            op.txn({
              success: [
                op.put(put("a", "2")),
                op.txn({
                  compares: [exists("x")],
                  failure: [op.get(get("a")), op.put(put("b")), fails],
                }),
              ],
            }),
          ],
        },
      ],
    ];
    for (const [path, command] of cases) {
      const error = await refusedUnchanged(t, "PRECONDITION_FAILED", engine, () =>
        run(engine, command),
      );
      t.is(error.details.operation, path);
    }
  });

  test("what would fail in a branch of a nested txn that does not run does not matter", async (t) => {
    const engine = await open(t);
    const { revision } = await run(engine, {
      success: [
        op.put(put("a")),
        op.txn({ failure: [op.put(put("b", "", { expectedModRevision: 7 }))] }),
      ],
    });
    t.is(revision, 2);
  });
}
