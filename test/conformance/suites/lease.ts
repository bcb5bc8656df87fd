// Leases: granting and renewing them, attaching keys, and what their limits refuse.

import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import {
  del,
  get,
  KEEP_LEASE,
  op,
  prefix,
  put,
  ROWS_MAX_BYTES,
  TXN_OPTIONS,
  text,
  txn,
  withLease,
  withTtl,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { ManualClock } from "../../support/manual-clock.js";
import { refused, refusedUnchanged } from "../../support/refused.js";

const TTL_MS = 30_000;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

const grant = (engine: Engine, id = 0n, ttlMs = TTL_MS) => engine.grant({ id, ttlMs });

const timeToLive = (engine: Engine, id: bigint) =>
  engine.timeToLive({ id, withKeys: true, maxBytes: ROWS_MAX_BYTES });

async function keysOfLease(engine: Engine, id: bigint): Promise<string[]> {
  return (await timeToLive(engine, id)).keys.map(text);
}

async function leaseOfKey(engine: Engine, key: string): Promise<bigint | undefined> {
  return (await engine.get(get(key))).entry?.leaseId;
}

async function leaseIds(engine: Engine): Promise<bigint[]> {
  const { leases } = await engine.leases({ after: undefined, limit: 1000 });
  return leases.map(({ id }) => id);
}

export function leaseSuite(test: TestFn, open: OpenEngine): void {
  test("ids that are chosen for leases are positive and differ", async (t) => {
    const engine = await open(t);
    const ids = new Set<bigint>();
    for (let count = 0; count < 20; count += 1) ids.add((await grant(engine)).id);
    t.is(ids.size, 20);
    for (const id of ids) t.true(id > 0n && id <= INT64_MAX);
  });

  test("a grant makes no revision and tells the current one", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const { revision, ttlMs, grantedTtlMs } = await grant(engine);
    t.deepEqual([revision, ttlMs, grantedTtlMs], [2, TTL_MS, TTL_MS]);
    t.is((await engine.status()).revision, 2);
  });

  for (const id of [1n, -1n, 2n ** 53n + 1n, INT64_MAX, INT64_MIN]) {
    test(`a lease can have the id ${id}`, async (t) => {
      const engine = await open(t);
      t.is((await grant(engine, id)).id, id);
      t.is((await engine.put(put("a", "", { lease: withLease(id) }))).leaseId, id);
      t.is(await leaseOfKey(engine, "a"), id);
      t.deepEqual(await keysOfLease(engine, id), ["a"]);
      t.is((await engine.revoke({ id })).deleted, 1);
    });
  }

  test("an id that is taken is refused; once its lease is gone it is free", async (t) => {
    const engine = await open(t);
    await grant(engine, 7n);
    await refusedUnchanged(t, "LEASE_EXISTS", engine, () => grant(engine, 7n, 5000));
    t.is((await timeToLive(engine, 7n)).grantedTtlMs, TTL_MS);
    await engine.revoke({ id: 7n });
    t.is((await grant(engine, 7n)).id, 7n);
  });

  test("a put attaches its key, and answers the lease and its granted time", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await grant(engine, 7n);
    clock.advance(1000);
    const { leaseId, ttlMs } = await engine.put(put("a", "", { lease: withLease(7n) }));
    t.deepEqual([leaseId, ttlMs], [7n, TTL_MS]);
    t.is(await leaseOfKey(engine, "a"), 7n);
  });

  test("a put without a lease takes its key from the lease that it had", async (t) => {
    const engine = await open(t);
    await grant(engine, 7n);
    await engine.put(put("a", "", { lease: withLease(7n) }));
    const { leaseId, ttlMs } = await engine.put(put("a"));
    t.deepEqual([leaseId, ttlMs, await leaseOfKey(engine, "a")], [0n, 0, 0n]);
    t.deepEqual(await keysOfLease(engine, 7n), []);
  });

  test("a put with another lease moves its key there", async (t) => {
    const engine = await open(t);
    await grant(engine, 7n);
    await grant(engine, 8n);
    await engine.put(put("a", "", { lease: withLease(7n) }));
    await engine.put(put("a", "", { lease: withLease(8n) }));
    t.deepEqual([await keysOfLease(engine, 7n), await keysOfLease(engine, 8n)], [[], ["a"]]);
    t.is((await engine.revoke({ id: 7n })).deleted, 0);
    t.is(await leaseOfKey(engine, "a"), 8n);
  });

  test("a put that keeps the lease keeps it, and answers its granted time", async (t) => {
    const engine = await open(t);
    await grant(engine, 7n);
    await engine.put(put("a", "1", { lease: withLease(7n) }));
    const { leaseId, ttlMs } = await engine.put(put("a", "2", { lease: KEEP_LEASE }));
    t.deepEqual([leaseId, ttlMs], [7n, TTL_MS]);
    t.deepEqual(await keysOfLease(engine, 7n), ["a"]);
  });

  test("a put that keeps the lease of an absent key, or of one without, has none", async (t) => {
    const engine = await open(t);
    await grant(engine, 7n);
    await engine.put(put("b"));
    await engine.put(put("c", "", { lease: withLease(7n) }));
    await engine.delete(del("c"));
    for (const key of ["a", "b", "c"]) {
      t.is((await engine.put(put(key, "", { lease: KEEP_LEASE }))).leaseId, 0n);
    }
    t.deepEqual(await keysOfLease(engine, 7n), []);
  });

  test("a delete takes its keys from their leases, which stay", async (t) => {
    const engine = await open(t);
    await grant(engine, 7n);
    for (const key of ["a1", "a2", "b"]) await engine.put(put(key, "", { lease: withLease(7n) }));
    await engine.delete(del(prefix("a")));
    t.deepEqual(await keysOfLease(engine, 7n), ["b"]);
    await engine.delete(del("b"));
    t.deepEqual([await keysOfLease(engine, 7n), await leaseIds(engine)], [[], [7n]]);
  });

  test("keys of a lease come in byte order", async (t) => {
    const engine = await open(t);
    await grant(engine, 7n);
    const keys = ["\u{1f600}", "\ufffd", "b", "a", "a\0"];
    for (const key of keys) await engine.put(put(key, "", { lease: withLease(7n) }));
    t.deepEqual(await keysOfLease(engine, 7n), ["a", "a\0", "b", "\ufffd", "\u{1f600}"]);
    const without = await engine.timeToLive({ id: 7n, withKeys: false, maxBytes: ROWS_MAX_BYTES });
    t.deepEqual([without.keys, without.more], [[], false]);
  });

  test("as many keys of a lease come as fit the answer, and it says whether there are more", async (t) => {
    const responseMaxBytes = 32 * 1024;
    const engine = await open(t, { limits: { responseMaxBytes } });
    await grant(engine, 7n);
    for (let index = 0; index < 10; index += 1) {
      await engine.put(put(`${index}`.padEnd(8192, "x"), "", { lease: withLease(7n) }));
    }
    const query = { id: 7n, withKeys: true, maxBytes: responseMaxBytes };
    const { keys, more } = await engine.timeToLive(query);
    t.true(keys.length >= 2 && keys.length <= 4);
    t.true(more);
    t.deepEqual(
      keys.map((key) => text(key).slice(0, 1)),
      ["0", "1", "2", "3"].slice(0, keys.length),
    );
  });

  test("what remains of a lease goes down with time, in whole milliseconds", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await grant(engine, 7n, 10_000);
    clock.advance(2500.25);
    const { ttlMs, grantedTtlMs } = await timeToLive(engine, 7n);
    t.deepEqual([ttlMs, grantedTtlMs], [7499, 10_000]);
  });

  test("a renewal gives the full time again", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    await grant(engine, 7n, 10_000);
    clock.advance(9000);
    t.deepEqual(await engine.keepAlive({ id: 7n }), { ttlMs: 10_000 });
    t.is((await timeToLive(engine, 7n)).ttlMs, 10_000);
    t.is((await engine.status()).revision, 1);
  });

  test("a renewal of a lease that is not there answers 0 and makes none", async (t) => {
    const engine = await open(t);
    for (const id of [404n, -404n]) t.deepEqual(await engine.keepAlive({ id }), { ttlMs: 0 });
    t.deepEqual(await leaseIds(engine), []);
  });

  test("a lease that is not there cannot be used, asked after or revoked", async (t) => {
    const engine = await open(t);
    await grant(engine, 7n);
    for (const attempt of [
      () => engine.put(put("a", "", { lease: withLease(404n) })),
      () => engine.put(put("a", "", { lease: withLease(-7n) })),
      () => timeToLive(engine, 404n),
      () => engine.revoke({ id: 404n }),
    ]) {
      await refusedUnchanged(t, "LEASE_NOT_FOUND", engine, attempt);
    }
  });

  test("a lease has as many keys as one may, and those can be written again", async (t) => {
    const engine = await open(t, { limits: { leaseMaxKeys: 2 } });
    await grant(engine, 7n);
    const lease = withLease(7n, 2);
    for (const key of ["a", "b"]) await engine.put(put(key, "", { lease }));
    const attempt = () => engine.put(put("c", "", { lease }));
    await refusedUnchanged(t, "LEASE_FULL", engine, attempt);
    await engine.put(put("a", "again", { lease }));
    await engine.put(put("b"));
    await attempt();
    t.deepEqual(await keysOfLease(engine, 7n), ["a", "c"]);
  });

  test("keys that a txn would attach count within it", async (t) => {
    const engine = await open(t, { limits: { leaseMaxKeys: 2 } });
    await grant(engine, 7n);
    const attach = (key: string) => op.put(put(key, "", { lease: withLease(7n, 2) }));
    const error = await refusedUnchanged(t, "LEASE_FULL", engine, () =>
      engine.txn(txn({ success: ["a", "b", "c"].map(attach) }), TXN_OPTIONS),
    );
    t.is(error.details.operation, "success[2]");
    await engine.txn(txn({ success: ["a", "b"].map(attach) }), TXN_OPTIONS);
    t.deepEqual(await keysOfLease(engine, 7n), ["a", "b"]);
  });

  test("there are as many leases as there may be; a revocation makes room", async (t) => {
    const engine = await open(t, { limits: { leasesMax: 2 } });
    await grant(engine, 1n);
    await grant(engine, 2n);
    await refusedUnchanged(t, "TOO_MANY_LEASES", engine, () => grant(engine));
    await refusedUnchanged(t, "LEASE_EXISTS", engine, () => grant(engine, 1n));
    await engine.revoke({ id: 1n });
    await grant(engine, 3n);
    t.deepEqual(await leaseIds(engine), [2n, 3n]);
  });

  test("leases are listed by id, from any id on", async (t) => {
    const clock = new ManualClock();
    const engine = await open(t, { clock });
    for (const id of [5n, INT64_MIN, -5n, INT64_MAX, 1n]) await grant(engine, id, 60_000);
    clock.advance(1000);
    t.deepEqual(await leaseIds(engine), [INT64_MIN, -5n, 1n, 5n, INT64_MAX]);
    const some = await engine.leases({ after: -5n, limit: 2 });
    t.deepEqual(some, {
      leases: [
        { id: 1n, ttlMs: 59_000, grantedTtlMs: 60_000 },
        { id: 5n, ttlMs: 59_000, grantedTtlMs: 60_000 },
      ],
      more: true,
    });
    const rest = await engine.leases({ after: 5n, limit: 2 });
    t.deepEqual([rest.leases.map(({ id }) => id), rest.more], [[INT64_MAX], false]);
  });

  test("more leases than a page has are all listed, each once", async (t) => {
    const engine = await open(t);
    const ids = Array.from({ length: 1500 }, (_, index) => BigInt(index - 700) * 3n || 1n);
    for (const id of ids) await grant(engine, id);
    const { leases, more } = await engine.leases({ after: undefined, limit: 2000 });
    t.deepEqual(
      leases.map(({ id }) => id),
      ids,
    );
    t.false(more);
  });

  test("status counts the leases, those of a time to live too", async (t) => {
    const engine = await open(t);
    await grant(engine, 7n);
    await engine.put(put("a", "", { lease: withTtl(1000) }));
    t.is((await engine.status()).leases, 2);
  });

  test("a revocation answers the revision and how many keys went", async (t) => {
    const engine = await open(t);
    await grant(engine, 7n);
    for (const key of ["a", "b"]) await engine.put(put(key, "", { lease: withLease(7n) }));
    t.deepEqual(await engine.revoke({ id: 7n }), { revision: 4, deleted: 2 });
    t.is((await engine.status()).keys, 0);
    await refused(t, "LEASE_NOT_FOUND", timeToLive(engine, 7n));
  });

  test("a revocation of a lease without keys makes no revision", async (t) => {
    const engine = await open(t);
    await grant(engine, 7n);
    await engine.put(put("a", "", { lease: withLease(7n) }));
    await engine.put(put("a"));
    t.deepEqual(await engine.revoke({ id: 7n }), { revision: 3, deleted: 0 });
    t.is((await engine.status()).keys, 1);
  });
}
