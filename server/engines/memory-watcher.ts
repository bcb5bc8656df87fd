// A watch of the memory engine, as its stream pulls from it: turns the store's synchronous watch
// into promises, tells its progress by the clock, and knows since when data waits for the stream.

import type { Watcher } from "../kv/engine.js";
import type { KvdError } from "../kv/errors.js";
import type { WatchMessage } from "../kv/types.js";
import type { Clock, Timer } from "../lib/clock.js";
import type { Store } from "../store/store.js";
import type { Watch } from "../store/watch.js";

export interface MemoryWatcherOptions {
  readonly store: Store;
  readonly watch: Watch;
  readonly clock: Clock;
  /** Settles when it may be told that the watch ended so. */
  readonly beforeEnd: (error: unknown) => Promise<void>;
  readonly onClosed: () => void;
}

export class MemoryWatcher implements Watcher {
  readonly ended: Promise<void>;
  /**
   * Since when, on the monotonic clock, data waits that nobody pulls; undefined while none does.
   */
  stalledSinceMs: number | undefined;

  readonly #store: Store;
  readonly #watch: Watch;
  readonly #clock: Clock;
  readonly #beforeEnd: (error: unknown) => Promise<void>;
  readonly #onClosed: () => void;
  #settleEnded: () => void = () => {};
  #wake: (() => void) | undefined;
  #progressTimer: Timer | undefined;
  /** Something was given since the last progress. */
  #given = false;

  constructor(options: MemoryWatcherOptions) {
    const { watch } = options;
    this.#store = options.store;
    this.#watch = watch;
    this.#clock = options.clock;
    this.#beforeEnd = options.beforeEnd;
    this.#onClosed = options.onClosed;
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
    watch.onReady = () => this.#ready();
    this.markStalled();
    if (watch.spec.progressIntervalMs > 0) this.#armProgress();
    if (watch.ended) this.#settleEnded();
  }

  get synced(): boolean {
    return this.#watch.synced;
  }

  async next(): Promise<WatchMessage | undefined> {
    try {
      return await this.#next();
    } catch (error) {
      await this.#beforeEnd(error);
      throw error;
    }
  }

  async #next(): Promise<WatchMessage | undefined> {
    for (;;) {
      this.stalledSinceMs = undefined;
      const step = this.#pull();
      if (step === "closed") return undefined;
      if (step === "again") {
        await this.#clock.yieldTurn();
      } else if (step === "wait") {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      } else {
        this.#given = true;
        this.markStalled();
        return step;
      }
    }
  }

  requestProgress(): void {
    this.#watch.askProgress();
  }

  end(error: KvdError): void {
    this.#store.hub.end(this.#watch, error);
    this.#stop();
  }

  close(): void {
    this.#store.hub.remove(this.#watch);
    this.#stop();
    this.#onClosed();
  }

  #pull() {
    const step = this.#store.hub.pull(this.#watch);
    return step === "wait" && this.#watch.ended ? "closed" : step;
  }

  #ready(): void {
    this.#wake?.();
    if (this.#watch.ended) this.#stop();
    else this.markStalled();
  }

  /** Data waits, and nobody is waiting for it: remembers since when. */
  markStalled(): void {
    if (this.#wake !== undefined || this.stalledSinceMs !== undefined) return;
    if (this.#watch.hasData) this.stalledSinceMs = this.#clock.monotonicMs();
  }

  #armProgress(): void {
    this.#progressTimer = this.#clock.setTimer(this.#watch.spec.progressIntervalMs, () => {
      if (!this.#given && this.#watch.synced) this.#watch.askProgress();
      this.#given = false;
      this.#armProgress();
    });
  }

  #stop(): void {
    this.#progressTimer?.cancel();
    this.stalledSinceMs = undefined;
    this.#settleEnded();
  }
}
