// Saves a store into its data directory every so often, and when its log has grown long: then the
// log before the snapshot can go, and a start reads less.

import { KvdError } from "../kv/errors.js";
import type { Clock, Timer } from "../lib/clock.js";
import type { Logger } from "../lib/logger.js";
import { type ExportedHistory, ImageExport } from "../store/image-export.js";
import type { Store } from "../store/store.js";
import type { DataDirectory } from "../wal/data-directory.js";
import { UncertainError } from "../wal/data-error.js";
import type { Log } from "../wal/log.js";
import { encodeSnapshot } from "../wal/snapshot-writer.js";
import { imageSource } from "./image-source.js";

export interface SnapshotKeeperOptions {
  readonly store: Store;
  readonly data: DataDirectory;
  readonly log: Log;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intervalMs: number;
  readonly logBytes: number;
  /** What the log has since the last snapshot. */
  readonly grownBytes: number;
}

/**
 * History may have to go while it is read, when the store is full: the next try begins later in it,
 * and the last takes none.
 */
const TRIES: readonly ExportedHistory[] = ["all", "all", "none"];

/** How long after a snapshot that failed the next is tried; doubled with each that fails. */
const PAUSE_MS = 2000;
const PAUSE_MAX_MS = 300_000;

/** How often the log's length is looked at. */
const LOOK_MS = 1000;

export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  #savedMs: number;
  #savedState: string;
  /** What the log had when the last snapshot began. */
  #savedLogBytes: number;
  #snapshotBytes = 0;
  #problem: string | undefined;
  /**
   * How the store was when a snapshot was last begun. On a full disk, what was deleted or compacted
   * since may have made it small enough, and then the log can go.
   */
  #triedState = "";
  /** No other is begun so soon after the last. */
  #pauseMs = 0;
  #wasFull = false;
  #saving: Promise<void> | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: SnapshotKeeperOptions) {
    this.#options = options;
    this.#savedMs = options.clock.monotonicMs();
    this.#savedState = options.grownBytes === 0 ? this.#state() : "";
    this.#savedLogBytes = options.log.writtenBytes - options.grownBytes;
    this.#arm();
  }

  /** Why the last snapshot could not be saved. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** A snapshot that is being saved is given up. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#saving;
  }

  #arm(): void {
    if (this.#closed) return;
    const { clock, intervalMs } = this.#options;
    this.#timer = clock.setTimer(Math.min(LOOK_MS, intervalMs), () => {
      this.#saving = this.#isDue() ? this.#save() : Promise.resolve();
      this.#saving.then(() => this.#arm());
    });
  }

  #isDue(): boolean {
    const { clock, log, intervalMs, logBytes } = this.#options;
    if (this.#wasFull && !log.isFull) this.#pauseMs = 0;
    this.#wasFull = log.isFull;
    if (clock.monotonicMs() - this.#savedMs < this.#pauseMs) return false;
    if (log.isFull) return this.#triedState !== this.#state();
    if (this.#problem !== undefined) return true;
    const grownBytes = log.writtenBytes - this.#savedLogBytes;
    if (grownBytes >= Math.max(logBytes, this.#snapshotBytes)) return true;
    const isOld = clock.monotonicMs() - this.#savedMs >= intervalMs;
    return isOld && this.#savedState !== this.#state();
  }

  async #save(): Promise<void> {
    const { clock, log, logger } = this.#options;
    this.#savedMs = clock.monotonicMs();
    this.#triedState = this.#state();
    try {
      for (const history of TRIES) {
        if (!(await this.#try(history))) continue;
        this.#problem = undefined;
        this.#pauseMs = 0;
        return;
      }
      throw new Error("history went faster than it could be read: the store is full");
    } catch (error) {
      if (this.#closed) return;
      this.#pauseMs = Math.min(Math.max(PAUSE_MS, this.#pauseMs * 2), PAUSE_MAX_MS);
      const why = error instanceof Error ? error.message : String(error);
      this.#problem = `the last snapshot could not be saved: ${why}`;
      logger.error({ err: error }, this.#problem);
      if (error instanceof UncertainError) log.fail(error);
    }
  }

  /** False when history had to go meanwhile. */
  async #try(history: ExportedHistory): Promise<boolean> {
    const { store, data, log, clock } = this.#options;
    const state = this.#state();
    const logBytes = log.writtenBytes;
    const { place, ready } = log.beginSegment();
    const now = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
    const image = new ImageExport(store, { history, now, log: place });
    try {
      await ready;
      // What is kept for the case of damage is not worth a disk that stays full.
      const keep = log.isFull ? { keep: 1 } : {};
      await data.saveSnapshot(place.segment, this.#chunks(image), keep);
    } catch (error) {
      if (error instanceof KvdError && error.reason === "REVISION_COMPACTED") return false;
      throw error;
    } finally {
      image.stop();
    }
    this.#savedState = state;
    this.#savedLogBytes = logBytes;
    return true;
  }

  async *#chunks(image: ImageExport): AsyncGenerator<Uint8Array> {
    this.#snapshotBytes = 0;
    for await (const chunk of encodeSnapshot(imageSource(image, this.#options.clock))) {
      if (this.#closed) throw new Error("the store is closed");
      this.#snapshotBytes += chunk.length;
      yield chunk;
    }
  }

  /** What a snapshot would hold, in short. */
  #state(): string {
    const { store } = this.#options;
    return `${store.revision} ${store.journal.position} ${store.retention.compactor.compactRevision}`;
  }
}
