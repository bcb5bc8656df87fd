// Whether there is space on the disk: a file of zeros is kept that is given up when the disk is
// full, so that deletes still have room; being able to make it again means that there is space.

import { KvdError } from "../kv/errors.js";
import type { Clock, Timer } from "../lib/clock.js";
import { writeAll } from "../lib/files.js";
import type { Logger } from "../lib/logger.js";
import { UncertainError } from "./data-error.js";
import type { Folder } from "./folder.js";

export interface DiskSpaceOptions {
  readonly folder: Folder;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is kept. */
  readonly bytes: number;
  /** Called when the disk fails otherwise than by being full. */
  readonly onFailure: (error: unknown) => void;
}

export const SPARE_FILE = "spare";
const PIECE = Buffer.alloc(256 * 1024);

/** How often a full disk is asked for space. */
const PROBE_INTERVAL_MS = 1000;

export class DiskSpace {
  readonly #options: DiskSpaceOptions;
  #full: KvdError | undefined;
  #timer: Timer | undefined;
  #taking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: DiskSpaceOptions) {
    this.#options = options;
  }

  /** NO_SPACE while the disk is full. */
  get full(): KvdError | undefined {
    return this.#full;
  }

  /** Takes the spare space; while there is none, the disk is full. */
  take(): Promise<void> {
    this.#taking = this.#take();
    return this.#taking;
  }

  /** The disk was found full. */
  setFull(cause: unknown): KvdError {
    const { folder, logger } = this.#options;
    if (this.#full !== undefined) return this.#full;
    const what = isOutOfFiles(cause)
      ? `no file can be opened for ${folder.path}, too many are open`
      : `the disk of ${folder.path} is full`;
    const text =
      `${what}: reads, deletes and compaction go on; ` +
      "writes do so by themselves, once there is space: free some, or delete, and compact";
    logger.error({ err: cause }, text);
    this.#full = new KvdError("NO_SPACE", text, {}, { cause });
    return this.#full;
  }

  /** Gives the spare space up, and looks for it from now on. */
  async release(): Promise<void> {
    const full = this.#full;
    await this.#taking;
    this.#full = full;
    await this.#options.folder.remove([SPARE_FILE]);
    this.#probeLater();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#taking;
  }

  async #take(): Promise<void> {
    const { folder, logger, onFailure } = this.#options;
    try {
      await this.#makeSpare();
      if (this.#full !== undefined) {
        logger.info({}, `there is space again on the disk of ${folder.path}: writes go on`);
      }
      this.#full = undefined;
    } catch (error) {
      if (this.#closed) return;
      if (!isFull(error)) {
        onFailure(error);
        return;
      }
      this.setFull(error);
      this.#probeLater();
    }
  }

  /** Makes the file, unless it is there whole. Leaves none of it when there is no space. */
  async #makeSpare(): Promise<void> {
    const { folder, bytes } = this.#options;
    if ((await folder.bytesOf(SPARE_FILE)) === bytes) return;
    const file = await folder.open(SPARE_FILE, "new");
    try {
      // After a full disk there has to be more than what is kept, for writes to go on with.
      const wanted = this.#full === undefined ? bytes : 2 * bytes;
      for (let at = 0; at < wanted; at += PIECE.length) {
        await writeAll(file, PIECE.subarray(0, Math.min(PIECE.length, wanted - at)), at);
      }
      if (wanted > bytes) await file.truncate(bytes);
      await file.sync();
    } catch (error) {
      await folder.remove([SPARE_FILE]).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
  }

  #probeLater(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    this.#timer = this.#options.clock.setTimer(PROBE_INTERVAL_MS, () => this.take());
  }
}

/**
 * The system says that there is no space, no more of a quota, or no place for one more open file,
 * and nothing else is in doubt.
 */
export function isFull(error: unknown): boolean {
  if (error instanceof UncertainError) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT" || isOutOfFiles(error);
}

function isOutOfFiles(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EMFILE" || code === "ENFILE";
}
