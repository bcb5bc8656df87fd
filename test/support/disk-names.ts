// The names on a disk that forgets: folders, and files in them. What programs see, what the disk
// keeps, and the changes between, of which a power cut leaves a beginning, as a journal does.
//
// A folder is not synced without the way to it: that is so on every file system with a journal.

import { dirname } from "node:path";
import type { DiskFile } from "./disk-file.js";

export type FolderOrFile = "folder" | DiskFile;

interface NameChange {
  /** The folder that has to be synced for it. */
  readonly folder: string;
  readonly path: string;
  /** What has this name from now on; undefined: nothing. */
  readonly becomes: FolderOrFile | undefined;
  /** The name that it had. */
  readonly from?: string;
}

export class DiskNames {
  readonly #seen: Map<string, FolderOrFile>;
  readonly #kept: Map<string, FolderOrFile>;
  #unsynced: NameChange[] = [];

  constructor(names: Iterable<readonly [string, FolderOrFile]> = []) {
    this.#seen = new Map(names);
    this.#kept = new Map(this.#seen);
  }

  /** All that programs see. */
  seen(): ReadonlyMap<string, FolderOrFile> {
    return this.#seen;
  }

  at(path: string): FolderOrFile | undefined {
    return path === dirname(path) ? "folder" : this.#seen.get(path);
  }

  /** How many changes a power cut can undo. */
  get unsynced(): number {
    return this.#unsynced.length;
  }

  set(path: string, becomes: FolderOrFile | undefined): void {
    this.#change({ folder: dirname(path), path, becomes });
  }

  rename(from: string, to: string): void {
    this.#change({ folder: dirname(to), path: to, becomes: this.#seen.get(from), from });
  }

  /** As if another program had removed the folder with all in it, for good. */
  forget(folder: string): void {
    const isThere = (path: string) => path === folder || path.startsWith(`${folder}/`);
    for (const path of [...this.#seen.keys()].filter(isThere)) this.#seen.delete(path);
    for (const path of [...this.#kept.keys()].filter(isThere)) this.#kept.delete(path);
    this.#unsynced = this.#unsynced.filter(({ path }) => !isThere(path));
  }

  sync(folder: string): void {
    const synced = (change: NameChange) =>
      change.folder === folder || (change.becomes === "folder" && isAbove(change.path, folder));
    for (const change of this.#unsynced.filter(synced)) apply(this.#kept, change);
    this.#unsynced = this.#unsynced.filter((change) => !synced(change));
  }

  /** The names after a power cut that leaves so many of the changes. */
  afterCut(changes: number): Map<string, FolderOrFile> {
    const names = new Map(this.#kept);
    for (const change of this.#unsynced.slice(0, changes)) apply(names, change);
    for (const path of [...names.keys()]) if (!isReached(names, path)) names.delete(path);
    return names;
  }

  /** The same names, with the same changes to lose, and copies of the files. */
  copy(copyOf: (file: DiskFile) => DiskFile): DiskNames {
    const copied = (value: FolderOrFile) => (value === "folder" ? value : copyOf(value));
    const copy = new DiskNames();
    for (const [path, value] of this.#seen) copy.#seen.set(path, copied(value));
    for (const [path, value] of this.#kept) copy.#kept.set(path, copied(value));
    copy.#unsynced = this.#unsynced.map((change) => ({
      ...change,
      becomes: change.becomes === undefined ? undefined : copied(change.becomes),
    }));
    return copy;
  }

  #change(change: NameChange): void {
    apply(this.#seen, change);
    this.#unsynced.push(change);
  }
}

function apply(names: Map<string, FolderOrFile>, { path, becomes, from }: NameChange): void {
  if (from !== undefined) names.delete(from);
  if (becomes === undefined) names.delete(path);
  else names.set(path, becomes);
}

function isAbove(path: string, folder: string): boolean {
  return path === folder || folder.startsWith(`${path}/`);
}

function isReached(names: ReadonlyMap<string, FolderOrFile>, path: string): boolean {
  const above = dirname(path);
  return (
    above === path || above === "/" || (names.get(above) === "folder" && isReached(names, above))
  );
}
