// What stands between a file and the store: sorting, merging, batches that are whole or not there,
// writes that are guarded, pruning.

import test from "ava";
import fc from "fast-check";
import { Failure } from "../../../client/cli/failure.js";
import { writeBatch } from "../../../client/cli/transfer/atomic-batch.js";
import { putFromRow } from "../../../client/cli/transfer/batch-sender.js";
import { merged } from "../../../client/cli/transfer/merge.js";
import { Pruning } from "../../../client/cli/transfer/pruning.js";
import { RowWriter } from "../../../client/cli/transfer/row-writer.js";
import {
  lastOfEach,
  type SortedRow,
  SortedRows,
} from "../../../client/cli/transfer/sorted-rows.js";
import { type Kvd, KvdClientError, put, type TxnSpec } from "../../../client/index.js";
import { serve } from "../client/served.js";

const signal = new AbortController().signal;

const sortedRow = (key: string | Uint8Array, value = ""): SortedRow => ({
  ...{ key: Buffer.from(key), value: Buffer.from(value) },
  ...{ ttlMs: undefined, place: "" },
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test("rows come out sorted by bytes, as often as they are asked for, in memory or not", async (t) => {
  const keys = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(keys, fc.constantFrom(1, 1_000, 1e9), async (given, memoryMaxBytes) => {
      const sorted = new SortedRows({ memoryMaxBytes });
      const added = given.map((key, index) => sortedRow(key, String(index)));
      for (const row of added) await sorted.add(row);
      const expected = [...added].sort((one, other) => Buffer.compare(one.key, other.key));
      const texts = (rows: readonly SortedRow[]) =>
        rows.map(({ key, value }) => `${Buffer.from(key).toString("hex")} ${value}`);
      for (let time = 0; time < 2; time += 1) {
        t.deepEqual(texts(await collect(sorted.rows())), texts(expected));
      }
      const last = new Map(expected.map((row) => [Buffer.from(row.key).toString("hex"), row]));
      t.deepEqual(texts(await collect(lastOfEach(sorted.rows()))), texts([...last.values()]));
      await sorted.close();
    }),
    { numRuns: 60 },
  );
});

async function* each(keys: readonly string[]): AsyncGenerator<SortedRow> {
  for (const key of keys) yield sortedRow(key);
}

test("a merge tells of each key where it is", async (t) => {
  const sides = fc.tuple(...[0, 1].map(() => fc.uniqueArray(fc.constantFrom(..."abcdefgh"))));
  await fc.assert(
    fc.asyncProperty(sides, async ([left = [], right = []]) => {
      const found = await collect(merged(each([...left].sort()), each([...right].sort())));
      const all = [...new Set([...left, ...right])].sort();
      t.deepEqual(
        found.map((pair) => [pair.left, pair.right].map((row) => row?.key.toString())),
        all.map((key) => [left, right].map((side) => (side.includes(key) ? key : undefined))),
      );
    }),
  );
});

test("a listing that is not in order is refused, not compared wrongly", async (t) => {
  await t.throwsAsync(collect(merged(each(["b", "a"]), each([]))), { instanceOf: Failure });
});

function refusedAt(index: number | undefined, reason: "VALUE_TOO_LARGE" | "TOO_MANY_OPERATIONS") {
  const details = index === undefined ? {} : { operation: `success[${index}]` };
  return new KvdClientError("INVALID_ARGUMENT", "no", { reason, details });
}

/** A server that refuses "bad" and more than `most` operations; with or without saying which. */
function picky(options: { readonly most: number; readonly says: boolean }) {
  const written: string[] = [];
  const txn = async ({ success = [] }: TxnSpec) => {
    const values = success.map((one) => (one.kind === "put" ? String(one.value) : ""));
    if (values.length > options.most) throw refusedAt(undefined, "TOO_MANY_OPERATIONS");
    const bad = values.indexOf("bad");
    if (bad >= 0) throw refusedAt(options.says ? bad : undefined, "VALUE_TOO_LARGE");
    written.push(values.join(""));
    return { revision: 2, succeeded: true, results: [] };
  };
  return { written, txn };
}

const batches = test.macro({
  async exec(
    t,
    given: { readonly most: number; readonly says: boolean; readonly goOn: boolean },
    expected: readonly string[],
  ) {
    const { written, txn } = picky(given);
    const refused: string[] = [];
    const whole = await writeBatch(["1", "2", "bad", "4", "5"], {
      txn,
      operation: (value) => put("k", value),
      done: () => {},
      refused: (value) => {
        refused.push(value);
        return given.goOn;
      },
    });
    t.deepEqual(written, expected);
    t.deepEqual(refused, ["bad"]);
    t.is(whole, given.goOn);
  },
  title: (_, given) => `a batch with a refused operation: ${JSON.stringify(given)}`,
});

test(batches, { most: 9, says: true, goOn: true }, ["1245"]);
test(batches, { most: 9, says: true, goOn: false }, ["12"]);
test(batches, { most: 9, says: false, goOn: true }, ["12", "45"]);
test(batches, { most: 3, says: true, goOn: true }, ["12", "45"]);
test(batches, { most: 3, says: true, goOn: false }, ["12"]);
test(batches, { most: 1, says: false, goOn: false }, ["1", "2"]);

test("a batch that may have been written is not tried again", async (t) => {
  let calls = 0;
  const gone = new KvdClientError("UNAVAILABLE", "gone");
  const batch = {
    txn: () => {
      calls += 1;
      return Promise.reject(gone);
    },
    operation: (value: string) => put("k", value),
    done: () => {},
    refused: () => true,
  };
  t.is(await t.throwsAsync(writeBatch(["1", "2"], batch)), gone);
  t.is(calls, 1);
});

const limits = [{ name: "", value: 4, unit: "count", flag: "--txn-max-operations" }];

interface Told {
  readonly places: string[];
  readonly writer: RowWriter;
}

function writerTo(
  kv: Pick<Kvd, "batch" | "get" | "txn">,
  options: { readonly guarded: boolean; readonly renewsTtl?: boolean },
): Told {
  const places: string[] = [];
  const { guarded, renewsTtl = false } = options;
  const writer = new RowWriter(kv, {
    ...{ signal, limits, guarded, renewsTtl, dryRun: false, keepGoing: true },
    refused: ({ place }) => places.push(place),
  });
  return { places, writer };
}

async function writeAll(writer: RowWriter, rows: readonly (readonly [string, string])[]) {
  for (const [key, value] of rows) {
    const row = { key: Buffer.from(key), value: Buffer.from(value), ttlMs: undefined };
    await writer.add(putFromRow(row, key));
  }
  await writer.finish();
}

test("only what differs is written, a batch a revision", async (t) => {
  const { kv } = await serve(t);
  await kv.put("a", "1");
  await kv.put("b", "2");
  const rows = ["a", "b", "c", "d", "e", "f"].map((key) => [key, "1"] as const);
  const { writer } = writerTo(kv, { guarded: false });
  await writeAll(writer, rows);
  t.deepEqual(writer.tally, { added: 4, updated: 1, unchanged: 1 });
  t.is(writer.revision, 5);
  t.is((await kv.get("a"))?.modRevision, 2);
  const again = writerTo(kv, { guarded: false }).writer;
  await writeAll(again, rows);
  t.deepEqual(again.tally, { added: 0, updated: 0, unchanged: 6 });
  t.is((await kv.maintenance.status()).revision, 5);
});

test("a server that takes little at once is given little at once", async (t) => {
  for (const small of [
    { batchMaxOperations: 3 },
    { requestMaxBytes: 200 },
    { txnMaxOperations: 2 },
  ]) {
    const { kv } = await serve(t, { limits: small });
    const { writer, places } = writerTo(kv, { guarded: false });
    const rows = Array.from({ length: 9 }, (_, index) => [`k${index}`, "v".repeat(60)] as const);
    await writeAll(writer, rows);
    t.deepEqual(places, []);
    t.is((await kv.count({ all: true })).count, 9);
  }
});

test("a row that is too large for any request is named, and the others are written", async (t) => {
  const { kv } = await serve(t, { limits: { requestMaxBytes: 200 } });
  const { writer, places } = writerTo(kv, { guarded: false });
  await writeAll(writer, [
    ["a", "1"],
    ["b", "v".repeat(300)],
    ["c", "3"],
  ]);
  t.deepEqual(places, ["b"]);
  t.is((await kv.count({ all: true })).count, 2);
});

test("a guarded write leaves a key that changed since it was compared, and writes the others", async (t) => {
  const { kv } = await serve(t);
  await kv.put("a", "old");
  const meddled: Pick<Kvd, "batch" | "get" | "txn"> = {
    get: (...args) => kv.get(...args),
    txn: (...args) => kv.txn(...args),
    batch: async (...args) => {
      const result = await kv.batch(...args);
      await kv.put("a", "theirs");
      await kv.put("b", "theirs");
      return result;
    },
  };
  const rows = ["a", "b", "c"].map((key) => [key, "ours"] as const);
  const { writer, places } = writerTo(meddled, { guarded: true });
  await writeAll(writer, rows);
  t.deepEqual(places, ["a", "b"]);
  t.is((await kv.get("a"))?.text(), "theirs");
  t.is((await kv.get("b"))?.text(), "theirs");
  t.is((await kv.get("c"))?.text(), "ours");
});

test("a key with a lease counts as the same only where a ttl is wanted and need not be new", async (t) => {
  const { kv } = await serve(t);
  for (const [ttlMs, renewsTtl, unchanged] of [
    [undefined, false, 0],
    [60_000, false, 1],
    [60_000, true, 0],
  ] as const) {
    await kv.put("k", "v", { ttl: "1h" });
    const { writer } = writerTo(kv, { guarded: false, renewsTtl });
    const row = { key: Buffer.from("k"), value: Buffer.from("v"), ttlMs };
    await writer.add(putFromRow(row, "k"));
    await writer.finish();
    t.is(writer.tally.unchanged, unchanged);
  }
});

test("pruning deletes what was planned, and nothing that was written since", async (t) => {
  const { kv } = await serve(t);
  for (const key of ["p/a", "p/b", "p/c", "q"]) await kv.put(key, "");
  const kept = new SortedRows();
  await kept.add(sortedRow("p/b"));
  const pruning = new Pruning(kv, { selector: { prefix: "p/" }, kept, signal });
  const plan = await pruning.plan();
  t.is(plan.count, 2);
  await kv.put("p/c", "new");
  await kv.put("p/d", "new");
  const conflicts: Uint8Array[] = [];
  await pruning.run(plan, { deleted: () => {}, conflict: (key) => conflicts.push(key) });
  t.is(pruning.deleted, 1);
  const { entries } = await kv.range({ all: true });
  t.deepEqual(
    entries.map(({ key }) => key),
    ["p/b", "p/c", "p/d", "q"],
  );
});
