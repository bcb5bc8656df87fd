// The public shape of a connection: what connect() takes and returns, with every promise that the
// client makes about calls in general. Shapes of what goes into them are in types.ts and beside it.

import type { Leases } from "./lease-types.js";
import type { Maintenance } from "./maintenance-types.js";
import type { BatchOperation, BatchResult, TxnResult, TxnSpec } from "./txn-types.js";
import type {
  CallOptions,
  CountOptions,
  CountResult,
  DeleteOptions,
  DeleteResult,
  DurationLike,
  EntriesOptions,
  Entry,
  GetOptions,
  KeyLike,
  PagesOptions,
  PutOptions,
  PutResult,
  RangeOptions,
  RangeResult,
  SelectorLike,
  ValueLike,
} from "./types.js";
import type { Watch, WatchOptions } from "./watch-types.js";

export interface ConnectOptions {
  /** The deadline of unary calls that give none; "10s" by default, 0: none. */
  readonly timeout?: DurationLike;
  /** The largest answer to accept, in bytes; 5 MiB by default, above the server's own limit. */
  readonly responseMaxBytes?: number;
  /**
   * Wait for a connection, and send again what is safe to send again: see Kvd. True by default;
   * false: every call is sent once, and fails at once when there is no connection, and watches end
   * with their stream (unless WatchOptions.resume says another).
   */
  readonly retry?: boolean;
  /**
   * Send gets, puts and deletes of single keys that are made in one tick together, as messages of
   * one stream, and equal gets once: see Kvd. True by default; false: each is a request of its own.
   * It is off, too, where responseMaxBytes is below 4 MiB, what a server may answer.
   */
  readonly batching?: boolean;
  /**
   * How often the server is asked for a sign of life while calls or watches wait for it; "20s" by
   * default, at least 10 ms, 0: never. A connection that gives none for as long again is given up.
   */
  readonly pingInterval?: DurationLike;
}

/**
 * A connection to a kvd server: what connect() returns. It connects when it is first used, and
 * again by itself when the connection breaks. One serves a whole program.
 *
 * Within its timeout, a call waits for a connection and is sent again where that cannot do harm:
 * what only reads (get, range, pages, entries, count; a txn or a batch of nothing else; leases but
 * for grant and revoke; status, health, hash) whenever the connection broke under it; a write (put,
 * delete, any other txn or batch, grant, revoke, compact) only while it is certain that it was not
 * applied: it was never sent, or the server refused it because it stops. A write whose connection
 * broke rejects with UNAVAILABLE without a reason, and may have happened or not; it is never sent
 * again. To repeat one safely, give it an expectedModRevision, or look before.
 *
 * Gets, puts and deletes of single keys that are made without waiting in between travel together
 * (ConnectOptions.batching): a hundred cost little more than a few. They are still calls of their
 * own, each with its answer or error, its timeout and its signal, and they are executed in the
 * order in which they were made: a get sees the puts before it. A break of the connection, after
 * which reads are sent again, and requests above 2 MiB are exceptions from that.
 *
 * Other calls that are made concurrently may be applied in any order; await one before the next
 * where the order counts. Everything returned is plain data that nobody else changes.
 */
export interface Kvd extends AsyncDisposable {
  readonly lease: Leases;
  readonly maintenance: Maintenance;

  /**
   * Reads one key. Undefined when it is absent.
   *
   * @throws KvdClientError KEY_EMPTY, KEY_TOO_LONG, REVISION_COMPACTED, REVISION_FUTURE.
   */
  get(key: KeyLike, options?: GetOptions): Promise<Entry | undefined>;

  /**
   * Writes one key, in a new revision.
   *
   * @throws KvdClientError KEY_EMPTY, KEY_TOO_LONG, VALUE_TOO_LARGE, FIELD_CONFLICT,
   *   TTL_OUT_OF_RANGE, PRECONDITION_FAILED, LEASE_NOT_FOUND, LEASE_FULL, STORE_FULL, NO_SPACE.
   */
  put(key: KeyLike, value: ValueLike, options?: PutOptions): Promise<PutResult>;

  /**
   * Deletes the keys of a selector in one revision. Nothing there: `deleted` is 0, no new revision.
   *
   * @throws KvdClientError PREFIX_EMPTY, PRECONDITION_FAILED, TOO_MANY_KEYS, RESULT_TOO_LARGE.
   */
  delete(selector: SelectorLike, options?: DeleteOptions): Promise<DeleteResult>;

  /**
   * Lists one page; see pages() and entries() for all.
   *
   * @throws KvdClientError PREFIX_EMPTY, PAGE_TOKEN_INVALID, STORE_CHANGED, REVISION_COMPACTED,
   *   REVISION_FUTURE.
   */
  range(selector: SelectorLike, options?: RangeOptions): Promise<RangeResult>;

  /**
   * All pages of a selector, all of one revision, with their folded prefixes when there is a
   * delimiter. They are asked for as the iteration goes; should it pause for longer than 60 s,
   * compaction may end it (REVISION_COMPACTED).
   *
   * @throws KvdClientError as range() does.
   */
  pages(selector: SelectorLike, options?: PagesOptions): AsyncIterable<RangeResult>;

  /**
   * All entries of a selector, one by one: those of pages().
   *
   * ```ts
   * for await (const entry of kv.entries({ prefix: "country:" })) names.push(entry.key);
   * ```
   */
  entries(selector: SelectorLike, options?: EntriesOptions): AsyncIterable<Entry>;

  /** How many rows a range() of the selector has. */
  count(selector: SelectorLike, options?: CountOptions): Promise<CountResult>;

  /**
   * Applies one of two lists of operations, atomically, depending on compares.
   *
   * ```ts
   * const { succeeded } = await kv.txn({
   *   compare: [absent("leader")],
   *   success: [put("leader", me)],
   *   failure: [get("leader")],
   * });
   * ```
   *
   * @throws KvdClientError DUPLICATE_KEY, TOO_MANY_OPERATIONS, TOO_DEEP, RESULT_TOO_LARGE, and
   *   whatever an operation throws, with its path in details.operation; nothing is applied then.
   */
  txn(spec: TxnSpec, options?: CallOptions): Promise<TxnResult>;

  /**
   * Many independent operations in one message, applied in order; each has a result of its own, and
   * one that fails does not stop the others.
   *
   * @throws KvdClientError TOO_MANY_OPERATIONS, REQUEST_TOO_LARGE; nothing is applied then.
   */
  batch(operations: readonly BatchOperation[], options?: CallOptions): Promise<BatchResult>;

  /** Opens a watch: see Watch. It has no deadline. @throws TypeError as all calls do, at once. */
  watch(selector: SelectorLike, options?: WatchOptions): Watch;

  /**
   * Resolves once the server answers, however often it takes to connect.
   *
   * @throws KvdClientError after the timeout: UNAVAILABLE when there was no connection,
   *   DEADLINE_EXCEEDED when there was one and no answer.
   */
  ready(options?: CallOptions): Promise<void>;

  /**
   * Ends watches and snapshots, lets calls in flight have their answers, refuses new ones
   * (CANCELLED), and closes the connection. A call that waits for a connection which cannot be made
   * fails. Twice does no harm.
   */
  close(): Promise<void>;
}
