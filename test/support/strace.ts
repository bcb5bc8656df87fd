// kvd under strace, which makes system calls fail, or kills the process at one of them.
//
// strace counts the calls of each thread apart, so the files' work is given one thread.

import { spawnSync } from "node:child_process";
import { KVD, NODE, type ServerSetup } from "./process.js";

export type SystemCall = "pwrite64" | "fdatasync" | "fsync" | "rename" | "unlink" | "ftruncate";

export interface Injection {
  readonly call: SystemCall;
  /** Such as `error=EIO` or `signal=KILL`. */
  readonly what: string;
  /** At which of these calls: `3`, or `3..7`. */
  readonly when: string;
}

export function traced({ call, what, when }: Injection) {
  const rules = ["-e", `trace=${call}`, "-e", `inject=${call}:${what}:when=${when}`];
  return {
    kvd: ["strace", "-f", "-qq", "-o", "/dev/null", ...rules, NODE, KVD],
    environment: { UV_THREADPOOL_SIZE: "1" },
  } as const satisfies ServerSetup;
}

/** Why nothing can be traced here; undefined if it can. */
export function whyNoTrace(): string | undefined {
  const { status } = spawnSync("strace", ["-f", "-qq", "-o", "/dev/null", NODE, "--version"]);
  return status === 0 ? undefined : "strace that may trace";
}
