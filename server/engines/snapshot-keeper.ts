// Saves a store into its data directory: every so often if something changed, and at the end.

import { KvdError } from "../kv/errors.js";
import type { Revision } from "../kv/types.js";
import type { Clock, Timer } from "../lib/clock.js";
import type { Logger } from "../lib/logger.js";
import { type ExportedHistory, ImageExport } from "../store/image-export.js";
import type { Store } from "../store/store.js";
import type { DataDirectory } from "../wal/data-directory.js";
import { encodeSnapshot } from "../wal/snapshot-writer.js";
import { imageSource } from "./image-source.js";

export interface SnapshotKeeperOptions {
  readonly store: Store;
  readonly data: DataDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intervalMs: number;
}

/**
 * History may have to go while it is read, when the store is full: the next try begins later in it,
 * and the last takes none.
 */
const TRIES: readonly ExportedHistory[] = ["all", "all", "none"];

export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  #durableRevision: Revision;
  #saved: string;
  #problem: string | undefined;
  #saving: Promise<void> | undefined;
  #timer: Timer | undefined;
  #closed = false;

  /** The store is as it was saved, unless `changed`. */
  constructor(options: SnapshotKeeperOptions, changed: boolean) {
    this.#options = options;
    this.#durableRevision = options.store.revision;
    this.#saved = changed ? "" : this.#state();
    this.#arm();
  }

  /** A crash would lose what came after it. */
  get durableRevision(): Revision {
    return this.#durableRevision;
  }

  /** Why the last snapshot could not be saved. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /**
   * Saves what is there, and that nothing was given out beyond it: the next start goes on where
   * this one ended. Nothing may change the store any more.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#saving?.catch(() => {});
    const { store, data } = this.#options;
    try {
      // What remains of leases has changed, if nothing else has.
      if (this.#saved !== this.#state() || store.lessor.size > 0) await this.#save();
      await data.mark({ storeId: store.storeId, highestRevision: store.revision });
    } finally {
      await data.close();
    }
  }

  #arm(): void {
    if (this.#closed) return;
    const { clock, intervalMs } = this.#options;
    this.#timer = clock.setTimer(intervalMs, () => {
      this.#saving = this.#saveIfChanged();
      this.#saving.finally(() => this.#arm());
    });
  }

  async #saveIfChanged(): Promise<void> {
    if (this.#saved === this.#state()) return;
    try {
      await this.#save();
      this.#problem = undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#problem = `the last snapshot could not be saved: ${why}`;
      this.#options.logger.error({ err: error }, this.#problem);
    }
  }

  async #save(): Promise<void> {
    for (const history of TRIES) if (await this.#try(history)) return;
    throw new Error("history went faster than it could be read: the store is full");
  }

  /** False when history had to go meanwhile. */
  async #try(history: ExportedHistory): Promise<boolean> {
    const { store, data, clock } = this.#options;
    const state = this.#state();
    const image = new ImageExport(store, history);
    const { revision } = image.header;
    try {
      await data.save(revision, encodeSnapshot(imageSource(image, clock)));
    } catch (error) {
      if (error instanceof KvdError && error.reason === "REVISION_COMPACTED") return false;
      throw error;
    } finally {
      image.stop();
    }
    this.#saved = state;
    this.#durableRevision = revision;
    return true;
  }

  /** What a snapshot would hold, in short. */
  #state(): string {
    const { store } = this.#options;
    return `${store.revision} ${store.position} ${store.retention.compactor.compactRevision}`;
  }
}
