// Fans published commits out to the watches that are synced, within bounds.
//
// publish() touches only watches that can match; see watch-index.ts. A watch whose queue would
// pass its bound, and the largest queue when all together pass theirs, is unsynced: it catches up
// from history when it is pulled, so a slow reader costs a commit nothing more.

import type { Limits } from "../kv/limits.js";
import type { Commit } from "./commit.js";
import { CommitEvents } from "./commit-events.js";
import type { Counters } from "./counters.js";
import type { Pull, Watch } from "./watch.js";
import { WatchIndex } from "./watch-index.js";

export type HubLimits = Pick<Limits, "watcherQueueMaxBytes" | "watchQueuesMaxBytes">;

export class Hub {
  readonly #limits: HubLimits;
  readonly #counters: Counters;
  readonly #watches = new Set<Watch>();
  readonly #index = new WatchIndex();
  #queuedBytes = 0;

  constructor(limits: HubLimits, counters: Counters) {
    this.#limits = limits;
    this.#counters = counters;
  }

  get size(): number {
    return this.#watches.size;
  }

  /** What all queues hold together. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get watches(): Iterable<Watch> {
    return this.#watches;
  }

  add(watch: Watch): void {
    this.#watches.add(watch);
    this.#index.add(watch);
  }

  /** Frees a watch, whatever its state. Twice does no harm. */
  remove(watch: Watch): void {
    if (!this.#watches.delete(watch)) return;
    this.#track(watch, () => watch.close());
    this.#index.delete(watch);
  }

  publish(commit: Commit): void {
    if (this.#watches.size === 0) return;
    const events = new CommitEvents(commit);
    this.#index.each(events, (watch) => this.#offer(watch, events));
  }

  /** The watch's next message; keeps the sum of the queues. */
  pull(watch: Watch): Pull {
    return this.#track(watch, () => watch.pull());
  }

  /** Runs what may change a watch's queue. */
  #track<T>(watch: Watch, step: () => T): T {
    const before = watch.queuedBytes;
    try {
      return step();
    } finally {
      this.#queuedBytes += watch.queuedBytes - before;
    }
  }

  end(watch: Watch, error: Parameters<Watch["end"]>[0]): void {
    this.#track(watch, () => watch.end(error));
  }

  #offer(watch: Watch, commit: CommitEvents): void {
    if (!watch.takesCommits) return;
    const { watcherQueueMaxBytes } = this.#limits;
    const bytes = watch.weigh(commit, watcherQueueMaxBytes);
    if (bytes === 0) return;
    if (watch.queuedBytes + bytes > watcherQueueMaxBytes) {
      this.#unsync(watch, commit);
      return;
    }
    this.#queuedBytes += bytes;
    watch.enqueue(commit, bytes);
    while (this.#queuedBytes > this.#limits.watchQueuesMaxBytes) {
      this.#unsync(this.#largest() ?? watch, commit);
    }
  }

  #unsync(watch: Watch, commit: CommitEvents): void {
    this.#counters.watchersUnsynced += 1;
    this.#track(watch, () => watch.unsync(commit.revision));
  }

  #largest(): Watch | undefined {
    let largest: Watch | undefined;
    for (const watch of this.#watches) {
      if (watch.queuedBytes > (largest?.queuedBytes ?? 0)) largest = watch;
    }
    return largest;
  }
}
