// The store's own limit: history goes first, then what grows is refused, and the rest goes on.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import {
  ALL,
  batch,
  del,
  get,
  op,
  prefix,
  put,
  range,
  TXN_OPTIONS,
  txn,
  withTtl,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { ManualClock } from "../../support/manual-clock.js";
import { refused, refusedUnchanged } from "../../support/refused.js";

const LIMIT_BYTES = 200_000;
const VALUE = new Uint8Array(1000);
const limits = { storeMaxBytes: LIMIT_BYTES, historyMaxBytes: 0 };

/** Writes keys until one is refused; how many were written. */
async function fill(engine: Engine): Promise<number> {
  for (let count = 0; ; count += 1) {
    const [result] = (await engine.batch(batch([op.put(put(`key${1000 + count}`, VALUE))])))
      .results;
    if (result?.kind === "failure") return count;
  }
}

export function storeLimitSuite(test: TestFn, open: OpenEngine): void {
  test("history makes room before any write is refused", async (t) => {
    const engine = await open(t, { limits });
    for (let index = 0; index < 1000; index += 1) await engine.put(put("a", VALUE));
    const { liveBytes, historyBytes, compactRevision, revision } = await engine.status();
    t.true(liveBytes + historyBytes <= LIMIT_BYTES);
    t.is(revision, 1001);
    t.true(compactRevision > 500);
  });

  test("leases fill the store as well", async (t) => {
    const engine = await open(t, { limits });
    let granted = 0;
    const grantAll = async () => {
      for (;;) {
        await engine.grant({ id: 0n, ttlMs: 60_000 });
        granted += 1;
      }
    };
    await refused(t, "STORE_FULL", grantAll);
    t.true(granted > 100 && granted < 2000, `${granted}`);
    await refusedUnchanged(t, "STORE_FULL", engine, () => engine.grant({ id: 7n, ttlMs: 1000 }));
    await refusedUnchanged(t, "STORE_FULL", engine, () => engine.put(put("a")));
  });

  test("a write that grows a full store is refused and changes nothing, wherever it is", async (t) => {
    const engine = await open(t, { limits });
    t.true((await fill(engine)) > 50);
    const large = put("new", VALUE);
    await refusedUnchanged(t, "STORE_FULL", engine, () => engine.put(large));
    const grown = put("key1000", new Uint8Array(3000));
    await refusedUnchanged(t, "STORE_FULL", engine, () => engine.put(grown));
    const error = await refusedUnchanged(t, "STORE_FULL", engine, () =>
      engine.txn(
        txn({ success: [op.get(get("a")), op.txn({ success: [op.put(large)] })] }),
        TXN_OPTIONS,
      ),
    );
    t.is(error.details.operation, "success[1].txn.success[0]");
    const { liveBytes, historyBytes } = await engine.status();
    t.true(liveBytes + historyBytes <= LIMIT_BYTES);
  });

  test("a put with a time to live that does not fit grants no lease", async (t) => {
    const engine = await open(t, { limits });
    await fill(engine);
    await refusedUnchanged(t, "STORE_FULL", engine, () =>
      engine.put(put("new", VALUE, { lease: withTtl(1000) })),
    );
    t.is((await engine.status()).leases, 0);
  });

  test("a full store takes writes that shrink or do not grow", async (t) => {
    const engine = await open(t, { limits });
    await fill(engine);
    for (let round = 0; round < 50; round += 1) await engine.put(put("key1000", VALUE));
    for (let round = 0; round < 20; round += 1)
      await engine.put(put(`key${1000 + round}`, "small"));
    await engine.put(put("new", VALUE));
    t.pass();
  });

  test("a full store can be read, listed and deleted from, and then grows again", async (t) => {
    const engine = await open(t, { limits });
    const count = await fill(engine);
    t.is((await engine.get(get("key1000"))).entry?.value.length, VALUE.length);
    t.is((await engine.range(range(ALL, { count: "only" }))).count, count);
    t.true((await engine.delete(del(prefix("key10")))).deleted > 10);
    t.true((await fill(engine)) >= 10);
  });

  test("a full store is emptied by one delete of all", async (t) => {
    const engine = await open(t, { limits });
    const count = await fill(engine);
    t.is((await engine.delete(del(ALL))).deleted, count);
    t.true((await fill(engine)) >= count - 2);
  });

  test("a txn that makes room before it writes fits", async (t) => {
    const engine = await open(t, { limits });
    await fill(engine);
    const { succeeded } = await engine.txn(
      txn({ success: [op.delete(del("key1000")), op.put(put("new", VALUE))] }),
      TXN_OPTIONS,
    );
    t.true(succeeded);
  });

  test("leases end in a full store", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock, limits });
    await engine.put(put("leased", VALUE, { lease: withTtl(1000) }));
    const count = await fill(engine);
    await clock.advanceAndSettle(1000);
    t.is((await engine.status()).keys, count);
    await engine.put(put("new", VALUE));
    t.pass();
  });

  test("in a batch only what grows is refused", async (t) => {
    const engine = await open(t, { limits });
    await fill(engine);
    const { results } = await engine.batch(
      batch([
        op.put(put("new", VALUE)),
        op.put(put("key1001", "small")),
        op.get(get("key1002")),
        op.delete(del("key1003")),
        op.put(put("new", "small")),
      ]),
    );
    const kinds = results.map((result) =>
      result.kind === "failure" ? result.error.reason : result.kind,
    );
    t.deepEqual(kinds, ["STORE_FULL", "put", "get", "delete", "put"]);
  });
}
