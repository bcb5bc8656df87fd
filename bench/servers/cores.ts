// Which core does what: servers run on core 0, with all their threads, the load on core 1.

import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** Without taskset, or with a single core, nothing is pinned, and the table says so. */
export const IS_PINNED =
  availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

/** The words of a command that is to run on a core. */
export function onCore(core: number, words: readonly string[]): readonly string[] {
  return IS_PINNED ? ["taskset", "-c", String(core), ...words] : words;
}

/** Puts this process, with the threads that it has, on the core of the load. */
export function pinThisProcess(): void {
  if (IS_PINNED) spawnSync("taskset", ["-a", "-p", "-c", String(LOAD_CORE), String(process.pid)]);
}
