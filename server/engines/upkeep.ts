// What a store needs done by the clock: leases end, history is compacted, in slices between which
// calls have their turn.

import { KvdError } from "../kv/errors.js";
import type { Clock, Now, Timer } from "../lib/clock.js";
import type { Store } from "../store/store.js";

/** Changes that compaction walks before others have a turn: a third of a millisecond. */
const SLICE_CHANGES = 250;

/** Keys that expiry deletes before others have a turn. */
const EXPIRY_KEYS = 500;

/** When the disk has refused what expiry writes. */
const EXPIRY_RETRY_MS = 1000;

export class Upkeep {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  #expiry: { readonly dueMs: number; readonly timer: Timer } | undefined;
  #expiring = false;
  #maintaining = false;
  #awaitsPins = false;
  #closed = false;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#armExpiry();
  }

  /** For after each call that may have changed something. */
  afterChange(): void {
    const { nextExpiryMs } = this.#store.leases;
    if (nextExpiryMs < (this.#expiry?.dueMs ?? Number.POSITIVE_INFINITY)) this.#armExpiry();
    this.maintain();
  }

  /** For when a lease is there again, or its end was refused. */
  lookAtLeases(): void {
    if (this.#expiring || this.#closed) return;
    const { nextExpiryMs } = this.#store.leases;
    if (nextExpiryMs < (this.#expiry?.dueMs ?? Number.POSITIVE_INFINITY)) this.#armExpiry();
  }

  #armExpiry(): void {
    this.#expiry?.timer.cancel();
    this.#expiry = undefined;
    const dueMs = this.#store.leases.nextExpiryMs;
    if (this.#closed || dueMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, dueMs - this.#clock.monotonicMs());
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#expiry = undefined;
      this.#expire();
    });
    this.#expiry = { dueMs, timer };
  }

  /**
   * Ends what is due, in slices. After a pause of the whole process a renewal may lie unread in a
   * socket, so sockets are read twice before anything ends.
   */
  async #expire(): Promise<void> {
    if (this.#expiring) return;
    this.#expiring = true;
    await this.#clock.yieldTurn();
    await this.#clock.yieldTurn();
    try {
      while (!this.#closed && !this.#store.leases.expire(this.#now(), EXPIRY_KEYS)) {
        await this.#clock.yieldTurn();
      }
      this.#armExpiry();
    } catch (error) {
      if (!(error instanceof KvdError)) throw error;
      // The disk takes nothing now, and its readers are told why: the next try comes later.
      this.once(EXPIRY_RETRY_MS, () => this.#armExpiry());
    } finally {
      this.#expiring = false;
    }
    this.maintain();
  }

  /** Lets compaction go as far as it should: a slice now, the rest in turns of its own. */
  maintain(): void {
    if (this.#maintaining || this.#closed) return;
    if (this.#store.maintain(this.#now(), SLICE_CHANGES)) this.#awaitPins();
    else this.#maintainInSlices();
  }

  async #maintainInSlices(): Promise<void> {
    this.#maintaining = true;
    do {
      await this.#clock.yieldTurn();
    } while (!this.#closed && !this.#store.maintain(this.#now(), SLICE_CHANGES));
    this.#maintaining = false;
    this.#awaitPins();
  }

  /** Goes on with compaction once the pin that holds it ends. */
  #awaitPins(): void {
    const endMs = this.#store.retention.heldUntilMs;
    if (endMs === undefined || this.#awaitsPins) return;
    this.#awaitsPins = true;
    this.once(Math.max(1, endMs - this.#clock.monotonicMs()), () => {
      this.#awaitsPins = false;
      this.maintain();
    });
  }

  /** Calls back again and again, until close(). */
  every(intervalMs: number, callback: () => void): void {
    this.once(intervalMs, () => {
      callback();
      this.every(intervalMs, callback);
    });
  }

  /** Calls back once, unless close() comes first. */
  once(delayMs: number, callback: () => void): void {
    if (this.#closed) return;
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
  }

  /** Nothing more is done. */
  close(): void {
    this.#closed = true;
    this.#expiry?.timer.cancel();
    for (const timer of this.#timers) timer.cancel();
  }

  #now(): Now {
    return { wallMs: this.#clock.wallMs(), monotonicMs: this.#clock.monotonicMs() };
  }
}
