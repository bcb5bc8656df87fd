// Which process has the lock of a data directory: the one that is the server of its data.
//
// The lock is kvd's own (server/wal/folder-lock.ts): on Linux a listening socket named after the
// folder, elsewhere an open file. The system tells who has it, so there is no file with a process
// id that could be of yesterday.

import { execFile } from "node:child_process";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export interface LockHolder {
  /** Undefined when it may not be told: the process of another user. */
  readonly pid: number | undefined;
}

/** Undefined: nobody. */
export function lockHolder(dataDir: string): Promise<LockHolder | undefined> {
  return process.platform === "linux" ? holderOfSocket(dataDir) : holderOfFile(dataDir);
}

async function holderOfSocket(dataDir: string): Promise<LockHolder | undefined> {
  const folder = await stat(dataDir, { bigint: true }).catch(() => undefined);
  if (folder === undefined) return undefined;
  const sockets = await readFile("/proc/net/unix", "latin1").catch(() => "");
  const inode = inodeOfSocket(sockets, `kvd-${folder.dev}-${folder.ino}`);
  return inode === undefined ? undefined : { pid: await processWithSocket(inode) };
}

/** `name` is that of an abstract socket; the system writes its NUL bytes as @. */
export function inodeOfSocket(sockets: string, name: string): string | undefined {
  for (const line of sockets.split("\n")) {
    const [, , , , , , inode, path] = line.trim().split(/\s+/);
    if (path?.startsWith("@") === true && path.replace(/^@|@+$/g, "") === name) return inode;
  }
  return undefined;
}

async function processWithSocket(inode: string): Promise<number | undefined> {
  for (const pid of await readdir("/proc").catch(() => [])) {
    if (/^\d+$/.test(pid) && (await hasSocket(pid, inode))) return Number(pid);
  }
  return undefined;
}

/** Not for processes of others, whose files may not be seen, nor for one that has just ended. */
async function hasSocket(pid: string, inode: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  for (const fd of await readdir(folder).catch(() => [])) {
    const target = await readlink(join(folder, fd)).catch(() => "");
    if (target === `socket:[${inode}]`) return true;
  }
  return false;
}

/** Its one open file tells who has it: nobody else opens it. */
async function holderOfFile(dataDir: string): Promise<LockHolder | undefined> {
  const lsof = promisify(execFile)("lsof", ["-t", "--", join(dataDir, "lock")]);
  const pid = Number.parseInt((await lsof.catch(() => ({ stdout: "" }))).stdout, 10);
  return Number.isNaN(pid) ? undefined : { pid };
}
