// On what was measured: figures mean nothing without it.

import { spawnSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import type { Peer } from "./case.js";
import { IS_PINNED } from "./servers/cores.js";

const VERSION_FLAGS: Readonly<
  Record<Peer, { readonly command: string; readonly pattern: RegExp }>
> = {
  etcd: { command: "etcd", pattern: /etcd Version: (\S+)/ },
  redis: { command: "redis-server", pattern: /v=(\S+)/ },
  h2load: { command: "h2load", pattern: /nghttp2\/(\S+)/ },
};

export interface Machine {
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly pinned: boolean;
  /** Version by peer; null: not installed. */
  readonly peers: Readonly<Record<Peer, string | null>>;
}

/** With the Node of the servers. */
export function thisMachine(node: string): Machine {
  const all = cpus();
  return {
    node: spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim(),
    cpu: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    pinned: IS_PINNED,
    peers: { etcd: versionOf("etcd"), redis: versionOf("redis"), h2load: versionOf("h2load") },
  };
}

function versionOf(peer: Peer): string | null {
  const { command, pattern } = VERSION_FLAGS[peer];
  const { status, stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
  return status === 0 ? (pattern.exec(stdout)?.[1] ?? "of unknown version") : null;
}
