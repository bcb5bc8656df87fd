// etcdctl saves a snapshot of kvd, and kvd goes on from it.

import { spawnSync } from "node:child_process";
import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { connect } from "../../client/index.js";
import { KVD, NODE, run, startKvd, temporaryFolder } from "../support/process.js";
import { whereAble } from "../support/where-able.js";

const ENVIRONMENT = { ETCDCTL_API: "3" };
const hasEtcdctl = spawnSync("etcdctl", ["version"], { env: { ...process.env, ...ENVIRONMENT } });
const { declare, note } = whereAble(hasEtcdctl.status === 0 ? undefined : "etcdctl");

const kvd = (t: ExecutionContext, ...args: readonly string[]) => run(t, [NODE, KVD, ...args]);

/** Of a store with a key that was written twice. */
async function savedSnapshot(t: ExecutionContext): Promise<string> {
  const { address } = await startKvd(t);
  const kv = connect(address);
  t.teardown(() => kv.close());
  await kv.put("a", "before");
  await kv.put("a", "kept");
  const file = join(await temporaryFolder(t), "saved.db");
  const command = ["etcdctl", "--endpoints", address, "snapshot", "save", file] as const;
  const saved = await run(t, command, { environment: ENVIRONMENT });
  t.is(saved.exitCode, 0, saved.stderr);
  return file;
}

declare(`${note}what etcdctl has saved of kvd is restored by kvd`, async (t) => {
  const file = await savedSnapshot(t);
  const status = await kvd(t, "snapshot", "status", "--json", file);
  t.is(status.exitCode, 0, status.stderr);
  t.like(JSON.parse(status.stdout), { format: 2, revision: 3, changes: 2 });
  const dataDir = join(await temporaryFolder(t), "restored");
  const restored = await kvd(t, "restore", "--data-dir", dataDir, file);
  t.is(restored.exitCode, 0, restored.stderr);
  const { address } = await startKvd(t, { dataDir });
  const kv = connect(address);
  t.teardown(() => kv.close());
  t.like(await kv.get("a"), { createRevision: 2, modRevision: 3, version: 2 });
  t.is((await kv.get("a"))?.text(), "kept");
});

declare(`${note}what etcdctl has saved is refused when it is damaged or cut`, async (t) => {
  const file = await savedSnapshot(t);
  const bytes = await readFile(file);
  const last = await open(file, "r+");
  await last.truncate(bytes.length - 1);
  await last.close();
  const dataDir = join(await temporaryFolder(t), "restored");
  t.is((await kvd(t, "restore", "--data-dir", dataDir, file)).exitCode, 74);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(file, bytes);
  t.is((await kvd(t, "restore", "--data-dir", dataDir, file)).exitCode, 74);
  t.is((await kvd(t, "snapshot", "status", file)).exitCode, 74);
});
