// Ends the daemon: asks it to, and waits until it is gone.
//
// It is the process that has the lock of the data directory at that moment, so no other process is
// ever sent a signal, whatever a file of yesterday says.

import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import type { DaemonFiles } from "./daemon-files.js";
import { lockHolder } from "./lock-holder.js";

/** kvd lets calls in flight take 10 s, and closes its data after that. */
const STOP_MS = 30_000;
/** The system tells nobody but its parent that a process has ended. */
const PAUSE_MS = 20;

/** The process that was ended; undefined: none ran. @throws Failure when it does not end. */
export async function stopDaemon(
  files: DaemonFiles,
  signal: AbortSignal,
): Promise<number | undefined> {
  const holder = await lockHolder(files.dataDir);
  if (holder === undefined) return undefined;
  const { pid } = holder;
  if (pid === undefined) {
    const text = `another user's process has ${files.dataDir}: it cannot be told which`;
    throw new Failure(EXIT.denied, text);
  }
  send(pid);
  const deadline = performance.now() + STOP_MS;
  while (!(await isGone(pid, files))) {
    if (performance.now() > deadline) {
      const text = `kvd (pid ${pid}) was asked to end, and has not after ${STOP_MS / 1_000}s`;
      throw new Failure(EXIT.deadline, `${text}; its log is ${files.log}`);
    }
    await pause(PAUSE_MS, undefined, { signal });
  }
  return pid;
}

function send(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // It ended by itself meanwhile.
    if (code === "ESRCH") return;
    const text = `kvd (pid ${pid}) may not be ended by this user`;
    throw new Failure(EXIT.denied, text, { cause: error });
  }
}

async function isGone(pid: number, files: DaemonFiles): Promise<boolean> {
  if ((await lockHolder(files.dataDir))?.pid === pid) return false;
  try {
    process.kill(pid, 0);
  } catch {
    return true;
  }
  return isZombie(pid);
}

/** Ended, but not yet buried by its parent. */
async function isZombie(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  return /\)\s+[ZX]\s/.test(stat);
}
