// kvctl lease keep-alive as a process: over a restart of the server, and when the lease goes.

import { join } from "node:path";
import test from "ava";
import { connect } from "../../client/index.js";
import {
  KVCTL,
  NODE,
  RunningProcess,
  type Scope,
  startKvd,
  temporaryFolder,
} from "../support/process.js";

function keepAlive(scope: Scope, address: string, ...more: string[]): RunningProcess {
  const environment = { KVCTL_SERVER: address };
  return new RunningProcess(scope, [NODE, KVCTL, "lease", "keep-alive", "7", ...more], {
    environment,
  });
}

const linesOf = (stdout: string) => stdout.split("\n").filter((line) => line !== "");

test("a lease is kept over a restart of the server, until the interruption", async (t) => {
  const dataDir = await temporaryFolder(t);
  const listen = `unix:${join(await temporaryFolder(t), "socket")}`;
  const first = await startKvd(t, { dataDir, listen });
  const kv = connect(first.address);
  t.teardown(() => kv.close());
  await kv.lease.grant("9s", { id: 7n });
  await kv.put("k", "v", { leaseId: 7n });
  const keeper = keepAlive(t, first.address, "--output", "jsonl");
  await keeper.output((stdout) => linesOf(stdout).length >= 1 || undefined);
  first.process.signal("SIGTERM");
  t.is((await first.process.ended).exitCode, 0);
  await startKvd(t, { dataDir, listen });
  await keeper.output((stdout) => linesOf(stdout).length >= 2 || undefined);
  for (const line of linesOf(keeper.stdout))
    t.deepEqual(JSON.parse(line), { lease: "7", ttl: "9s" });
  keeper.signal("SIGINT");
  t.is((await keeper.ended).exitCode, 130);
  await using again = connect(first.address);
  t.is((await again.get("k"))?.text(), "v");
});

test("keep-alive ends with 1 when the lease was revoked", async (t) => {
  const { address } = await startKvd(t);
  await using kv = connect(address);
  await kv.lease.grant("3s", { id: 7n });
  const keeper = keepAlive(t, address);
  await keeper.output((stdout) => stdout === "lease 7, ttl 3s\n" || undefined);
  await kv.lease.revoke(7n);
  const { exitCode, stderr } = await keeper.ended;
  t.is(exitCode, 1);
  t.regex(stderr, /^kvctl: there is no lease 7: it ended, or it never was\n$/);
});
