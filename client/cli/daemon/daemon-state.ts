// How the daemon is, from what the system, its files and itself tell.

import type { Status } from "../../index.js";
import type { DaemonFiles } from "./daemon-files.js";
import { lockHolder } from "./lock-holder.js";
import { statusOf } from "./serving.js";
import { portOfDaemon } from "./start.js";

export interface DaemonState {
  /**
   * "running": the daemon answers. "other": a kvd answers that is not the daemon, but was started
   * by hand. "not answering": it starts, stops, or hangs. "stopped": neither is there.
   */
  readonly state: "running" | "other" | "not answering" | "stopped";
  /** Where it listens; the default address when it does not. */
  readonly address: string;
  /** Of the daemon; undefined also when the system does not tell. */
  readonly pid: number | undefined;
  /** What it says of itself. */
  readonly status: Status | undefined;
}

/** `address` is the default one. */
export async function daemonState(address: string, files: DaemonFiles): Promise<DaemonState> {
  const holder = await lockHolder(files.dataDir);
  if (holder === undefined) {
    const status = await statusOf(address);
    return { state: status === undefined ? "stopped" : "other", address, pid: undefined, status };
  }
  const port = await portOfDaemon(files);
  const own = port === undefined ? address : `127.0.0.1:${port}`;
  const status = await statusOf(own);
  const state = status === undefined ? "not answering" : "running";
  return { state, address: own, pid: holder.pid, status };
}
