// A file of a disk that forgets, opened: what test/support/crashing-files.ts gives.

import type { OpenFile } from "../../server/lib/files.js";
import { type DiskErrorCode, type DiskOperation, diskError } from "./disk-faults.js";
import type { DiskFile } from "./disk-file.js";
import type { SeededRandom } from "./seeded-random.js";

export interface Operation<T> {
  readonly kind: DiskOperation;
  readonly path: string;
  run(): T;
  /** What has happened of it when the crash comes during it: all by default. */
  runPart?(): void;
  /** What its failing does. */
  fail?(): void;
}

/** What open files need of the disk. */
export interface DiskOfFile {
  do<T>(operation: Operation<T>): Promise<T>;
  random(): SeededRandom;
  isAt(path: string, file: DiskFile): boolean;
  roomFor(file: DiskFile, length: number, at: number): number;
  closed(file: CrashingFile): void;
}

interface CrashingFileOptions {
  readonly path: string;
  readonly file: DiskFile;
  readonly isWritable: boolean;
  readonly disk: DiskOfFile;
}

export class CrashingFile implements OpenFile {
  readonly file: DiskFile;
  readonly #path: string;
  readonly #isWritable: boolean;
  readonly #disk: DiskOfFile;
  #isClosed = false;

  constructor({ path, file, isWritable, disk }: CrashingFileOptions) {
    this.file = file;
    this.#path = path;
    this.#isWritable = isWritable;
    this.#disk = disk;
  }

  size(): Promise<number> {
    return this.#do("size", () => this.file.length);
  }

  read(into: Uint8Array, at: number): Promise<number> {
    return this.#do("read", () => this.file.read(into, at));
  }

  write(bytes: Uint8Array, at: number): Promise<number> {
    const run = () => {
      const count = this.#disk.roomFor(this.file, bytes.length, at);
      if (count === 0 && bytes.length > 0) throw this.#error("ENOSPC", "write");
      this.file.write(bytes.subarray(0, count), at);
      return count;
    };
    const runPart = () => {
      const count = this.#disk.random().below(bytes.length) + 1;
      this.file.write(bytes.subarray(0, count), at);
    };
    return this.#do("write", run, { runPart });
  }

  truncate(length: number): Promise<void> {
    return this.#do("truncate", () => this.file.truncate(length));
  }

  /** What is written while it runs is not synced by it. */
  sync(): Promise<void> {
    const { changes } = this.file;
    const fail = () => this.file.failToSync(this.#disk.random());
    return this.#do("sync", () => this.file.sync(changes), { fail });
  }

  isAt(path: string): Promise<boolean> {
    return this.#do("stat", () => this.#disk.isAt(path, this.file));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#disk.closed(this);
  }

  #do<T>(
    kind: DiskOperation,
    run: () => T,
    parts: Pick<Operation<T>, "runPart" | "fail"> = {},
  ): Promise<T> {
    const isDenied = this.#isClosed || (kind === "write" && !this.#isWritable);
    if (isDenied) return Promise.reject(this.#error("EBADF", kind));
    return this.#disk.do({ kind, path: this.#path, run, ...parts });
  }

  #error(code: DiskErrorCode, syscall: string): Error {
    return diskError(code, syscall, this.#path);
  }
}
