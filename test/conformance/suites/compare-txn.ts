// Compares: what holds, for keys that are there, that are not, and for ranges of keys.

import type { ExecutionContext, TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import type { Compare, CompareRelation, CompareTarget } from "../../../server/kv/types.js";
import {
  ALL,
  absent,
  bytes,
  compare,
  del,
  exists,
  fromHex,
  interval,
  op,
  prefix,
  put,
  TXN_OPTIONS,
  txn,
  valueIs,
  withLease,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";

const LEASE = 50n;

/** a: created at 2, version 3, last changed at 5, on the lease; b: 3, version 1; c: deleted. */
async function openWithKeys(t: ExecutionContext, open: OpenEngine): Promise<Engine> {
  const engine = await open(t);
  await engine.grant({ id: LEASE, ttlMs: 60_000 });
  await engine.put(put("a", "k"));
  await engine.put(put("b", "m"));
  await engine.put(put("a", "l"));
  await engine.put(put("a", "m", { lease: withLease(LEASE) }));
  await engine.put(put("c", "m"));
  await engine.delete(del("c"));
  return engine;
}

async function holds(engine: Engine, ...compares: readonly Compare[]): Promise<boolean> {
  return (await engine.txn(txn({ compares }), TXN_OPTIONS)).succeeded;
}

const RELATIONS: readonly CompareRelation[] = ["equal", "not-equal", "less", "greater"];

/** How a stored number relates to one below it, to itself, and to one above it. */
const HOLDS_BELOW = { equal: false, "not-equal": true, less: false, greater: true };
const HOLDS_AT = { equal: true, "not-equal": false, less: false, greater: false };
const HOLDS_ABOVE = { equal: false, "not-equal": true, less: true, greater: false };

const NUMBERS: readonly (readonly [kind: "version" | "createRevision" | "modRevision", number])[] =
  [
    ["version", 3],
    ["createRevision", 2],
    ["modRevision", 5],
  ];

export function compareTxnSuite(test: TestFn, open: OpenEngine): void {
  test("no compares hold", async (t) => {
    t.true(await holds(await open(t)));
  });

  for (const relation of RELATIONS) {
    for (const [kind, stored] of NUMBERS) {
      test(`${kind} compares as a number: ${relation}`, async (t) => {
        const engine = await openWithKeys(t, open);
        const is = (value: number) => holds(engine, compare("a", { kind, value }, relation));
        t.is(await is(stored - 1), HOLDS_BELOW[relation]);
        t.is(await is(stored), HOLDS_AT[relation]);
        t.is(await is(stored + 1), HOLDS_ABOVE[relation]);
      });

      test(`${kind} of an absent key counts as 0: ${relation}`, async (t) => {
        const engine = await openWithKeys(t, open);
        for (const key of ["x", "c"]) {
          const is = (value: number) => holds(engine, compare(key, { kind, value }, relation));
          t.is(await is(0), HOLDS_AT[relation]);
          t.is(await is(1), HOLDS_ABOVE[relation]);
        }
      });
    }

    test(`a lease compares as a signed number, none as 0: ${relation}`, async (t) => {
      const engine = await openWithKeys(t, open);
      const is = (key: string, value: bigint) =>
        holds(engine, compare(key, { kind: "leaseId", value }, relation));
      t.is(await is("a", LEASE - 1n), HOLDS_BELOW[relation]);
      t.is(await is("a", LEASE), HOLDS_AT[relation]);
      t.is(await is("a", LEASE + 1n), HOLDS_ABOVE[relation]);
      t.is(await is("a", -(2n ** 63n)), HOLDS_BELOW[relation]);
      for (const without of ["b", "x"]) {
        t.is(await is(without, -1n), HOLDS_BELOW[relation]);
        t.is(await is(without, 0n), HOLDS_AT[relation]);
        t.is(await is(without, 2n ** 63n - 1n), HOLDS_ABOVE[relation]);
      }
    });

    test(`values compare byte by byte, a beginning before the whole: ${relation}`, async (t) => {
      const engine = await open(t);
      await engine.put(put("v", fromHex("7f80")));
      const is = (hex: string) =>
        holds(engine, compare("v", { kind: "value", value: fromHex(hex) }, relation));
      for (const below of ["", "00", "7f", "7f00", "7f7fff"]) {
        t.is(await is(below), HOLDS_BELOW[relation], below);
      }
      t.is(await is("7f80"), HOLDS_AT[relation]);
      for (const above of ["7f81", "7f8000", "80", "ff"]) {
        t.is(await is(above), HOLDS_ABOVE[relation], above);
      }
    });

    test(`a value of an absent key compares with nothing: ${relation}`, async (t) => {
      const engine = await openWithKeys(t, open);
      for (const selected of ["x", "c", prefix("x")]) {
        for (const value of ["", "m"]) {
          const target: CompareTarget = { kind: "value", value: bytes(value) };
          t.false(await holds(engine, compare(selected, target, relation)));
        }
      }
    });
  }

  test("an empty value equals an empty value", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", ""));
    t.true(await holds(engine, valueIs("a", "")));
  });

  test("a key that is there exists, one that is not or is deleted does not", async (t) => {
    const engine = await openWithKeys(t, open);
    t.true(await holds(engine, exists("a")));
    t.false(await holds(engine, absent("a")));
    for (const key of ["x", "c"]) {
      t.false(await holds(engine, exists(key)));
      t.true(await holds(engine, absent(key)));
    }
  });

  test("all compares must hold", async (t) => {
    const engine = await openWithKeys(t, open);
    t.true(await holds(engine, exists("a"), exists("b"), absent("x"), valueIs("a", "m")));
    t.false(await holds(engine, exists("a"), exists("x")));
    t.false(await holds(engine, exists("x"), exists("a")));
  });

  test("over a range a compare holds when it does for every key of it", async (t) => {
    const engine = await openWithKeys(t, open);
    for (const selector of [ALL, interval("a", "c"), interval(undefined, undefined)]) {
      t.true(await holds(engine, valueIs(selector, "m")));
      t.true(await holds(engine, exists(selector)));
      t.false(await holds(engine, absent(selector)));
      t.true(await holds(engine, compare(selector, { kind: "version", value: 0 }, "greater")));
      t.false(await holds(engine, compare(selector, { kind: "version", value: 1 }, "greater")));
      t.false(await holds(engine, compare(selector, { kind: "leaseId", value: LEASE })));
    }
    await engine.put(put("b", "other"));
    t.false(await holds(engine, valueIs(ALL, "m")));
    t.true(await holds(engine, valueIs(prefix("a"), "m")));
  });

  test("a range that matches nothing counts as 0 and does not exist", async (t) => {
    const engine = await openWithKeys(t, open);
    for (const selector of [prefix("x"), prefix("c"), interval("b", "a"), interval("x", "z")]) {
      t.true(await holds(engine, absent(selector)));
      t.false(await holds(engine, exists(selector)));
      for (const kind of ["version", "createRevision", "modRevision"] as const) {
        t.true(await holds(engine, compare(selector, { kind, value: 0 })));
        t.false(await holds(engine, compare(selector, { kind, value: 0 }, "greater")));
      }
      t.true(await holds(engine, compare(selector, { kind: "leaseId", value: 0n })));
    }
  });

  test("success runs when they hold, failure when not, and the answer says which", async (t) => {
    const engine = await open(t);
    const command = txn({
      compares: [absent("a")],
      success: [op.put(put("a", "made"))],
      failure: [op.put(put("a", "changed")), op.put(put("b"))],
    });
    const first = await engine.txn(command, TXN_OPTIONS);
    const second = await engine.txn(command, TXN_OPTIONS);
    t.deepEqual([first.succeeded, first.results.length], [true, 1]);
    t.deepEqual([second.succeeded, second.results.length], [false, 2]);
    t.true(await holds(engine, valueIs("a", "changed"), exists("b")));
  });

  test("compares see the state before the txn, not what it does", async (t) => {
    const engine = await open(t);
    const { succeeded } = await engine.txn(
      txn({ compares: [absent("a")], success: [op.put(put("a"))], failure: [] }),
      TXN_OPTIONS,
    );
    t.true(succeeded);
  });
}
