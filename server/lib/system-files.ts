// The files of the system, through the callbacks of node:fs: what the log does for each group
// commit costs half of what it would with promises of node:fs.

import fs from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Files, OpenFile } from "./files.js";

const MODES = { read: "r", write: "r+", new: "w+" } as const;

/** All but the lock, which is the data directory's matter. */
export const systemFiles: Omit<Files, "lock"> = {
  async makeFolder(path) {
    const first = await mkdir(path, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    // A folder that is made is durable once the one above it is synced.
    for (let made = resolve(path); ; made = dirname(made)) {
      await syncFolder(dirname(made));
      if (made === resolve(first) || made === dirname(made)) return;
    }
  },
  names: (folder) => readdir(folder),
  open: (path, mode) =>
    new Promise((resolve, reject) => {
      fs.open(path, MODES[mode], 0o600, (error, fd) => {
        if (error === null) resolve(new SystemFile(path, fd));
        else reject(error);
      });
    }),
  rename,
  remove: (path) => rm(path, { force: true }),
  syncFolder,
};

/** To sync it later. */
export function openFolder(path: string): Promise<FileHandle> {
  return open(path, "r");
}

async function syncFolder(path: string): Promise<void> {
  const folder = await openFolder(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Names the file in errors: the system does not. */
class SystemFile implements OpenFile {
  readonly #path: string;
  #fd: number;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  async size(): Promise<number> {
    return Number((await this.#stat()).size);
  }

  read(into: Uint8Array, at: number): Promise<number> {
    return this.#call((fd, done) => fs.read(fd, into, 0, into.length, at, done));
  }

  write(bytes: Uint8Array, at: number): Promise<number> {
    return this.#call((fd, done) => fs.write(fd, bytes, 0, bytes.length, at, done));
  }

  truncate(length: number): Promise<void> {
    return this.#call((fd, done) => fs.ftruncate(fd, length, done));
  }

  sync(): Promise<void> {
    return this.#call((fd, done) => fs.fdatasync(fd, done));
  }

  async isAt(path: string): Promise<boolean> {
    const own = await this.#stat();
    try {
      const there = await stat(path, { bigint: true });
      return there.dev === own.dev && there.ino === own.ino;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#call((fd, done) => {
      // Another file may have the same number from now on.
      this.#fd = CLOSED;
      fs.close(fd, done);
    });
  }

  #stat(): Promise<fs.BigIntStats> {
    return this.#call((fd, done) => fs.fstat(fd, { bigint: true }, done));
  }

  #call<T>(run: (fd: number, done: (error: Error | null, value?: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#fd === CLOSED) throw new Error(`${this.#path} is closed`);
      run(this.#fd, (error, value) => {
        if (error === null) {
          resolve(value as T);
        } else {
          error.message += `, '${this.#path}'`;
          reject(error);
        }
      });
    });
  }
}

const CLOSED = -1;
