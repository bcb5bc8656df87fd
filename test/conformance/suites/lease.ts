// Leases and times to live.

import type { LeaseChoice } from "../../../server/kv/types.js";
import {
  all,
  brief,
  bytes,
  deleteOf,
  one,
  openWatch,
  put,
  putOf,
  refused,
  type Suite,
  takeEvents,
  valueAt,
} from "../suite.js";

const on = (id: bigint, maxKeys = 100_000): { lease: LeaseChoice } => ({
  lease: { kind: "lease", id, maxKeys },
});
const ttl = (ttlMs: number): { lease: LeaseChoice } => ({ lease: { kind: "ttl", ttlMs } });
const keep: { lease: LeaseChoice } = { lease: { kind: "keep" } };

export const leaseSuite: Suite = (test, open) => {
  test("a lease expires after its time, not before, and deletes its keys in one revision", async (t) => {
    const { engine, clock } = await open(t);
    const { id } = await engine.grant({ id: 0n, ttlMs: 10_000 });
    t.true(id > 0n);
    for (const key of ["b", "a", "c"]) await put(engine, key, "v", on(id));
    const watcher = await openWatch(t, engine, all);
    clock.advance(9_999);
    await clock.settle();
    t.is(await valueAt(engine, "a"), "v");
    clock.advance(1);
    const events = await takeEvents(watcher, 3);
    t.deepEqual(events.map(brief), ["5 delete a", "5 delete b", "5 delete c"]);
    t.true(events.every((event) => event.type === "delete" && event.reason === "expired"));
    await refused(t, engine.timeToLive({ id, withKeys: false, maxBytes: 1000 }), "LEASE_NOT_FOUND");
  });

  test("a renewal gives the full time again; of a lease that is gone it gives 0", async (t) => {
    const { engine, clock } = await open(t);
    const { id } = await engine.grant({ id: 5n, ttlMs: 10_000 });
    await put(engine, "a", "v", on(id));
    clock.advance(9_000);
    t.is((await engine.keepAlive({ id })).ttlMs, 10_000);
    clock.advance(9_000);
    await clock.settle();
    t.is(await valueAt(engine, "a"), "v");
    clock.advance(1_000);
    await clock.settle();
    t.is(await valueAt(engine, "a"), undefined);
    t.is((await engine.keepAlive({ id })).ttlMs, 0);
  });

  test("jumps of the wall clock do not touch leases", async (t) => {
    const { engine, clock } = await open(t);
    await put(engine, "a", "v", ttl(10_000));
    clock.jumpWall(3_600_000);
    await clock.settle();
    t.is(await valueAt(engine, "a"), "v");
    clock.jumpWall(-7_200_000);
    clock.advance(10_000);
    await clock.settle();
    t.is(await valueAt(engine, "a"), undefined);
  });

  test("a revocation deletes the keys with its own reason", async (t) => {
    const { engine } = await open(t);
    const { id } = await engine.grant({ id: -3n, ttlMs: 10_000 });
    await put(engine, "b", "v", on(id));
    await put(engine, "a", "v", on(id));
    const watcher = await openWatch(t, engine, all);
    t.deepEqual(await engine.revoke({ id }), { revision: 4, deleted: 2 });
    const events = await takeEvents(watcher, 2);
    t.deepEqual(events.map(brief), ["4 delete a", "4 delete b"]);
    t.true(events.every((event) => event.type === "delete" && event.reason === "revoked"));
    await refused(t, engine.revoke({ id }), "LEASE_NOT_FOUND");
  });

  test("the end of a lease without keys makes no revision", async (t) => {
    const { engine, clock } = await open(t);
    await engine.grant({ id: 1n, ttlMs: 1000 });
    await engine.grant({ id: 2n, ttlMs: 5000 });
    t.deepEqual(await engine.revoke({ id: 2n }), { revision: 1, deleted: 0 });
    clock.advance(1000);
    await clock.settle();
    t.deepEqual([(await engine.status()).revision, (await engine.status()).leases], [1, 0]);
  });

  test("any int64 but 0 is a lease's id, and it is taken once", async (t) => {
    const { engine } = await open(t);
    const ids = [-(2n ** 63n), -1n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n];
    for (const id of ids) t.is((await engine.grant({ id, ttlMs: 5000 })).id, id);
    await refused(t, engine.grant({ id: -1n, ttlMs: 5000 }), "LEASE_EXISTS");
    const { leases } = await engine.leases({ after: undefined, limit: 1000 });
    t.deepEqual(
      leases.map(({ id }) => id),
      ids,
    );
  });

  test("a plain put takes the key off its lease, keep_lease keeps it, another lease moves it", async (t) => {
    const { engine } = await open(t);
    for (const id of [1n, 2n]) await engine.grant({ id, ttlMs: 60_000 });
    const keysOn = async (id: bigint) =>
      (await engine.timeToLive({ id, withKeys: true, maxBytes: 1000 })).keys.map(String);
    await put(engine, "a", "v", on(1n));
    await put(engine, "a", "w", keep);
    t.is((await keysOn(1n)).length, 1);
    await put(engine, "a", "w", on(2n));
    t.deepEqual([(await keysOn(1n)).length, (await keysOn(2n)).length], [0, 1]);
    await put(engine, "a", "w");
    t.is((await keysOn(2n)).length, 0);
    t.is((await engine.put(putOf("absent", "v", keep))).leaseId, 0n);
  });

  test("a ttl grants a lease that vanishes with its last key", async (t) => {
    const { engine } = await open(t);
    const { leaseId, ttlMs } = await engine.put(putOf("a", "v", ttl(30_000)));
    t.true(leaseId > 0n);
    t.is(ttlMs, 30_000);
    t.is((await engine.status()).leases, 1);
    await put(engine, "b", "v", on(leaseId));
    await engine.delete(deleteOf(one("a")));
    t.is((await engine.status()).leases, 1);
    await put(engine, "b", "v");
    t.is((await engine.status()).leases, 0);
  });

  test("a ttl does not count against the limit of leases", async (t) => {
    const { engine } = await open(t, { leasesMax: 1 });
    await engine.grant({ id: 0n, ttlMs: 5000 });
    await put(engine, "a", "v", ttl(5000));
    await put(engine, "b", "v", ttl(5000));
    await refused(t, engine.grant({ id: 0n, ttlMs: 5000 }), "TOO_MANY_LEASES");
  });

  test("a lease takes as many keys as it may", async (t) => {
    const { engine } = await open(t, { leaseMaxKeys: 2 });
    await engine.grant({ id: 1n, ttlMs: 5000 });
    await put(engine, "a", "v", on(1n, 2));
    await put(engine, "b", "v", on(1n, 2));
    await refused(t, engine.put(putOf("c", "v", on(1n, 2))), "LEASE_FULL");
    await put(engine, "a", "again", on(1n, 2));
    t.is(await valueAt(engine, "c"), undefined);
  });

  test("what remains of a lease is told, and so are its keys in byte order", async (t) => {
    const { engine, clock } = await open(t);
    await engine.grant({ id: 1n, ttlMs: 10_000 });
    for (const key of ["b", "a", "\ufffd"]) await put(engine, key, "v", on(1n));
    clock.advance(2_500);
    const lease = await engine.timeToLive({ id: 1n, withKeys: true, maxBytes: 100_000 });
    t.deepEqual([lease.ttlMs, lease.grantedTtlMs, lease.more], [7_500, 10_000, false]);
    t.deepEqual(
      lease.keys.map((key) => Buffer.from(key).toString()),
      ["a", "b", "\ufffd"],
    );
    t.is((await engine.timeToLive({ id: 1n, withKeys: false, maxBytes: 1000 })).keys.length, 0);
  });

  test("many leases that end at once are all gone", async (t) => {
    const { engine, clock } = await open(t);
    for (let index = 0; index < 300; index += 1) await put(engine, `k${index}`, "v", ttl(5_000));
    clock.advance(5_000);
    await clock.settle();
    const { keys, leases } = await engine.status();
    t.deepEqual([keys, leases], [0, 0]);
  });

  test("the key of an expired lease can be written again at version 1", async (t) => {
    const { engine, clock } = await open(t);
    await put(engine, "a", "v", ttl(1_000));
    clock.advance(1_000);
    await clock.settle();
    await put(engine, "a", "w");
    t.is((await engine.get({ key: bytes("a"), revision: 0 })).entry?.version, 1);
  });
};
