// When an answer may leave: what saw the head waits until the head is durable, what says that
// something is compacted until that is. And whether there are calls at all: none after close(),
// which waits for those that take turns.

import { KvdError } from "../kv/errors.js";
import type { Clock, Now } from "../lib/clock.js";
import type { Backend } from "../store/backend.js";
import type { Store } from "../store/store.js";
import type { Upkeep } from "./upkeep.js";

export interface AnswersOptions {
  readonly store: Store;
  readonly backend: Backend;
  readonly clock: Clock;
  readonly upkeep: Upkeep;
}

export class Answers {
  readonly #options: AnswersOptions;
  readonly #running = new Set<Promise<unknown>>();
  #state: "open" | "draining" | "closed" = "open";

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** From here on there are no new watches. */
  drain(): void {
    if (this.#state === "open") this.#state = "draining";
  }

  /** From here on there are no calls; settles once none runs that takes turns. */
  async close(): Promise<void> {
    this.#state = "closed";
    await Promise.allSettled(this.#running);
  }

  now(): Now {
    const { clock } = this.#options;
    return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
  }

  /** @throws KvdError SHUTTING_DOWN. */
  requireOpen(): void {
    if (this.#state === "closed") throw shuttingDown();
  }

  /** @throws KvdError SHUTTING_DOWN. */
  requireUndrained(): void {
    if (this.#state !== "open") throw shuttingDown();
  }

  /** Runs a call that takes turns; close() waits for it. The backend's close settles the others. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.requireOpen();
    const running = call();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Runs what sees the head, and answers, with its error too, once that head is durable. */
  async mutate<T>(run: (now: Now) => T): Promise<T> {
    const { store, backend, upkeep } = this.#options;
    this.requireOpen();
    try {
      return run(this.now());
    } catch (error) {
      await this.beforeTelling(error);
      throw error;
    } finally {
      upkeep.afterChange();
      const { position } = store.journal;
      if (backend.durablePosition < position) await backend.durable(position);
    }
  }

  /** The same without a promise where there is nothing to wait for. */
  mutateNow<T>(run: (now: Now) => T): T | Promise<T> {
    const { store, backend, upkeep } = this.#options;
    this.requireOpen();
    let result: T;
    try {
      result = run(this.now());
    } catch (error) {
      return this.mutate(() => {
        throw error;
      });
    }
    upkeep.afterChange();
    const { position } = store.journal;
    if (backend.durablePosition >= position) return result;
    return backend.durable(position).then(() => result);
  }

  /** Runs a read; that something is compacted is only told once that is durable. */
  async read<T>(read: () => T | Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      await this.beforeTelling(error);
      throw error;
    }
  }

  /** The same without a promise where there is nothing to wait for. */
  readNow<T>(read: () => T): T | Promise<T> {
    this.requireOpen();
    try {
      return read();
    } catch (error) {
      return this.read(() => Promise.reject(error));
    }
  }

  /** Settles when an error may be told. */
  async beforeTelling(error: unknown): Promise<void> {
    const isCompacted = error instanceof KvdError && error.reason === "REVISION_COMPACTED";
    if (isCompacted) await this.compactionDurable();
  }

  /** Settles when the compact revision may be told. */
  async compactionDurable(): Promise<void> {
    const { store, backend } = this.#options;
    await backend.durable(store.journal.tellCompaction());
  }
}

export function shuttingDown(): KvdError {
  return new KvdError("SHUTTING_DOWN", "the server is shutting down");
}
