// The kvd of this package as a process: as the daemon, which outlives kvctl, or attached to it.
//
// It gets little of kvctl's environment. What KVD_* or NODE_OPTIONS say in one shell must not
// decide how a server runs that all shells use.

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import type { Environment } from "../user-folders.js";
import type { DaemonFiles } from "./daemon-files.js";

const INHERITED = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

export interface KvdSetup {
  readonly files: DaemonFiles;
  /** Where it listens: "127.0.0.1:7856". */
  readonly address: string;
  readonly environment: Environment;
  /** More flags of kvd. */
  readonly flags: readonly string[];
}

/** Detached from kvctl, its terminal and its folder. */
export function spawnDaemon(setup: KvdSetup): ChildProcess {
  const { files } = setup;
  // For what kvd does not log: what Node says when it cannot even begin.
  const log = openSync(files.log, "a", 0o600);
  try {
    const more = ["--log-file", files.log];
    return spawnKvd(setup, more, { stdio: ["ignore", log, log], cwd: files.folder });
  } finally {
    closeSync(log);
  }
}

/** With its log on kvctl's output. A signal reaches it only through kvctl: twice would kill it. */
export function spawnAttached(setup: KvdSetup): ChildProcess {
  return spawnKvd(setup, [], { stdio: ["ignore", "inherit", "inherit"] });
}

function spawnKvd(
  { files, address, environment, flags }: KvdSetup,
  more: readonly string[],
  options: Pick<SpawnOptions, "stdio" | "cwd">,
): ChildProcess {
  const { dataDir, portFile } = files;
  const own = ["--listen", address, "--data-dir", dataDir, "--port-file", portFile];
  const child = spawn(process.execPath, [kvdProgram(), ...own, ...more, ...flags], {
    detached: true,
    ...options,
    env: Object.fromEntries(INHERITED.map((name) => [name, environment[name]])),
  });
  // It is noticed by its end.
  child.on("error", () => {});
  return child;
}

/** Beside the bundle of kvctl; before there is one, what the compiler wrote. */
function kvdProgram(): string {
  for (const place of ["../../../bin/kvd.js", "../../../server/main.js"]) {
    const path = fileURLToPath(new URL(place, import.meta.url));
    if (existsSync(path)) return path;
  }
  throw new Failure(EXIT.internal, "the kvd of this package is not there: install it anew");
}

/** Its exit code, or the name of the signal that ended it; undefined while it runs. */
export function endOf(child: ChildProcess): number | string | undefined {
  if (child.pid === undefined) return "it could not be run";
  return child.exitCode ?? child.signalCode ?? undefined;
}
