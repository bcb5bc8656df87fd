// Keeps a lease alive, and knows how long it is sure to live: from the moment a renewal was asked
// for, not from when its answer came. Whoever relies on the lease must be done by then, because
// when nothing is heard of the server, it may give the lock to the next one right after.

import type { Leases } from "../../index.js";
import { isClientError } from "../error-text.js";
import { pause } from "./patience.js";

export interface KeeperOptions {
  readonly id: bigint;
  readonly ttlMs: number;
  /** When it was asked for, on the clock of performance.now(). */
  readonly askedMs: number;
  /** Told once each time the server goes away, and what remains for certain. */
  trouble(sureForMs: number): void;
}

/** Many tries fit what remains, however short the ttl is. */
const PAUSE_AFTER_LOSS_MS = 250;
/** Below what a timer takes, for a lease of ten years. */
const PAUSE_MAX_MS = 12 * 3_600_000;
const TIMEOUT_MIN_MS = 200;

export class LeaseKeeper {
  readonly #leases: Pick<Leases, "keepAlive">;
  readonly #options: KeeperOptions;
  readonly #gone = new AbortController();
  readonly #stopped = new AbortController();
  #ttlMs: number;
  #sureUntilMs: number;
  #inTrouble = false;

  constructor(leases: Pick<Leases, "keepAlive">, options: KeeperOptions) {
    this.#leases = leases;
    this.#options = options;
    this.#ttlMs = options.ttlMs;
    this.#sureUntilMs = options.askedMs + options.ttlMs;
    void this.#keep();
  }

  /** Aborted when the server has said that there is no such lease any more. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Negative when it may be over already. */
  get sureForMs(): number {
    return this.#sureUntilMs - performance.now();
  }

  /** Renews it now. False when that did not work. */
  async renew(): Promise<boolean> {
    const askedMs = performance.now();
    const timeout = Math.min(PAUSE_MAX_MS, Math.max(TIMEOUT_MIN_MS, Math.floor(this.#ttlMs / 3)));
    const { signal } = this.#stopped;
    try {
      const ttlMs = await this.#leases.keepAlive(this.#options.id, { signal, timeout });
      if (ttlMs === undefined) this.#gone.abort();
      if (ttlMs === undefined) return false;
      this.#ttlMs = ttlMs;
      this.#sureUntilMs = Math.max(this.#sureUntilMs, askedMs + ttlMs);
      this.#inTrouble = false;
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (isClientError(error) && error.reason === "LEASE_NOT_FOUND") this.#gone.abort();
      else if (!this.#inTrouble) this.#options.trouble(this.sureForMs);
      this.#inTrouble = true;
      return false;
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** It goes on when the lease may be over: only the server knows. */
  async #keep(): Promise<void> {
    const over = AbortSignal.any([this.#stopped.signal, this.#gone.signal]);
    let renewed = true;
    while (!over.aborted) {
      const pauseMs = renewed ? this.#ttlMs / 3 : Math.min(PAUSE_AFTER_LOSS_MS, this.#ttlMs / 6);
      await pause(Math.min(PAUSE_MAX_MS, pauseMs), over);
      if (!over.aborted) renewed = await this.renew();
    }
  }
}
