// Writes a golden directory, as it is after a kill and after a clean stop:
//
//   node dist/test/golden/write.js test/golden/v2
//
// Only for a new version of the format. Those that are there are never written again: they are what
// people have on their disks.

import { cp, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openMemoryEngine } from "../../server/engines/memory.js";
import { defaultLimits } from "../../server/kv/limits.js";
import { del, op, put, TXN_OPTIONS, txn, withLease, withTtl } from "../support/commands.js";
import { goldenFacts } from "../support/golden.js";
import { ManualClock } from "../support/manual-clock.js";
import { until } from "../support/take.js";

const target = process.argv[2] ?? "";
if (target === "") throw new Error("say where to");
const path = join(target, "stopped");
const clock = new ManualClock();
const engine = await openMemoryEngine({
  limits: defaultLimits(),
  clock,
  data: {
    path,
    snapshotIntervalMs: 3_600_000,
    snapshotLogBytes: 6000,
    segmentMaxBytes: 2000,
    spareBytes: 512,
  },
});

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await clock.settle();
}

/** The directory as it is after a kill at this moment; nothing is on its way. */
async function keepAs(name: string): Promise<void> {
  await until("nothing is on its way", async () => (await namesOf(/\.tmp$/)).length === 0);
  await cp(path, join(target, name), { recursive: true });
  await writeFile(join(target, `${name}.json`), `${JSON.stringify(await goldenFacts(engine))}\n`);
}

async function namesOf(pattern: RegExp): Promise<string[]> {
  return (await readdir(path)).filter((name) => pattern.test(name));
}

await engine.grant({ id: -7n, ttlMs: 600_000 });
await engine.grant({ id: 8n, ttlMs: 2000 });
await engine.grant({ id: 9n, ttlMs: 3_600_000 });
const pair = [op.put(put("second", "1")), op.put(put("first", "2"))];
await engine.txn(txn({ success: pair }), TXN_OPTIONS);
await engine.put(put("Äthiopien", "Addis Abeba", { lease: withLease(-7n) }));
await engine.put(put("expires", "", { lease: withLease(8n) }));
await engine.put(put("revoked", "", { lease: withLease(9n) }));
await engine.put(put("ttl", "x", { lease: withTtl(900_000) }));
await pass(3000);
await until("the expiry", async () => (await engine.status()).leases === 3);
await engine.revoke({ id: 9n });
await engine.put(put(Buffer.from([0, 255, 10]), Buffer.from([1, 2, 3])));
for (let round = 0; round < 20; round += 1) await engine.put(put(`key${round % 7}`, `${round}`));
await engine.compact({ revision: 12 });
await engine.keepAlive({ id: -7n });
await keepAs("log");
for (let count = 1; count <= 2; count += 1) {
  for (let round = 0; round < 30; round += 1) {
    await engine.put(put(`key${round % 5}`, `value ${round} `.repeat(20)));
  }
  await until("a snapshot", async () => {
    await pass(1000);
    return (await namesOf(/^snapshot-\d+\.kvd$/)).length >= count;
  });
}
const operations = [op.put(put("a", "1")), op.put(put("b", "2")), op.delete(del("key3"))];
await engine.txn(txn({ success: operations }), TXN_OPTIONS);
await engine.put(put("large", "large ".repeat(500)));
await engine.delete(del("large"));
await engine.put(put("last", "written"));
await keepAs("killed");
await cp(join(target, "killed.json"), join(target, "stopped.json"));
await engine.close();
