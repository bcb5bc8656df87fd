// The folder of a store's files: read, and replaced so that a crash at any moment leaves the old
// file or the new one, whole.
//
// A new file is written under another name, synced, renamed, and the folder is synced: without the
// last step a power cut can bring the old name back. Errors of any of these are final for the file.

import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type FolderLock, lockFolder } from "./folder-lock.js";

const TEMPORARY = ".tmp";
const READ_BYTES = 1024 * 1024;

export class Folder {
  readonly path: string;
  readonly #lock: FolderLock;

  private constructor(path: string, lock: FolderLock) {
    this.path = path;
    this.#lock = lock;
  }

  /** Makes the folder if it is not there, and locks it. What a crash left half written goes. */
  static async open(path: string): Promise<Folder> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const folder = new Folder(path, await lockFolder(path));
    try {
      const names = await folder.names();
      await folder.remove(names.filter((name) => name.endsWith(TEMPORARY)));
    } catch (error) {
      await folder.close();
      throw error;
    }
    return folder;
  }

  pathOf(name: string): string {
    return join(this.path, name);
  }

  names(): Promise<string[]> {
    return readdir(this.path);
  }

  /** What its files take. */
  async bytes(): Promise<number> {
    let bytes = 0;
    for (const name of await this.names()) bytes += await this.bytesOf(name);
    return bytes;
  }

  async bytesOf(name: string): Promise<number> {
    return (await stat(this.pathOf(name))).size;
  }

  read(name: string): AsyncIterable<Buffer> {
    return createReadStream(this.pathOf(name), { highWaterMark: READ_BYTES });
  }

  /** Replaces a file, or makes it; durable when it is done. */
  async replace(name: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    await writeWhole(this.pathOf(name + TEMPORARY), chunks);
    await rename(this.pathOf(name + TEMPORARY), this.pathOf(name));
    await this.#sync();
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) await rm(this.pathOf(name), { force: true });
    if (names.length > 0) await this.#sync();
  }

  close(): Promise<void> {
    return this.#lock.release();
  }

  async #sync(): Promise<void> {
    const folder = await open(this.path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

/** Writes a file and syncs it. One that fails is removed. */
async function writeWhole(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    for await (const chunk of chunks) await writeAll(file, chunk);
    await file.datasync();
    await file.close();
  } catch (error) {
    await file.close().catch(() => {});
    await rm(path, { force: true }).catch(() => {});
    throw error;
  }
}

/** A short write is no error: what follows it tells. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await file.write(bytes, written)).bytesWritten;
  }
}
