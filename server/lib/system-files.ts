// The files of the system, through the callbacks of node:fs: what the log does for each group
// commit costs half of what it would with promises of node:fs.

import fs from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import type { Files, OpenFile } from "./files.js";

const MODES = { read: "r", write: "r+", new: "w+" } as const;

/** All but the lock, which is the data directory's matter. */
export const systemFiles: Omit<Files, "lock"> = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  names: (folder) => readdir(folder),
  open: (path, mode) =>
    new Promise((resolve, reject) => {
      fs.open(path, MODES[mode], 0o600, (error, fd) => {
        if (error === null) resolve(new SystemFile(fd));
        else reject(error);
      });
    }),
  rename,
  remove: (path) => rm(path, { force: true }),
  async syncFolder(path) {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};

class SystemFile implements OpenFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.#fd, (error, stats) => {
        if (error === null) resolve(stats.size);
        else reject(error);
      });
    });
  }

  read(into: Uint8Array, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, into, 0, into.length, at, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  write(bytes: Uint8Array, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.#fd, bytes, 0, bytes.length, at, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  truncate(length: number): Promise<void> {
    return call((done) => fs.ftruncate(this.#fd, length, done));
  }

  sync(): Promise<void> {
    return call((done) => fs.fdatasync(this.#fd, done));
  }

  async isAt(path: string): Promise<boolean> {
    const own = await new Promise<fs.BigIntStats>((resolve, reject) => {
      fs.fstat(this.#fd, { bigint: true }, (error, stats) => {
        if (error === null) resolve(stats);
        else reject(error);
      });
    });
    try {
      const there = await stat(path, { bigint: true });
      return there.dev === own.dev && there.ino === own.ino;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }

  close(): Promise<void> {
    return call((done) => fs.close(this.#fd, done));
  }
}

function call(run: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}
