// The watches of an engine that are open, and the end of those that nobody reads.

import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { WatchSpec } from "../kv/types.js";
import type { Clock } from "../lib/clock.js";
import type { Store } from "../store/store.js";
import { type Answers, shuttingDown } from "./answers.js";
import { MemoryWatcher } from "./memory-watcher.js";
import { Turns } from "./turns.js";

export interface OpenWatchesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly answers: Answers;
  readonly limits: Pick<Limits, "watcherIdleMaxMs">;
}

export class OpenWatches {
  readonly #options: OpenWatchesOptions;
  readonly #turns: Turns;
  readonly #watchers = new Set<MemoryWatcher>();

  constructor(options: OpenWatchesOptions) {
    this.#options = options;
    this.#turns = new Turns(options.clock);
  }

  open(spec: WatchSpec): MemoryWatcher {
    const { store, clock, answers } = this.#options;
    answers.requireUndrained();
    const watch = store.watch(spec, () => clock.monotonicMs());
    const watcher = new MemoryWatcher({
      store,
      watch,
      clock,
      turns: this.#turns,
      beforeEnd: (error) => answers.beforeTelling(error),
      onClosed: () => this.#watchers.delete(watcher),
    });
    this.#watchers.add(watcher);
    return watcher;
  }

  /** With SHUTTING_DOWN and their resume revisions. */
  endAll(): void {
    for (const watcher of this.#watchers) watcher.end(shuttingDown());
  }

  /** Those whose reader has taken nothing for too long while data waited. */
  endIdle(): void {
    const limitMs = this.#options.limits.watcherIdleMaxMs;
    const nowMs = this.#options.clock.monotonicMs();
    for (const watcher of this.#watchers) {
      watcher.markStalled();
      if (nowMs - (watcher.stalledSinceMs ?? nowMs) < limitMs) continue;
      const text = `the watch took nothing for ${limitMs} ms while data waited`;
      watcher.end(new KvdError("WATCHER_TOO_SLOW", `${text} (--watcher-idle-max)`));
    }
  }
}
