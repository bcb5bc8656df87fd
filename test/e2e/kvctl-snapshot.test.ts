// kvctl snapshot save as a process: from a store that is written to, into files that are whole or
// not there, and back into a store by kvd restore.

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../client/index.js";
import {
  KVCTL,
  KVD,
  kvctlFor,
  NODE,
  RunningProcess,
  run,
  startKvd,
  temporaryFolder,
} from "../support/process.js";

async function setUp(t: ExecutionContext) {
  const server = await startKvd(t);
  const kv = connect(server.address);
  t.teardown(() => kv.close());
  const folder = await temporaryFolder(t);
  const kvctl = kvctlFor(t, server.address);
  return { server, kv, kvctl, folder, file: join(folder, "store.kvd") };
}

test("a snapshot that is saved during an import is the store at its revision", async (t) => {
  const { kv, kvctl, folder, file } = await setUp(t);
  await kv.lease.grant("1h", { id: 7n });
  await kv.put("leased", "v", { leaseId: 7n });
  const value = "v".repeat(100);
  const lines = Array.from({ length: 20_000 }, (_, index) =>
    JSON.stringify({ key: `k${index % 5_000}`, value: `${index} ${value}` }),
  );
  const importing = kvctl.with({ stdin: lines.join("\n") })("import", "-");
  for await (const { key } of kv.watch({ prefix: "k" })) if (key === "k999") break;
  const saved = await kvctl("snapshot", "save", file, "--output", "json");
  t.is(saved.exitCode, 0, saved.stderr);
  t.is((await importing).exitCode, 0);
  const { revision, sha256 } = JSON.parse(saved.stdout);

  const status = await run(t, [NODE, KVD, "snapshot", "status", file, "--json"]);
  t.like(JSON.parse(status.stdout), { revision, sha256, leases: 1 });
  const dataDir = join(folder, "data");
  t.is((await run(t, [NODE, KVD, "restore", file, "--data-dir", dataDir])).exitCode, 0);
  const restored = kvctlFor(t, (await startKvd(t, { dataDir })).address);
  const was = await kvctl("export", "--prefix", "k", "--rev", String(revision));
  t.is((await restored("export", "--prefix", "k")).stdout, was.stdout);
  t.is((await restored("lease", "info", "7", "--keys")).stdout.split("\n")[1], "leased");
});

test("a snapshot goes through a pipe as it is", async (t) => {
  const { server, kv, file } = await setUp(t);
  await kv.put("k", "v".repeat(100_000));
  const environment = { KVCTL_SERVER: server.address };
  const pipe = `"${NODE}" "${KVCTL}" snapshot save - | cat > "${file}"`;
  const { stderr } = await run(t, ["bash", "-o", "pipefail", "-c", pipe], { environment });
  const { stdout } = await run(t, [NODE, KVD, "snapshot", "status", file, "--json"]);
  const { revision, sha256, bytes } = JSON.parse(stdout);
  t.true(stderr.startsWith(`revision ${revision}, `) && stderr.includes(`${bytes}`));
  t.true(stderr.endsWith(`sha256 ${sha256}\n`));
});

test("a save that ends in the middle leaves nothing under the name", async (t) => {
  const { server, kv, folder, file } = await setUp(t);
  await kv.put("k", "v");
  const environment = { KVCTL_SERVER: server.address };
  const saves = () =>
    new RunningProcess(t, [NODE, KVCTL, "snapshot", "save", file, "--timeout", "0"], {
      environment,
    });
  server.process.signal("SIGSTOP");
  const killed = saves();
  await appears(folder);
  await killed.kill();
  t.false(existsSync(file));
  const [left] = await readdir(folder);
  t.regex(left ?? "", /\.partial$/);
  const interrupted = saves();
  await appears(folder, left);
  interrupted.signal("SIGINT");
  t.is((await interrupted.ended).exitCode, 130);
  t.deepEqual(await readdir(folder), [left]);
  server.process.signal("SIGCONT");
  t.is((await saves().ended).exitCode, 0);
  t.true(existsSync(file));
});

/** Waits for a file, other than `known`, in the folder. */
async function appears(folder: string, known?: string): Promise<void> {
  while ((await readdir(folder)).every((name) => name === known)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
