// A disk in memory that forgets what was not synced, with a seed: power cuts, killed processes, and
// the faults of test/support/disk-faults.ts.
//
// Each operation that changes something is a step with a number, and a crash can be at each. From
// the crash on nothing that the process asks for comes back. What is under way then has not
// happened; only the step of the crash itself may be half done.
//
// kill() and powerCut() give the disk as the next process would find it, at any time and as often
// as wanted: copies, which share nothing.

import { dirname } from "node:path";
import type { Files, FolderLock, OpenFile } from "../../server/lib/files.js";
import { DataError } from "../../server/wal/data-error.js";
import { CrashingFile, type DiskOfFile, type Operation } from "./crashing-file.js";
import { DiskFaults, diskError, isChange } from "./disk-faults.js";
import { type CutMode, DiskFile } from "./disk-file.js";
import { DiskNames, type FolderOrFile } from "./disk-names.js";
import { type SeededRandom, seededRandom } from "./seeded-random.js";

/** "before" the operation; or when it is done, or half done, and nobody has been told. */
export const CRASH_MOMENTS = ["before", "during"] as const;
export type CrashMoment = (typeof CRASH_MOMENTS)[number];

export interface CrashPoint {
  readonly step: number;
  readonly moment: CrashMoment;
}

export interface PowerCut {
  readonly seed: number;
  /** "mixed" by default. */
  readonly mode?: CutMode;
}

export class CrashingFiles implements Files {
  readonly faults = new DiskFaults();
  /** The steps, as lines for messages. */
  readonly log: string[] = [];
  /** Settles when the crash has come. */
  readonly crashed: Promise<void>;
  readonly #random: SeededRandom;
  readonly #names: DiskNames;
  readonly #open = new Set<CrashingFile>();
  readonly #locks = new Set<string>();
  #crashPoint: CrashPoint | undefined;
  #hasCrashed = false;
  #onCrash = () => {};

  constructor({ seed = 1, names = new DiskNames() }: { seed?: number; names?: DiskNames } = {}) {
    this.#random = seededRandom(seed);
    this.#names = names;
    this.crashed = new Promise((resolve) => {
      this.#onCrash = resolve;
    });
  }

  /** How many operations have changed something, or have tried to. */
  get steps(): number {
    return this.log.length;
  }

  get hasCrashed(): boolean {
    return this.#hasCrashed;
  }

  /** Files that are open: none after an orderly close. */
  get openFiles(): number {
    return this.#open.size;
  }

