// An engine that is open, closing, closed: what each of its methods does then.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import {
  ALL,
  batch,
  del,
  get,
  op,
  put,
  ROWS_MAX_BYTES,
  range,
  TXN_OPTIONS,
  toHex,
  txn,
  watch,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { ManualClock } from "../../support/manual-clock.js";
import { onlyIf } from "../../support/only-if.js";
import { refused } from "../../support/refused.js";
import { openWatch, takeEvents } from "../../support/take.js";
import { versionsOf } from "../../support/versions.js";

const LEASE = 7n;

type Method = Exclude<
  keyof Engine,
  "storeId" | "revision" | "failed" | "prompt" | "endWatches" | "close"
>;

/** Every method, as a call that succeeds while the engine is open. Complete by its type. */
const CALLS: { readonly [method in Method]: (engine: Engine) => Promise<unknown> } = {
  get: (engine) => engine.get(get("a")),
  range: (engine) => engine.range(range(ALL)),
  put: (engine) => engine.put(put("b")),
  delete: (engine) => engine.delete(del("a")),
  txn: (engine) => engine.txn(txn({ success: [op.put(put("b"))] }), TXN_OPTIONS),
  batch: (engine) => engine.batch(batch([op.put(put("b"))])),
  direct: async (engine) => {
    const options = { readsOnly: false, operations: 1, maxBytes: ROWS_MAX_BYTES };
    const key = Uint8Array.of(0x62);
    const source = { bytes: key, view: new DataView(key.buffer) };
    if (engine.direct === undefined) return engine.batch(batch([]));
    return engine.direct.batch(options, (work) => work.put(source, 0, 1, 1, 1));
  },
  watch: (engine) => engine.watch(watch(ALL)).next(),
  grant: (engine) => engine.grant({ id: 0n, ttlMs: 1000 }),
  keepAlive: (engine) => engine.keepAlive({ id: LEASE }),
  revoke: (engine) => engine.revoke({ id: LEASE }),
  timeToLive: (engine) =>
    engine.timeToLive({ id: LEASE, withKeys: true, maxBytes: ROWS_MAX_BYTES }),
  leases: (engine) => engine.leases({ after: undefined, limit: 10 }),
  compact: (engine) => engine.compact({ revision: 2 }),
  hash: (engine) => engine.hash({ revision: 0 }),
  versions: (engine) => versionsOf(engine),
  snapshot: (engine) => readSnapshot(engine),
  status: (engine) => engine.status(),
};

async function readSnapshot(engine: Engine): Promise<number> {
  const stream = await engine.snapshot();
  let bytes = 0;
  for (let chunk = await stream.next(); chunk !== undefined; chunk = await stream.next()) {
    bytes += chunk.length;
  }
  stream.close();
  return bytes;
}

/** What goes another way through an engine than the method alone tells. */
const VARIANTS = {
  "a batch of gets": (engine: Engine) => engine.batch(batch([op.get(get("a"))])),
  "a prompt get": async (engine: Engine) => (engine.prompt ?? engine).get(get("a")),
  "a prompt put": async (engine: Engine) => (engine.prompt ?? engine).put(put("b")),
};

async function fill(engine: Engine): Promise<void> {
  await engine.grant({ id: LEASE, ttlMs: 60_000 });
  await engine.put(put("a"));
}

export function lifecycleSuite(test: TestFn, open: OpenEngine): void {
  const { versions, ...others } = CALLS;
  const calls = open.traits.walksVersions ? CALLS : others;
  for (const [method, call] of Object.entries({ ...calls, ...VARIANTS })) {
    test(`while open, ${method} is served`, async (t) => {
      const engine = await open(t);
      await fill(engine);
      await t.notThrowsAsync(async () => call(engine));
    });

    test(`after close, ${method} is refused as SHUTTING_DOWN`, async (t) => {
      const engine = await open(t);
      await fill(engine);
      await engine.close();
      await refused(t, "SHUTTING_DOWN", async () => call(engine));
    });

    test(`while closing, ${method} is refused as SHUTTING_DOWN`, async (t) => {
      const engine = await open(t);
      await fill(engine);
      const closed = engine.close();
      const attempt = refused(t, "SHUTTING_DOWN", async () => call(engine));
      await Promise.all([closed, attempt]);
    });

    test(`after watches were ended, ${method} is ${method === "watch" ? "refused" : "served"}`, async (t) => {
      const engine = await open(t);
      await fill(engine);
      engine.endWatches();
      if (method === "watch") await refused(t, "SHUTTING_DOWN", async () => call(engine));
      else await t.notThrowsAsync(async () => call(engine));
    });
  }

  test("close, twice or at the same time, does no harm", async (t) => {
    const engine = await open(t);
    await fill(engine);
    await Promise.all([engine.close(), engine.close()]);
    await engine.close();
    await refused(t, "SHUTTING_DOWN", engine.get(get("a")));
  });

  test("watches can be ended after close", async (t) => {
    const engine = await open(t);
    await engine.close();
    t.notThrows(() => engine.endWatches());
  });

  test("close ends open watches, those that are waited for too, with where to go on", async (t) => {
    const engine = await open(t);
    const waiting = await openWatch(engine, watch(ALL));
    const behind = await openWatch(engine, watch("a", { startRevision: 9 }));
    await engine.put(put("a"));
    t.is((await takeEvents(waiting, 1)).length, 1);
    const next = refused(t, "SHUTTING_DOWN", waiting.next());
    await engine.close();
    t.is((await next).details.resumeRevision, 3);
    t.is((await refused(t, "SHUTTING_DOWN", behind.next())).details.resumeRevision, 9);
    for (const watcher of [waiting, behind]) {
      watcher.close();
      watcher.close();
      t.is(await watcher.next(), undefined);
    }
  });

  test("leases of a closed engine do not end", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await fill(engine);
    await engine.close();
    await clock.advanceAndSettle(3_600_000);
    t.is(clock.pendingTimers === 0 || !open.traits.pulledOneByOne, true);
  });

  for (const [what, begin, look] of [
    [
      "a long listing",
      (engine: Engine) => engine.range(range(ALL, { count: "only" })),
      (result: unknown) => (result as { count: number }).count,
    ],
    [
      "a long hash",
      async (engine: Engine) => toHex((await engine.hash({ revision: 0 })).hash).length,
      (result: unknown) => (result === 64 ? 12_000 : result),
    ],
  ] as const) {
    onlyIf(open.traits.beginsAtOnce, test)(`close waits for ${what} that has begun`, async (t) => {
      const engine = await open(t);
      const operations = Array.from({ length: 12_000 }, (_, index) =>
        op.put(put(`key${index}`, new Uint8Array(100))),
      );
      await engine.batch(batch(operations));
      const order: string[] = [];
      const running = begin(engine).then((result) => {
        order.push("answered");
        return result;
      });
      await Promise.all([running, engine.close().then(() => order.push("closed"))]);
      t.is(look(await running), 12_000);
      t.deepEqual(order, ["answered", "closed"]);
    });
  }
}
