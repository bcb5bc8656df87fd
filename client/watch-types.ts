// The public shapes of watches: what can be asked for, events, steps, and the watch itself. The
// guarantees behind them (ordered, unique, atomic, without a gap) are the server's; the client adds
// that none of them is lost between the wire and the consumer.

import type { KvdClientError } from "./errors.js";
import type { DurationLike, Entry } from "./types.js";

export interface WatchOptions {
  /** Ends the watch quietly: the iteration is over, without an error. */
  readonly signal?: AbortSignal;
  /**
   * The first revision to see; 0 or absent: from when the server has opened the watch (`ready()`)
   * on. Below the compact revision: REVISION_COMPACTED.
   */
  readonly startRevision?: number;
  /**
   * The store that startRevision belongs to; another one: STORE_CHANGED. Without it, it is the
   * store that answers first.
   */
  readonly storeId?: string;
  /**
   * The present entries first, then the events after them, without a gap. They come as steps of
   * kind "current", then "synced"; an iteration for events alone leaves them out. Not with
   * startRevision.
   */
  readonly includeCurrent?: boolean;
  /** Events carry the entry before, unless it is compacted. */
  readonly previous?: boolean;
  /** Leave these events out. */
  readonly exclude?: readonly ("put" | "delete")[];
  /**
   * Go on by itself when the connection breaks or the server stops, exactly where it stood. True by
   * default, as ConnectOptions.retry is; false: that is thrown.
   */
  readonly resume?: boolean;
  /**
   * When history from where the watch stood is gone: go on with a step "relist" and the present
   * entries, instead of throwing REVISION_COMPACTED. Such a watch is iterated over with steps()
   * only, because events alone could not tell what was missed.
   */
  readonly relist?: boolean;
  /** How often a quiet watch yields "progress" steps, at least 100 ms; 0 or absent: never. */
  readonly progressInterval?: DurationLike;
  /**
   * Told why, when a watch that was open has broken and goes on by itself: once each time, until it
   * is open again. For people who wonder about the silence; a program need not care.
   */
  readonly onBreak?: (cause: KvdClientError) => void;
}

/** One change of one key. `key` is as in Entry. */
export type WatchEvent =
  | {
      readonly type: "put";
      readonly key: string;
      readonly keyBytes: Uint8Array;
      readonly revision: number;
      /** As the put left it. */
      readonly entry: Entry;
      /** With WatchOptions.previous, when there was one and it is not compacted. */
      readonly previous: Entry | undefined;
      /** When the revision was committed; it never goes back from one revision to the next. */
      readonly commitTime: Date;
    }
  | {
      readonly type: "delete";
      readonly key: string;
      readonly keyBytes: Uint8Array;
      readonly revision: number;
      /** Somebody deleted it, its ttl or lease ended, or its lease was revoked. */
      readonly reason: "deleted" | "expired" | "revoked" | "unknown";
      readonly previous: Entry | undefined;
      readonly commitTime: Date;
    };

/** All that a watch tells, in order, for those who iterate over its steps(). */
export type WatchStep =
  /** First, always: the watch is open, and this is the newest revision. */
  | { readonly kind: "created"; readonly revision: number; readonly storeId: string }
  /** A page of present entries, all of one revision. */
  | { readonly kind: "current"; readonly revision: number; readonly entries: readonly Entry[] }
  /** The present entries are complete; events from revision + 1 on follow. */
  | { readonly kind: "synced"; readonly revision: number }
  /** Whole revisions, in order, unless `fragment` is set. */
  | {
      readonly kind: "events";
      /** Of the last event. */
      readonly revision: number;
      readonly events: readonly WatchEvent[];
      /** The last revision goes on in the next step. */
      readonly fragment: boolean;
    }
  /** All events up to revision have been sent. */
  | { readonly kind: "progress"; readonly revision: number }
  /**
   * Only with WatchOptions.relist: changes were missed, up to this revision. All entries that are
   * there now follow as "current" and "synced" do at the beginning, then events go on. What the
   * consumer knows of before and does not find among them is gone.
   */
  | { readonly kind: "relist"; readonly revision: number };

/**
 * A watch: iterate over it for events, or over steps() for everything. Either, once.
 *
 * ```ts
 * await using watch = kv.watch({ prefix: "kenya:" }, { startRevision });
 * for await (const event of watch) {
 *   if (event.type === "put") cache.set(event.key, event.entry.text());
 *   else cache.delete(event.key);
 * }
 * ```
 *
 * It is opened by kv.watch(), not by the iteration: what happens after ready() is not missed.
 * Leaving the loop, the signal and close() end it on the server too, quietly. Every other end is
 * thrown, after what came before it, as a KvdClientError.
 *
 * When the connection breaks, the server stops, or the server finds the watch too slow, the watch
 * goes on by itself where it stood: at once, then after growing times of up to 5 s, until the
 * server is back, or the watch is ended. The consumer sees nothing of it: every event comes once
 * and in order, also when a revision that comes in fragments was cut in its middle, and "created"
 * comes once. It never goes on in another store (STORE_CHANGED). Until it is open for the first
 * time it waits as long as a call does, ConnectOptions.timeout; then it throws UNAVAILABLE, or
 * DEADLINE_EXCEEDED when there is a connection. With `resume: false`, breaks are thrown too;
 * details.resumeRevision is then the startRevision to go on with, counted from what the iteration
 * has given out. (Should the break fall into a revision that came in fragments, that revision comes
 * again from its beginning.)
 *
 * Present entries (includeCurrent, and after a "relist") are all of one revision, and are read page
 * by page as the consumer takes them; a break does not begin them anew. If their revision is
 * compacted before the first page was given, they are listed at a later one; after that it is
 * REVISION_COMPACTED, or with `relist` a "relist".
 *
 * While the consumer is behind, the client holds 256 KiB of its events; then the watch is closed on
 * the server and opened again when there is room, so that no other watch waits for it. A consumer
 * that stays behind for longer than history lasts gets REVISION_COMPACTED, or a "relist". All
 * watches of a client together hold 64 MiB, and one message each beyond that.
 */
export interface Watch extends AsyncIterable<WatchEvent>, AsyncDisposable {
  /**
   * Resolves when the server has opened the watch: it sees every revision after this one. May be
   * awaited before or during the iteration, or never.
   *
   * @throws KvdClientError like the iteration; CANCELLED when the watch was closed before.
   */
  ready(): Promise<{ readonly revision: number; readonly storeId: string }>;
  /** The watch step by step. @throws TypeError when the watch is iterated over already. */
  steps(): AsyncIterable<WatchStep>;
  /** Ends the watch; a running iteration is over. Twice does no harm. */
  close(): void;
}