  /** Whether a file is open that has this name. */
  isOpen(path: string): boolean {
    return [...this.#open].some(({ file }) => this.#names.at(path) === file);
  }

  /** What all files take, also those that are open and have no name any more. */
  get takenBytes(): number {
    const files = new Set<FolderOrFile>(this.#names.seen().values());
    for (const { file } of this.#open) files.add(file);
    let bytes = 0;
    for (const file of files) if (file instanceof DiskFile) bytes += file.takenBytes;
    return bytes;
  }

  crashAt(point: CrashPoint): void {
    this.#crashPoint = point;
  }

  crash(): void {
    this.#hasCrashed = true;
    this.#onCrash();
  }

  /** What the process wrote is there; a later power cut can still take it. */
  kill({ seed = 1 }: { readonly seed?: number } = {}): CrashingFiles {
    const copies = new Map<DiskFile, DiskFile>();
    const copyOf = (file: DiskFile) => {
      const copy = copies.get(file) ?? file.copy();
      copies.set(file, copy);
      return copy;
    };
    return new CrashingFiles({ seed, names: this.#names.copy(copyOf) });
  }

  powerCut({ seed, mode = "mixed" }: PowerCut): CrashingFiles {
    const random = seededRandom(seed);
    const { unsynced } = this.#names;
    const kept = mode === "mixed" ? random.below(unsynced + 1) : unsynced;
    const left = this.#names.afterCut(mode === "dropped" ? 0 : kept);
    const names = [...left].map(([path, value]): [string, FolderOrFile] => [
      path,
      value === "folder" ? value : value.cut(mode, random),
    ]);
    return new CrashingFiles({ seed, names: new DiskNames(names) });
  }

  /** Paths of all files, sorted. */
  paths(): string[] {
    const isFile = ([, value]: [string, FolderOrFile]) => value !== "folder";
    return [...this.#names.seen()]
      .filter(isFile)
      .map(([path]) => path)
      .sort();
  }

  bytesAt(path: string): Buffer {
    return this.#fileAt("read", path).bytes();
  }

  /** Puts a file there, durable, whatever was there. */
  setBytes(path: string, bytes: Uint8Array): void {
    this.#names.set(path, new DiskFile(bytes));
    this.#names.sync(dirname(path));
  }

  /** As if another program had removed a file, or a folder with all in it, for good. */
  forget(path: string): void {
    this.#names.forget(path);
  }

  makeFolder(path: string): Promise<void> {
    return this.#do({ kind: "makeFolder", path, run: () => this.#makeFolder(path) });
  }

  names(folder: string): Promise<string[]> {
    const run = () => {
      this.#requireFolder("scandir", folder);
      const start = folder.length + 1;
      const isThere = (path: string) => dirname(path) === folder;
      return [...this.#names.seen().keys()].filter(isThere).map((path) => path.slice(start));
    };
    return this.#do({ kind: "names", path: folder, run });
  }

  open(path: string, mode: "read" | "write" | "new"): Promise<OpenFile> {
    const run = () => {
      const file = mode === "new" ? this.#create(path) : this.#fileAt("open", path);
      const handle = new CrashingFile({
        path,
        file,
        isWritable: mode !== "read",
        disk: this.#disk,
      });
      this.#open.add(handle);
      return handle;
    };
    return this.#do({ kind: mode === "new" ? "create" : "open", path, run });
  }

  rename(from: string, to: string): Promise<void> {
    const run = () => {
      this.#fileAt("rename", from);
      if (dirname(from) !== dirname(to)) throw new Error("names do not move to another folder");
      this.#names.rename(from, to);
    };
    return this.#do({ kind: "rename", path: `${from} ${to}`, run });
  }

  remove(path: string): Promise<void> {
    const run = () => {
      if (this.#names.at(path) !== undefined) this.#names.set(path, undefined);
    };
    return this.#do({ kind: "remove", path, run });
  }

  syncFolder(path: string): Promise<void> {
    const run = () => {
      this.#requireFolder("fsync", path);
      this.#names.sync(path);
    };
    return this.#do({ kind: "syncFolder", path, run });
  }

  lock(folder: string): Promise<FolderLock> {
    const run = () => {
      this.#requireFolder("stat", folder);
      if (this.#locks.has(folder)) throw new DataError(`${folder} is in use by another kvd`);
      this.#locks.add(folder);
      let isHeld = true;
      const release = async () => {
        if (isHeld) this.#locks.delete(folder);
        isHeld = false;
      };
      return { release };
    };
    return this.#do({ kind: "lock", path: folder, run });
  }

  /** What open files need of the disk. */
  readonly #disk: DiskOfFile = {
    do: (operation) => this.#do(operation),
    random: () => this.#random,
    isAt: (path, file) => this.#names.at(path) === file,
    roomFor: (file, length, at) => this.faults.roomFor(file, length, at, this.takenBytes),
    closed: (handle: CrashingFile) => this.#open.delete(handle),
  };

  async #do<T>(operation: Operation<T>): Promise<T> {
    const { kind, path } = operation;
    if (this.#hasCrashed) return forgotten();
    if (isChange(kind)) {
      this.log.push(`${this.log.length + 1} ${kind} ${path}`);
      if (this.#crashPoint?.step === this.log.length) {
        if (this.#crashPoint.moment === "during") await this.#doPart(operation);
        this.crash();
        return forgotten();
      }
    }
    await this.faults.letGo(kind, path);
    if (isChange(kind)) await new Promise((resolve) => setImmediate(resolve));
    if (this.#hasCrashed) return forgotten();
    const error = this.faults.errorOf(kind, path);
    if (error === undefined) return operation.run();
    operation.fail?.();
    throw error;
  }

  async #doPart<T>({ run, runPart = run }: Operation<T>): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    try {
      runPart();
    } catch {
      // Nobody is told of its failing either.
    }
  }

  #makeFolder(path: string): void {
    if (this.#names.at(path) !== undefined) return;
    this.#makeFolder(dirname(path));
    this.#names.set(path, "folder");
  }

  #requireFolder(syscall: string, path: string): void {
    if (this.#names.at(path) !== "folder") throw diskError("ENOENT", syscall, path);
  }

  #fileAt(syscall: string, path: string): DiskFile {
    const file = this.#names.at(path);
    if (file instanceof DiskFile) return file;
    throw diskError("ENOENT", syscall, path);
  }

  #create(path: string): DiskFile {
    this.#requireFolder("open", dirname(path));
    const there = this.#names.at(path);
    if (there instanceof DiskFile) {
      there.truncate(0);
      return there;
    }
    const file = new DiskFile();
    this.#names.set(path, file);
    return file;
  }
}

function forgotten(): Promise<never> {
  return new Promise(() => {});
}
