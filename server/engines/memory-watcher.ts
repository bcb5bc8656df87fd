// A watch of the memory engine, as its stream pulls from it: turns the store's synchronous watch
// into promises where it has to wait, tells its progress by the clock, and knows since when data
// waits for the stream.

import type { Watcher } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import type { WatchMessage } from "../kv/types.js";
import type { Clock, Timer } from "../lib/clock.js";
import type { Store } from "../store/store.js";
import type { Watch } from "../store/watch.js";
import type { Turns } from "./turns.js";

export interface MemoryWatcherOptions {
  readonly store: Store;
  readonly watch: Watch;
  readonly clock: Clock;
  /** Shared by all watches. */
  readonly turns: Turns;
  /** Settles when it may be told that the watch ended so. */
  readonly beforeEnd: (error: unknown) => Promise<void>;
  readonly onClosed: () => void;
}

interface Waiting {
  readonly resolve: (message: WatchMessage | undefined) => void;
  readonly reject: (error: unknown) => void;
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
  readonly #turns: Turns;
  readonly #beforeEnd: (error: unknown) => Promise<void>;
  readonly #onClosed: () => void;
  #settleEnded: () => void = () => {};
  /** Who waits in next(). */
  #waiting: Waiting | undefined;
  #hasTurn = false;
  #progressTimer: Timer | undefined;
  /** Something was given since the last progress. */
  #given = false;

  constructor(options: MemoryWatcherOptions) {
    const { watch } = options;
    this.#store = options.store;
    this.#watch = watch;
    this.#clock = options.clock;
    this.#turns = options.turns;
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

  take(): WatchMessage | undefined {
    if (this.#watch.ended) return undefined;
    this.stalledSinceMs = undefined;
    try {
      const step = this.#pull();
      return typeof step === "string" ? undefined : this.#give(step);
    } catch (error) {
      if (error instanceof KvdError) return undefined;
      throw error;
    }
  }

  next(): Promise<WatchMessage | undefined> {
    this.stalledSinceMs = undefined;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#serve();
    });
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

  #give(message: WatchMessage): WatchMessage {
    this.#given = true;
    this.markStalled();
    return message;
  }

  async #tellEnd(error: unknown): Promise<never> {
    await this.#beforeEnd(error);
    throw error;
  }

  #ready(): void {
    if (this.#waiting !== undefined) this.#askTurn();
    else if (!this.#watch.ended) this.markStalled();
    if (this.#watch.ended) this.#stop();
  }

  #askTurn(): void {
    if (this.#hasTurn) return;
    this.#hasTurn = true;
    this.#turns.add(this.#onTurn);
  }

  /** A piece of long work is done: everything else comes first. */
  #goOnLater(): void {
    if (this.#hasTurn) return;
    this.#hasTurn = true;
    this.#clock.yieldTurn().then(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#hasTurn = false;
    this.#serve();
  };

  /** Pulls for who waits in next(). */
  #serve(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    try {
      const step = this.#pull();
      if (step === "again") this.#goOnLater();
      if (step === "again" || step === "wait") return;
      this.#waiting = undefined;
      waiting.resolve(step === "closed" ? undefined : this.#give(step));
    } catch (error) {
      this.#waiting = undefined;
      this.#tellEnd(error).catch(waiting.reject);
    }
  }

  /** Data waits, and nobody is waiting for it: remembers since when. */
  markStalled(): void {
    if (this.#waiting !== undefined || this.stalledSinceMs !== undefined) return;
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
