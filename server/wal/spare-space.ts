// A file of zeros that is given up when the disk is full, so that deletes still have room; being
// able to make it again means that there is space.

import { writeAll } from "../lib/files.js";
import type { Folder } from "./folder.js";

export const SPARE_FILE = "spare";
const PIECE = Buffer.alloc(256 * 1024);

export class SpareSpace {
  readonly #folder: Folder;
  readonly #bytes: number;

  constructor(folder: Folder, bytes: number) {
    this.#folder = folder;
    this.#bytes = bytes;
  }

  /** Makes it, unless it is there whole. Throws when there is no space, and leaves none of it. */
  async take(): Promise<void> {
    if ((await this.#folder.bytesOf(SPARE_FILE)) === this.#bytes) return;
    const file = await this.#folder.open(SPARE_FILE, "new");
    try {
      for (let at = 0; at < this.#bytes; at += PIECE.length) {
        await writeAll(file, PIECE.subarray(0, Math.min(PIECE.length, this.#bytes - at)), at);
      }
      await file.sync();
    } catch (error) {
      await this.release().catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
  }

  release(): Promise<void> {
    return this.#folder.remove([SPARE_FILE]);
  }
}
