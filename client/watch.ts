// A watch as its consumer has it: opened at once, pulled by whoever iterates, ended by whoever is
// first. Its feed brings events, through breaks; the present entries are listed here.
//
// Closing is quiet; every other end is thrown, after what came before it.

import { onAbort } from "./abort.js";
import { KvdClientError } from "./errors.js";
import type { Entry } from "./types.js";
import type { Created, WatchFeed } from "./watch-feed.js";
import type { Watch, WatchEvent, WatchOptions, WatchStep } from "./watch-types.js";

export interface OpenWatchParts {
  readonly feed: WatchFeed;
  /** Lists the present entries. */
  readonly list: (revision: number, signal: AbortSignal) => AsyncIterable<readonly Entry[]>;
  /** For error texts. */
  readonly what: string;
}

export class OpenWatch implements Watch {
  readonly #parts: OpenWatchParts;
  readonly #options: WatchOptions;
  /** Aborted by close(). */
  readonly #closing = new AbortController();
  readonly #forget: () => void;
  #taken = false;

  constructor(parts: OpenWatchParts, options: WatchOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#forget = onAbort(options.signal, () => this.close());
    if (options.signal?.aborted) this.close();
    else parts.feed.start();
  }

  async ready(): Promise<{ readonly revision: number; readonly storeId: string }> {
    const created = await this.#parts.feed.opened;
    if (created !== undefined) return { revision: created.revision, storeId: created.storeId };
    const { signal } = this.#options;
    const cause = signal?.aborted ? signal.reason : undefined;
    const text = `${this.#parts.what}: closed before it was open`;
    throw new KvdClientError("CANCELLED", text, { cause });
  }

  steps(): AsyncIterable<WatchStep> {
    return this.#iterate(this.#steps());
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchEvent> {
    if (this.#options.relist) {
      throw new TypeError("a watch with relist tells more than events: iterate over its steps()");
    }
    return this.#iterate(this.#events())[Symbol.asyncIterator]();
  }

  close(): void {
    this.#closing.abort();
    this.#forget();
    this.#parts.feed.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async *#events(): AsyncGenerator<WatchEvent, void> {
    for await (const step of this.#steps()) {
      if (step.kind === "events") yield* step.events;
    }
  }

  async *#steps(): AsyncGenerator<WatchStep, void> {
    const { feed } = this.#parts;
    const created: Created | undefined = await feed.opened;
    if (created === undefined) return;
    yield created;
    while (!this.#closed) {
      const item = await feed.next();
      if (item === undefined) return;
      if (item.kind === "list") yield* this.#list(item.revision);
      else yield item;
    }
  }

  /** The present entries, or a part of them when they have to be listed anew. */
  async *#list(revision: number): AsyncGenerator<WatchStep, void> {
    const { feed, list } = this.#parts;
    let begun = false;
    try {
      for await (const entries of list(revision, this.#closing.signal)) {
        begun = true;
        yield { kind: "current", revision, entries };
      }
    } catch (error) {
      if (this.#closed) return;
      const compacted = error instanceof KvdClientError && error.reason === "REVISION_COMPACTED";
      // What was given of them is void: that has to be told, or is an error.
      if (!compacted || (begun && !this.#options.relist)) throw error;
      feed.beginAnew(begun ? "relist" : "list");
      return;
    }
    yield { kind: "synced", revision };
  }

  /** One iteration only; leaving it ends the watch at once, even while a next() is waiting. */
  #iterate<T>(generator: AsyncGenerator<T, void>): AsyncIterableIterator<T> {
    if (this.#taken) throw new TypeError("a watch can be iterated over once");
    this.#taken = true;
    const end = () => this.close();
    return {
      async next() {
        try {
          return await generator.next();
        } catch (error) {
          end();
          throw error;
        }
      },
      async return() {
        end();
        return generator.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
