// The end of leases by time, and the leases that a put grants for itself.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import {
  ALL,
  batch,
  del,
  get,
  KEEP_LEASE,
  keysOf,
  op,
  put,
  ROWS_MAX_BYTES,
  range,
  TXN_OPTIONS,
  txn,
  watch,
  withLease,
  withTtl,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { ManualClock } from "../../support/manual-clock.js";
import { onlyIf } from "../../support/only-if.js";
import { refused } from "../../support/refused.js";
import { openWatch, shown, takeEvents, takeMessages, takeOne, until } from "../../support/take.js";

const HOUR_MS = 3600 * 1000;
const TEN_YEARS_MS = 10 * 365 * 24 * HOUR_MS;

async function leaseIds(engine: Engine): Promise<bigint[]> {
  const { leases } = await engine.leases({ after: undefined, limit: 1000 });
  return leases.map(({ id }) => id);
}

const remaining = async (engine: Engine, id: bigint) =>
  (await engine.timeToLive({ id, withKeys: false, maxBytes: ROWS_MAX_BYTES })).ttlMs;

const keysThere = async (engine: Engine) => keysOf((await engine.range(range(ALL))).entries);

export function leaseExpirySuite(test: TestFn, open: OpenEngine): void {
  test("a lease ends when its time is over, and not a millisecond before", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await engine.grant({ id: 7n, ttlMs: 10_000 });
    await engine.put(put("a", "", { lease: withLease(7n) }));
    await clock.advanceAndSettle(9999);
    t.deepEqual([await keysThere(engine), await remaining(engine, 7n)], [["a"], 1]);
    await clock.advanceAndSettle(1);
    t.deepEqual(await keysThere(engine), []);
    await refused(t, "LEASE_NOT_FOUND", remaining(engine, 7n));
    t.deepEqual(await engine.keepAlive({ id: 7n }), { ttlMs: 0 });
  });

  test("a lease that is renewed in time goes on", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await engine.grant({ id: 7n, ttlMs: 10_000 });
    await engine.put(put("a", "", { lease: withLease(7n) }));
    for (let round = 0; round < 5; round += 1) {
      await clock.advanceAndSettle(9000);
      await engine.keepAlive({ id: 7n });
    }
    t.deepEqual(await keysThere(engine), ["a"]);
    await clock.advanceAndSettle(10_000);
    t.deepEqual(await keysThere(engine), []);
  });

  test("expiry deletes all keys of a lease in one revision, in key order, as expired", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await engine.grant({ id: 7n, ttlMs: 1000 });
    for (const key of ["\u{1f600}", "b", "\ufffd", "a"]) {
      await engine.put(put(key, key, { lease: withLease(7n) }));
    }
    await engine.put(put("stays"));
    const watcher = await openWatch(engine, watch(ALL, { previous: true }));
    await clock.advanceAndSettle(1000);
    const { events, revision } = await takeOne(watcher, "events");
    t.is(revision, 7);
    t.deepEqual(events.map(shown), [
      "delete a@7",
      "delete b@7",
      "delete \ufffd@7",
      "delete \u{1f600}@7",
    ]);
    t.true(events.every((event) => event.type === "delete" && event.reason === "expired"));
    t.true(events.every(({ previous }) => previous?.leaseId === 7n));
    t.deepEqual(await keysThere(engine), ["stays"]);
    watcher.close();
  });

  test("revocation deletes all keys in one revision, in key order, as revoked", async (t) => {
    const engine = await open(t);
    await engine.grant({ id: 7n, ttlMs: 1000 });
    for (const key of ["c", "a", "b"]) await engine.put(put(key, "", { lease: withLease(7n) }));
    const watcher = await openWatch(engine, watch(ALL));
    await engine.revoke({ id: 7n });
    const { events } = await takeOne(watcher, "events");
    t.deepEqual(events.map(shown), ["delete a@5", "delete b@5", "delete c@5"]);
    t.true(events.every((event) => event.type === "delete" && event.reason === "revoked"));
    watcher.close();
  });

  test("the end of a lease without keys makes no revision", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await engine.grant({ id: 7n, ttlMs: 1000 });
    await clock.advanceAndSettle(1000);
    t.deepEqual([await leaseIds(engine), (await engine.status()).revision], [[], 1]);
  });

  test("a key that was taken from its lease outlives it", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await engine.grant({ id: 7n, ttlMs: 1000 });
    await engine.grant({ id: 8n, ttlMs: 5000 });
    for (const key of ["detached", "moved", "anew", "left"]) {
      await engine.put(put(key, "", { lease: withLease(7n) }));
    }
    await engine.put(put("detached"));
    await engine.put(put("moved", "", { lease: withLease(8n) }));
    await engine.delete(del("anew"));
    await engine.put(put("anew"));
    await clock.advanceAndSettle(1000);
    t.deepEqual(await keysThere(engine), ["anew", "detached", "moved"]);
    await clock.advanceAndSettle(4000);
    t.deepEqual(await keysThere(engine), ["anew", "detached"]);
  });

  test("a key whose lease has expired is created anew by the next put", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await engine.put(put("a", "", { lease: withTtl(1000) }));
    await clock.advanceAndSettle(1000);
    await engine.put(put("a"));
    const { entry } = await engine.get(get("a"));
    t.deepEqual([entry?.version, entry?.createRevision, entry?.leaseId], [1, 4, 0n]);
  });

  for (const [what, jumpMs] of [
    ["forwards", 1000 * HOUR_MS],
    ["backwards", -1000 * HOUR_MS],
  ] as const) {
    test(`a jump of the wall clock ${what} ends no lease early or late`, async (t) => {
      const clock = new ManualClock();
      const engine = await open(t, { clock });
      await engine.put(put("a", "", { lease: withTtl(10_000) }));
      clock.jumpWall(jumpMs);
      await clock.advanceAndSettle(9999);
      t.deepEqual(await keysThere(engine), ["a"]);
      clock.jumpWall(jumpMs);
      await clock.advanceAndSettle(1);
      t.deepEqual(await keysThere(engine), []);
    });
  }

  test("a lease of ten years lasts ten years", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await engine.grant({ id: 7n, ttlMs: TEN_YEARS_MS });
    await clock.advanceAndSettle(TEN_YEARS_MS - 1);
    t.is(await remaining(engine, 7n), 1);
    await clock.advanceAndSettle(1);
    t.deepEqual(await leaseIds(engine), []);
  });

  test("leases end in the order of their ends, whenever they were granted", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const watcher = await openWatch(engine, watch(ALL, { excludePuts: true }));
    await engine.put(put("third", "", { lease: withTtl(3000) }));
    await engine.put(put("first", "", { lease: withTtl(1000) }));
    await engine.put(put("second", "", { lease: withTtl(2000) }));
    await clock.advanceAndSettle(10_000);
    const events = await takeEvents(watcher, 3);
    t.deepEqual(events.map(shown), ["delete first@5", "delete second@6", "delete third@7"]);
    watcher.close();
  });

  test("thousands of leases that end at once all end, each in a revision of its own", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const count = 5000;
    const operations = Array.from({ length: count }, (_, index) =>
      op.put(put(`key${index}`, "", { lease: withTtl(5000) })),
    );
    await engine.batch(batch(operations));
    const watcher = await openWatch(engine, watch(ALL));
    clock.advance(5000);
    await until("all leases end", async () => (await engine.status()).leases === 0);
    const { keys, revision } = await engine.status();
    t.deepEqual([keys, revision], [0, 1 + 2 * count]);
    const events = (await takeMessages(watcher, count)).flatMap((message) => message.events);
    t.is(new Set(events.map((event) => event.revision)).size, count);
    t.true(events.every((event) => event.type === "delete" && event.reason === "expired"));
    watcher.close();
  });

  test("a lease of thousands of keys ends in one revision", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await engine.grant({ id: 7n, ttlMs: 5000 });
    const operations = Array.from({ length: 8000 }, (_, index) =>
      op.put(put(`key${10_000 + index}`, "", { lease: withLease(7n) })),
    );
    await engine.batch(batch(operations));
    const { revision } = await engine.status();
    clock.advance(5000);
    await until("the lease ends", async () => (await engine.status()).leases === 0);
    const after = await engine.status();
    t.deepEqual([after.keys, after.revision], [0, revision + 1]);
  });

  onlyIf(open.traits.beginsAtOnce, test)(
    "a renewal that was made before expiry had its turn wins, as after a long pause",
    async (t) => {
      const clock = new ManualClock();
      const engine = await open(t, { clock });
      await engine.put(put("a", "", { lease: withTtl(1000) }));
      const [id = 0n] = await leaseIds(engine);
      clock.advance(60_000);
      t.deepEqual(await engine.keepAlive({ id }), { ttlMs: 1000 });
      await clock.settle();
      t.deepEqual(await keysThere(engine), ["a"]);
    },
  );

  test("a time to live grants a lease with the put, listed and renewable like any other", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    const { leaseId, ttlMs } = await engine.put(put("a", "", { lease: withTtl(2500) }));
    t.true(leaseId > 0n);
    t.is(ttlMs, 2500);
    const { leases } = await engine.leases({ after: undefined, limit: 10 });
    t.deepEqual(leases, [{ id: leaseId, ttlMs: 2500, grantedTtlMs: 2500 }]);
    clock.advance(2000);
    t.deepEqual(await engine.keepAlive({ id: leaseId }), { ttlMs: 2500 });
    await clock.advanceAndSettle(2000);
    t.deepEqual(await keysThere(engine), ["a"]);
    await clock.advanceAndSettle(500);
    t.deepEqual([await keysThere(engine), await leaseIds(engine)], [[], []]);
  });

  test("a time to live can be revoked", async (t) => {
    const engine = await open(t);
    const { leaseId } = await engine.put(put("a", "", { lease: withTtl(2500) }));
    t.deepEqual(await engine.revoke({ id: leaseId }), { revision: 3, deleted: 1 });
  });

  for (const [what, leave] of [
    ["is deleted", (engine: Engine) => engine.delete(del("a"))],
    ["is put without one", (engine: Engine) => engine.put(put("a"))],
    ["moves to another", (engine: Engine) => engine.put(put("a", "", { lease: withLease(9n) }))],
    [
      "gets a new one",
      async (engine: Engine) => {
        await engine.put(put("a", "", { lease: withTtl(9000) }));
        await engine.put(put("a"));
      },
    ],
    [
      "is deleted in a txn",
      (engine: Engine) => engine.txn(txn({ success: [op.delete(del(ALL))] }), TXN_OPTIONS),
    ],
  ] as const) {
    test(`the lease of a time to live vanishes when its last key ${what}`, async (t) => {
      const engine = await open(t);
      await engine.grant({ id: 9n, ttlMs: 9000 });
      await engine.put(put("a", "", { lease: withTtl(2500) }));
      t.is((await engine.status()).leases, 2);
      await leave(engine);
      t.deepEqual(await leaseIds(engine), [9n]);
    });
  }

  test("the lease of a time to live stays while a key keeps it", async (t) => {
    const engine = await open(t);
    const { leaseId } = await engine.put(put("a", "", { lease: withTtl(2500) }));
    await engine.put(put("a", "2", { lease: KEEP_LEASE }));
    await engine.put(put("b", "", { lease: withLease(leaseId) }));
    await engine.delete(del("a"));
    t.deepEqual(await leaseIds(engine), [leaseId]);
    await engine.delete(del("b"));
    t.deepEqual(await leaseIds(engine), []);
  });

  test("times to live do not count against the limit of leases", async (t) => {
    const engine = await open(t, { limits: { leasesMax: 1 } });
    for (const key of ["a", "b", "c"]) await engine.put(put(key, "", { lease: withTtl(1000) }));
    await engine.grant({ id: 7n, ttlMs: 1000 });
    await refused(t, "TOO_MANY_LEASES", engine.grant({ id: 8n, ttlMs: 1000 }));
    await engine.put(put("d", "", { lease: withTtl(1000) }));
    t.is((await engine.status()).leases, 5);
  });

  test("leases have a limit of memory, those of puts too", async (t) => {
    const engine = await open(t, { limits: { leaseMemoryMaxBytes: 1000 } });
    for (const key of ["a", "b", "c"]) await engine.put(put(key, "", { lease: withTtl(1000) }));
    await refused(t, "TOO_MANY_LEASES", engine.put(put("d", "", { lease: withTtl(1000) })));
    await refused(t, "TOO_MANY_LEASES", engine.grant({ id: 8n, ttlMs: 1000 }));
    await engine.put(put("d"));
    await engine.delete(del("a"));
    await engine.grant({ id: 8n, ttlMs: 1000 });
    t.is((await engine.status()).leases, 3);
  });

  test("a put with a time to live that fails grants nothing", async (t) => {
    const engine = await open(t);
    const command = put("a", "", { lease: withTtl(1000), expectedModRevision: 9 });
    await refused(t, "PRECONDITION_FAILED", engine.put(command));
    t.deepEqual(await leaseIds(engine), []);
  });

  test("a put with a time to live replaces the one that its key had", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await engine.put(put("a", "", { lease: withTtl(1000) }));
    await engine.put(put("a", "", { lease: withTtl(5000) }));
    t.is((await engine.status()).leases, 1);
    await clock.advanceAndSettle(4999);
    t.deepEqual(await keysThere(engine), ["a"]);
    await clock.advanceAndSettle(1);
    t.deepEqual(await keysThere(engine), []);
  });
}
