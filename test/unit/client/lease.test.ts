// Leases through the client, against a real server: every call, good and bad. Expiry is the store's
// and is tested there, with a clock of its own.

import test from "ava";
import { KvdClientError, type LeaseInfo } from "../../../client/index.js";
import { serve } from "./served.js";

test("a lease is granted, renewed, asked after and revoked", async (t) => {
  const { kv } = await serve(t);
  const lease = await kv.lease.grant("1h");
  t.true(lease.id > 0n);
  t.like(lease, { ttlMs: 3_600_000, grantedTtlMs: 3_600_000, revision: 1 });
  await kv.put("b", "", { leaseId: lease.id });
  await kv.put(Uint8Array.of(0xff), "", { leaseId: lease.id });
  t.is(await kv.lease.keepAlive(lease.id), 3_600_000);
  const rest = await kv.lease.timeToLive(lease.id, { withKeys: true });
  t.is(rest.id, lease.id);
  t.true(rest.ttlMs > 0 && rest.ttlMs <= rest.grantedTtlMs);
  t.deepEqual(rest.keys, ["b", "\ufffd"]);
  t.deepEqual(rest.keyBytes, [Uint8Array.of(0x62), Uint8Array.of(0xff)]);
  t.false(rest.more);
  t.deepEqual((await kv.lease.timeToLive(lease.id)).keys, []);
  const { deleted, revision } = await kv.lease.revoke(lease.id);
  t.is(deleted, 2);
  t.is(revision, (await kv.maintenance.status()).revision);
  t.is(await kv.lease.keepAlive(lease.id), undefined);
});

test("a lease id is any int64 but 0", async (t) => {
  const { kv } = await serve(t);
  for (const id of [-1n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n]) {
    t.is((await kv.lease.grant("1m", { id })).id, id);
    t.is((await kv.lease.timeToLive(id)).id, id);
  }
  const listed: bigint[] = [];
  for await (const lease of kv.lease.list()) listed.push(lease.id);
  t.deepEqual(listed, [-(2n ** 63n), -1n, 2n ** 53n + 1n, 2n ** 63n - 1n]);
});

test("leases that are taken, unknown or out of range are refused with their reasons", async (t) => {
  const { kv } = await serve(t);
  await kv.lease.grant("1m", { id: 7n });
  const reasonOf = async (outcome: Promise<unknown>) =>
    (await t.throwsAsync(outcome, { instanceOf: KvdClientError }))?.reason;
  t.is(await reasonOf(kv.lease.grant("1m", { id: 7n })), "LEASE_EXISTS");
  t.is(await reasonOf(kv.lease.revoke(8n)), "LEASE_NOT_FOUND");
  t.is(await reasonOf(kv.lease.timeToLive(8n)), "LEASE_NOT_FOUND");
  t.is(await reasonOf(kv.lease.grant(999)), "TTL_OUT_OF_RANGE");
  t.is(await reasonOf(kv.lease.grant("3651d")), "TTL_OUT_OF_RANGE");
  await t.throwsAsync(kv.lease.grant("soon"), { instanceOf: TypeError });
  await t.throwsAsync(kv.lease.revoke(8 as unknown as bigint), { instanceOf: TypeError });
});

test("leases are listed page by page", async (t) => {
  const { kv } = await serve(t);
  const ids = Array.from({ length: 2500 }, (_, index) => BigInt(index + 1));
  await Promise.all(ids.map((id) => kv.lease.grant("1h", { id })));
  const leases: LeaseInfo[] = [];
  for await (const lease of kv.lease.list()) leases.push(lease);
  t.deepEqual(
    leases.map(({ id }) => id),
    ids,
  );
  t.is(leases[0]?.grantedTtlMs, 3_600_000);
});

test("many renewals at once all get their answers", async (t) => {
  const { kv } = await serve(t);
  const ids = Array.from({ length: 200 }, (_, index) => BigInt(index + 1));
  await Promise.all(ids.map((id) => kv.lease.grant(Number(id) * 1000, { id })));
  const answers = await Promise.all(ids.map((id) => kv.lease.keepAlive(id)));
  t.deepEqual(
    answers,
    ids.map((id) => Number(id) * 1000),
  );
});
