// A real etcd, for tests that compare kvd with it: one member, alone, in a folder of its own, gone
// with the test. It listens on sockets in that folder, so it needs no port and meets nobody.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inTime, RunningProcess, type Scope } from "../process.js";

export interface RunningEtcd {
  /** As gRPC clients take it. */
  readonly address: string;
  readonly process: RunningProcess;
}

/** etcd wants the form of a host and a port; it makes a file of that name. */
const CLIENTS = "localhost:1";
const PEERS = "localhost:2";
const SERVES = "serving client traffic insecurely";

/** An etcd that serves. */
export async function startEtcd(scope: Scope, args: readonly string[] = []): Promise<RunningEtcd> {
  const folder = await mkdtemp(join(memoryFolder(), "kvd-etcd-"));
  scope.teardown(() => rm(folder, { recursive: true, force: true }));
  const flags = [
    ...["--name", "judge", "--data-dir", "data", "--logger", "zap", "--log-outputs", "stdout"],
    ...["--listen-client-urls", `unix://${CLIENTS}`],
    ...["--advertise-client-urls", `unix://${CLIENTS}`],
    ...["--listen-peer-urls", `unix://${PEERS}`],
    ...["--initial-advertise-peer-urls", `http://${PEERS}`],
    ...["--initial-cluster", `judge=http://${PEERS}`],
  ];
  const process = new RunningProcess(scope, ["etcd", ...flags, ...args], { folder });
  const serves = process.output((stdout) => (stdout.includes(SERVES) ? true : undefined));
  await inTime(serves, "etcd");
  return { address: `unix:${join(folder, CLIENTS)}`, process };
}

/** It syncs every write, which in memory takes no time. */
function memoryFolder(): string {
  const inMemory = "/dev/shm";
  return existsSync(inMemory) ? inMemory : tmpdir();
}

/** Why this machine has none; undefined if it has. */
export function whyNoEtcd(): string | undefined {
  return spawnSync("etcd", ["--version"]).status === 0 ? undefined : "etcd";
}
