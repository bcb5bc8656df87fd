// The folder of a store's files: read, and replaced so that a crash at any moment leaves the old
// file or the new one, whole.
//
// A new file is written under another name, synced, renamed, and the folder is synced: without the
// last step a power cut can bring the old name back. Errors of any of these are final for the file.

import { join } from "node:path";
import { type Files, type FolderLock, type OpenFile, readUpTo, writeAll } from "../lib/files.js";
import { certain } from "./data-error.js";

const TEMPORARY = ".tmp";
const READ_BYTES = 1024 * 1024;

/** "use": made if it is not there. "look": left as it is. */
export type FolderUse = "use" | "look";

export class Folder {
  readonly path: string;
  readonly #files: Files;
  readonly #lock: FolderLock;

  private constructor(path: string, files: Files, lock: FolderLock) {
    this.path = path;
    this.#files = files;
    this.#lock = lock;
  }

  /** Locks it before anything else. @throws DataError when another process has it. */
  static async open(path: string, files: Files, use: FolderUse): Promise<Folder> {
    if (use === "use") await files.makeFolder(path);
    const folder = new Folder(path, files, await files.lock(path));
    try {
      await folder.names();
    } catch (error) {
      await folder.close();
      throw error;
    }
    return folder;
  }

  pathOf(name: string): string {
    return join(this.path, name);
  }

  /** In no order. */
  names(): Promise<string[]> {
    return this.#files.names(this.path);
  }

  /** What its files take. */
  async bytes(): Promise<number> {
    let bytes = 0;
    for (const name of await this.names()) bytes += await this.bytesOf(name);
    return bytes;
  }

  /** 0 when it is not there any more. */
  async bytesOf(name: string): Promise<number> {
    try {
      return await this.using(name, (file) => file.size());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
      throw error;
    }
  }

  open(name: string, mode: "read" | "write" | "new"): Promise<OpenFile> {
    return this.#files.open(this.pathOf(name), mode);
  }

  async *read(name: string, from = 0): AsyncGenerator<Buffer> {
    const file = await this.open(name, "read");
    try {
      for (let at = from; ; ) {
        const chunk = await readUpTo(file, READ_BYTES, at);
        if (chunk.length === 0) return;
        yield chunk;
        at += chunk.length;
      }
    } finally {
      await file.close();
    }
  }

  /** Opens a file to read from it. */
  async using<T>(name: string, run: (file: OpenFile) => Promise<T>): Promise<T> {
    const file = await this.open(name, "read");
    try {
      return await run(file);
    } finally {
      await file.close();
    }
  }

  /** Makes a file of what another has from an offset on; durable when it is done. */
  async copyTail(name: string, offset: number, to: string): Promise<void> {
    await this.replace(to, this.read(name, offset));
  }

  /** Replaces a file, or makes it; durable when it is done. */
  async replace(name: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    const file = await this.replaceOpen(name, chunks);
    await file.close();
  }

  /** The same, and leaves it open. */
  async replaceOpen(
    name: string,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<OpenFile> {
    const file = await this.#writeWhole(name + TEMPORARY, chunks);
    try {
      await this.rename(name + TEMPORARY, name);
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    return file;
  }

  /** Durable when it is done. @throws UncertainError. */
  async rename(from: string, to: string): Promise<void> {
    await certain(this.#files.rename(this.pathOf(from), this.pathOf(to)));
    await this.sync();
  }

  /** Removes what is half written of files whose names fit. */
  async removeHalves(isOurs: (name: string) => boolean): Promise<void> {
    const halves = (await this.names()).filter((name) => {
      return name.endsWith(TEMPORARY) && isOurs(name.slice(0, -TEMPORARY.length));
    });
    await this.remove(halves);
  }

  /** Durable when it is done. */
  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#files.remove(this.pathOf(name));
    if (names.length > 0) await this.sync();
  }

  /** @throws UncertainError. */
  sync(): Promise<void> {
    return certain(this.#files.syncFolder(this.path));
  }

  close(): Promise<void> {
    return this.#lock.release();
  }

  /** Writes a file and syncs it. One that fails is removed. */
  async #writeWhole(
    name: string,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<OpenFile> {
    const file = await this.open(name, "new");
    try {
      let at = 0;
      for await (const chunk of chunks) {
        await writeAll(file, chunk, at);
        at += chunk.length;
      }
      await certain(file.sync());
      return file;
    } catch (error) {
      await file.close().catch(() => {});
      await this.#files.remove(this.pathOf(name)).catch(() => {});
      throw error;
    }
  }
}
