// Moves and copies while others write, and the limits of their txns; and what is done anew when
// somebody else was faster.

import test from "ava";
import { untilUnchanged } from "../../../client/cli/conflicts.js";
import { EXIT } from "../../../client/cli/exit-codes.js";
import { Failure } from "../../../client/cli/failure.js";
import { inTxns, relocationTxn, STEPS_PER_TXN } from "../../../client/cli/relocation/plan.js";
import { relocateKey, type Store } from "../../../client/cli/relocation/single.js";
import { relocateTree } from "../../../client/cli/relocation/tree.js";
import { absent, compare, type Entry, type Kvd } from "../../../client/index.js";
import { serve } from "../client/served.js";

const { signal } = new AbortController();
const MOVE = { moves: true, force: false, signal, timeoutMs: 10_000 };

function entry(key: string, bytes = 1): Entry {
  return {
    ...{ key, keyBytes: Buffer.from(key), bytes: new Uint8Array(bytes), leaseId: 0n },
    ...{ createRevision: 7, modRevision: 7, version: 1, text: () => "", json: () => null },
  };
}

/** A connection on which something happens right before its first txn with operations. */
function disturbed(kv: Kvd, disturb: () => Promise<unknown>): Store {
  let pending = true;
  return {
    get: (...given) => kv.get(...given),
    range: (...given) => kv.range(...given),
    txn: async (spec, options) => {
      if (pending && spec.success !== undefined) {
        pending = false;
        await disturb();
      }
      return kv.txn(spec, options);
    },
  };
}

test("a move holds only for what was read, and where nothing is", (t) => {
  const steps = [{ entry: entry("a"), target: "b" }];
  const spec = relocationTxn(steps, { moves: true, force: false });
  const unchanged = compare.modRevision({ key: Buffer.from("a") }, "=", 7);
  t.deepEqual(spec.compare, [unchanged, absent({ key: "b" })]);
  t.deepEqual(
    spec.success?.map(({ kind }) => kind),
    ["put", "delete"],
  );
  t.is(relocationTxn(steps, { moves: false, force: true }).compare?.length, 1);
});

test("a txn takes as many keys and bytes as a server allows", (t) => {
  const steps = (count: number, bytes: number) =>
    Array.from({ length: count }, (_, at) => ({ entry: entry(`${at}`, bytes), target: "x" }));
  const sizes = (count: number, bytes: number) =>
    [...inTxns(steps(count, bytes))].map(({ length }) => length);
  t.deepEqual(sizes(STEPS_PER_TXN + 1, 1), [STEPS_PER_TXN, 1]);
  t.deepEqual(sizes(3, 1_000_000), [2, 1]);
  t.deepEqual(sizes(2, 3_000_000), [1, 1]);
  t.deepEqual(sizes(0, 0), []);
});

test("a key that is written while it moves moves as it then is", async (t) => {
  const { kv } = await serve(t);
  await kv.put("a", "old");
  await relocateKey(
    disturbed(kv, () => kv.put("a", "new")),
    { from: "a", to: "b" },
    MOVE,
  );
  t.is((await kv.get("b"))?.text(), "new");
  t.is(await kv.get("a"), undefined);
});

test("a target that appears while a key moves is not written over", async (t) => {
  const { kv } = await serve(t);
  await kv.put("a", "1");
  const store = disturbed(kv, () => kv.put("b", "theirs"));
  const error = await t.throwsAsync(relocateKey(store, { from: "a", to: "b" }, MOVE));
  t.is((error as Failure).exitCode, EXIT.negative);
  t.is((await kv.get("a"))?.text(), "1");
  t.is((await kv.get("b"))?.text(), "theirs");
});

test("of a tree that others write, what is there moves as it is", async (t) => {
  const { kv } = await serve(t);
  for (const key of ["old/1", "old/2", "old/3"]) await kv.put(key, key);
  const store = disturbed(kv, async () => {
    await kv.put("old/2", "new");
    await kv.delete("old/3");
  });
  t.like(await relocateTree(store, { from: "old/", to: "new/" }, MOVE), { keys: 2 });
  t.is((await kv.get("new/2"))?.text(), "new");
  t.is(await kv.get("new/3"), undefined);
  t.is((await kv.count({ prefix: "old/" })).count, 0);
});

test("a tree that meets a key in its way in the middle ends with 8, and says how far it came", async (t) => {
  const { kv } = await serve(t);
  for (const key of ["old/1", "old/2"]) await kv.put(key, key);
  const store = disturbed(kv, () => kv.put("new/2", "theirs"));
  const error = await t.throwsAsync(relocateTree(store, { from: "old/", to: "new/" }, MOVE));
  t.is((error as Failure).exitCode, EXIT.partial);
  t.regex((error as Failure).message, /1 key was done before that/);
  t.is((await kv.get("old/2"))?.text(), "old/2");
  t.is((await kv.get("new/2"))?.text(), "theirs");
});

test("what others change again and again is given up in time", async (t) => {
  const options = { signal, timeoutMs: 1 };
  const error = await t.throwsAsync(untilUnchanged('"k"', options, async () => undefined));
  t.true(error instanceof Failure);
  t.is((error as Failure).exitCode, EXIT.refused);
});
