// A connection that sends nothing, and tells what it would send.

import { createServer } from "node:net";
import test, { type ExecutionContext } from "ava";
import { absent, connectDry, type DryRequest, type Kvd, put } from "../../../client/index.js";

/** What a call asks for; it must fail, and as canceled. */
async function told(t: ExecutionContext, call: (kv: Kvd) => Promise<unknown>) {
  const requests: DryRequest[] = [];
  const kv = connectDry("127.0.0.1:1", (request) => requests.push(request));
  t.teardown(() => kv.close());
  await t.throwsAsync(call(kv), { code: "CANCELLED" });
  t.is(requests.length, 1);
  const [request] = requests as [DryRequest];
  return [request.method, JSON.parse(await request.json())];
}

test("each call is told as its message", async (t) => {
  t.deepEqual(await told(t, (kv) => kv.get("a", { revision: 7 })), [
    "kvd.v1.KvService/Get",
    { key: "a", revision: "7" },
  ]);
  t.deepEqual(await told(t, (kv) => kv.put(Uint8Array.of(255), "v", { ttl: "90s" })), [
    "kvd.v1.KvService/Put",
    { rawKey: "/w==", value: "dg==", ttl: "90s" },
  ]);
  const txn = { compare: [absent("a")], success: [put("a", "1")] };
  const compared = { key: "a", relation: "COMPARE_RELATION_EQUAL", exists: false };
  t.deepEqual(await told(t, (kv) => kv.txn(txn)), [
    "kvd.v1.KvService/Txn",
    { compares: [compared], success: [{ put: { key: "a", value: "MQ==" } }] },
  ]);
  t.deepEqual(await told(t, (kv) => kv.lease.keepAlive(-5n)), [
    "kvd.v1.LeaseService/KeepAlive",
    { id: "-5" },
  ]);
  t.deepEqual(await told(t, (kv) => kv.maintenance.status()), [
    "kvd.v1.MaintenanceService/Status",
    {},
  ]);
});

test("a watch is told as one of its own, the present entries with it", async (t) => {
  const first = async (kv: Kvd) => {
    for await (const _ of kv.watch({ prefix: "a" }, { includeCurrent: true })) t.fail();
  };
  t.deepEqual(await told(t, first), [
    "kvd.v1.KvService/Watch",
    { prefix: "a", includeCurrent: true },
  ]);
});

test("what is refused before it is sent is refused as ever", async (t) => {
  const kv = connectDry("127.0.0.1:1", () => t.fail());
  t.teardown(() => kv.close());
  await t.throwsAsync(kv.get("a", { revision: 0.5 }), { instanceOf: TypeError });
  t.throws(() => connectDry("nonsense", () => {}), { instanceOf: TypeError });
});

test("no connection is made", async (t) => {
  const server = createServer(() => t.fail());
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  t.teardown(() => server.close());
  const kv = connectDry(`127.0.0.1:${port}`, () => {});
  await t.throwsAsync(kv.get("a"), { code: "CANCELLED" });
  await kv.close();
});
