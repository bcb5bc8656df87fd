// kvd and the null server as processes, and what runs beside them on files.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ServerProcess } from "./server-process.js";

const KVD = fileURLToPath(new URL("../../bin/kvd.js", import.meta.url));
const NULL_SERVER = fileURLToPath(new URL("../null-server.js", import.meta.url));
export const KVCTL = fileURLToPath(new URL("../../bin/kvctl.js", import.meta.url));

export interface KvdOptions {
  /** The executable of Node. */
  readonly node: string;
  /** Flags of Node, such as those of its profiler. */
  readonly nodeFlags?: readonly string[];
  /** Where the data is; in memory without. */
  readonly dataDir?: string;
  readonly flags?: readonly string[];
  readonly onOutput?: (text: string) => void;
}

export function startKvd(options: KvdOptions): Promise<ServerProcess> {
  const { node, nodeFlags = [], dataDir, flags = [], onOutput } = options;
  const data = dataDir === undefined ? ["--memory"] : ["--data-dir", dataDir];
  const words = [node, ...nodeFlags, KVD, "--listen", "127.0.0.1:0", ...data, ...flags];
  return ServerProcess.start(words, {
    portIn: numberIn(/"address":"[^"]+:(\d+)"/),
    ...(onOutput && { onOutput }),
  });
}

/** Handlers that answer at once: what grpc-js itself takes. */
export function startNullServer({ node }: Pick<KvdOptions, "node">): Promise<ServerProcess> {
  return ServerProcess.start([node, NULL_SERVER], { portIn: numberIn(/listening on (\d+)/) });
}

/** Makes a data directory of a snapshot. @throws Error when kvd refuses. */
export function restoreSnapshot(node: string, file: string, dataDir: string): void {
  const { status, stderr } = spawnSync(node, [KVD, "restore", "--data-dir", dataDir, file]);
  if (status !== 0) throw new Error(`kvd restore: ${stderr}`);
}

export function numberIn(pattern: RegExp): (output: string) => number | undefined {
  return (output) => {
    const found = pattern.exec(output)?.[1];
    return found === undefined ? undefined : Number(found);
  };
}
