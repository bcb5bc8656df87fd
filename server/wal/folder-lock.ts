// One process at a time in a folder. The kernel frees the lock when its holder dies, however it
// dies.
//
// Linux: an abstract Unix socket named after the folder's device and inode, so that symbolic links
// and relative paths do not matter (it holds within one network namespace). macOS and the BSDs have
// no such sockets; there open() itself can take an exclusive lock on a file. Node has no flock().

import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { FolderLock } from "../lib/files.js";
import { DataError } from "./data-error.js";

/** Where there are no abstract sockets. It stays when the lock is released. */
export const LOCK_FILE = "lock";

/** @throws DataError when another process has it. */
export function lockFolder(folder: string): Promise<FolderLock> {
  return process.platform === "linux" ? lockBySocket(folder) : lockByFile(folder);
}

async function lockBySocket(folder: string): Promise<FolderLock> {
  const { dev, ino } = await stat(folder, { bigint: true });
  const server = createServer((socket) => socket.destroy());
  await listen(server, `\0kvd-${dev}-${ino}`, folder);
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

function listen(server: Server, path: string, folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "EADDRINUSE" ? inUse(folder) : error);
    });
    server.listen(path, resolve);
  });
}

/** <fcntl.h> of macOS, FreeBSD, NetBSD and OpenBSD; Node has no name for it. */
const O_EXLOCK = 0x20;

async function lockByFile(folder: string): Promise<FolderLock> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | O_EXLOCK;
  let file: FileHandle;
  try {
    file = await open(join(folder, LOCK_FILE), flags, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === "EAGAIN" || code === "EWOULDBLOCK" ? inUse(folder) : error;
  }
  return { release: () => file.close() };
}

function inUse(folder: string): DataError {
  return new DataError(`${folder} is in use by another kvd`);
}
