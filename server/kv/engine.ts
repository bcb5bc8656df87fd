// Engine: what stands behind every protocol surface. The memory engine is one; a real etcd and LMDB
// come. It speaks revisions, ranges, txns, events and leases.
//
// Every operation is atomic and strictly serializable; the revision is the order. Nothing that an
// engine returns shows a revision that is not durable (as its fsync policy defines durable). A
// refused operation throws a KvdError and changes nothing. After close() every call throws
// SHUTTING_DOWN. Limits of a protocol (length of a key, operations of a txn) are checked by its
// surface, not here; limits that a caller may choose come with the command.

import type { Direct } from "./direct.js";
import type { Reason } from "./errors.js";
import type {
  BatchCommand,
  BatchResult,
  DeleteCommand,
  DeleteResult,
  GetCommand,
  GetResult,
  LeaseId,
  LeaseInfo,
  LeaseKeys,
  PutCommand,
  PutResult,
  RangeQuery,
  RangeResult,
  Revision,
  TxnCommand,
  TxnOptions,
  TxnResult,
  VersionRow,
  WatchMessage,
  WatchSpec,
} from "./types.js";

/** What an engine lacks or rounds; the memory engine declares none. */
export type Capability =
  | "no-delete-reasons"
  | "ttl-in-seconds"
  | "txn-128-operations"
  | "no-operation-paths"
  | "no-hash"
  | "no-versions";

export type FsyncPolicy = "always" | "everysec" | "never" | "memory";

export interface EngineStatus {
  /** Such as "memory". */
  readonly engine: string;
  readonly storeId: string;
  readonly revision: Revision;
  readonly compactRevision: Revision;
  /** What came after it, a crash could lose. */
  readonly durableRevision: Revision;
  readonly keys: number;
  readonly leases: number;
  readonly watchers: number;
  readonly liveBytes: number;
  readonly historyBytes: number;
  readonly diskBytes: number;
  readonly fsyncPolicy: FsyncPolicy;
  /**
   * A write was refused for want of space, in the store or on the disk, and would be still. Ends by
   * itself when there is space again.
   */
  readonly outOfSpace: boolean;
  /** What is wrong now, for people. */
  readonly problems: readonly string[];
  readonly capabilities: readonly Capability[];
  /** Work done and held, by stable snake_case names: entries_visited, slices, queued_bytes, … */
  readonly counters: Readonly<Record<string, number>>;
}

export interface Engine {
  /** The name of the history that the revisions belong to; constant while the engine is open. */
  readonly storeId: string;

  /** The newest revision that may be shown. */
  readonly revision: Revision;

  /**
   * Settles when what is written cannot be kept any more: every write is refused with LOG_FAILED
   * from then on, reads go on at what is durable, and only a restart helps. Never otherwise.
   */
  readonly failed: Promise<Error>;

  /**
   * @throws REVISION_COMPACTED below the compact revision (at it, reading works), REVISION_FUTURE.
   */
  get(command: GetCommand): Promise<GetResult>;

  /**
   * One page. Long ones yield to other calls between slices, and still reflect one revision. A page
   * with `next` keeps its revision readable for limits.listingPinMs.
   *
   * @throws REVISION_COMPACTED, REVISION_FUTURE.
   */
  range(query: RangeQuery): Promise<RangeResult>;

  /** @throws PRECONDITION_FAILED, LEASE_NOT_FOUND, LEASE_FULL, STORE_FULL, NO_SPACE, LOG_FAILED. */
  put(command: PutCommand): Promise<PutResult>;

  /** What can be told at once, for surfaces that would wait for a promise in vain. */
  readonly prompt?: PromptCalls;

  /** @throws PRECONDITION_FAILED, TOO_MANY_KEYS, RESULT_TOO_LARGE, LOG_FAILED. */
  delete(command: DeleteCommand): Promise<DeleteResult>;

  /**
   * @throws DUPLICATE_KEY, RESULT_TOO_LARGE, and whatever an operation throws, with the path of the
   *   operation in details.operation; nothing is applied then.
   */
  txn(command: TxnCommand, options: TxnOptions): Promise<TxnResult>;

  /** Each operation stands alone, in order; a failed one is an item of the results. */
  batch(command: BatchCommand): Promise<BatchResult>;

  /** The same without an object for each operation, where the engine has its entries at hand. */
  readonly direct?: Direct;

  /**
   * Opens a watch. Refusals of its spec (REVISION_COMPACTED, STORE_CHANGED) come after `created`,
   * as the watch's end.
   *
   * @throws TOO_MANY_WATCHERS, SHUTTING_DOWN.
   */
  watch(spec: WatchSpec): Watcher;

  /**
   * Grants a lease; id 0 lets the engine choose a positive one.
   *
   * @throws LEASE_EXISTS, TOO_MANY_LEASES.
   */
  grant(command: {
    readonly id: LeaseId;
    readonly ttlMs: number;
  }): Promise<LeaseInfo & { readonly revision: Revision }>;

  /** Renews a lease to its full time, durably. Answers that time, or 0 when the lease is gone. */
  keepAlive(command: { readonly id: LeaseId }): Promise<{ readonly ttlMs: number }>;

  /**
   * Ends a lease and deletes its keys in one revision, in key order.
   *
   * @throws LEASE_NOT_FOUND.
   */
  revoke(command: { readonly id: LeaseId }): Promise<{
    readonly revision: Revision;
    readonly deleted: number;
  }>;

  /** @throws LEASE_NOT_FOUND. */
  timeToLive(command: {
    readonly id: LeaseId;
    readonly withKeys: boolean;
    /** The keys end before they weigh more than this. */
    readonly maxBytes: number;
  }): Promise<LeaseKeys>;

  /** The leases above `after` by id (undefined: from the lowest), at most `limit`. */
  leases(query: { readonly after: LeaseId | undefined; readonly limit: number }): Promise<{
    readonly leases: readonly LeaseInfo[];
    readonly more: boolean;
  }>;

  /**
   * Makes `revision` the compact revision: what it superseded goes, in slices, once no running
   * listing pins it.
   *
   * @throws REVISION_COMPACTED at or below the present one, REVISION_FUTURE.
   */
  compact(command: { readonly revision: Revision }): Promise<{
    readonly revision: Revision;
    readonly compactRevision: Revision;
  }>;

  /**
   * SHA-256 over the entries at a revision (0: now), encoded as in docs/format.md.
   *
   * @throws REVISION_COMPACTED, REVISION_FUTURE, NOT_SUPPORTED.
   */
  hash(query: { readonly revision: Revision }): Promise<{
    readonly hash: Uint8Array;
    readonly revision: Revision;
    readonly compactRevision: Revision;
  }>;

  /**
   * Walks over everything that is retained up to a revision (0: now), in the order of revisions
   * and, within one, of the changes: first the entries as of the compact revision, each as the
   * change that made it (deletes are not told any more, nor what was replaced), then every change
   * after it, deletes included. What is written or compacted meanwhile does not change it.
   *
   * @throws REVISION_COMPACTED below the compact revision (at it, there are entries alone),
   *   REVISION_FUTURE, NOT_SUPPORTED.
   */
  versions(query: { readonly revision: Revision }): Promise<VersionWalk>;

  /**
   * The whole store at its revision, with its history, as the bytes of docs/format.md.
   *
   * @throws NOT_SUPPORTED.
   */
  snapshot(): Promise<SnapshotStream>;

  status(): Promise<EngineStatus>;

  /** Ends every watch with SHUTTING_DOWN and its resume revision, and refuses new ones. */
  endWatches(): void;

  /**
   * Ends watches, waits for what is in flight, saves what is to be kept, frees everything. Twice
   * does no harm. Throws when something could not be saved, with everything freed.
   */
  close(): Promise<void>;
}

/**
 * Calls that an engine may offer beside its own: they mean the same, and what need not wait is told
 * without a promise. A refusal is thrown when it can be told at once, else it rejects.
 */
export interface PromptCalls {
  get(command: GetCommand): GetResult | Promise<GetResult>;
  put(command: PutCommand): PutResult | Promise<PutResult>;
}

/**
 * A watch that its stream pulls from. It owns its bounded queue. All it gives is in order: created,
 * current pages and synced, then events and progress; each event of a revision once, none missing.
 */
export interface Watcher {
  /**
   * The next message, as soon as there is one; undefined after close(). One call at a time.
   *
   * @throws KvdError when the watch has ended, each time; details.resumeRevision is the start
   *   revision to go on with, unless the present entries were not complete or history is gone.
   */
  next(): Promise<WatchMessage | undefined>;

  /**
   * The next message if it is there already; undefined when it takes waiting, and when the watch is
   * over: next() tells. Not while next() waits. For engines that can answer without a promise.
   */
  take?(): WatchMessage | undefined;

  /** Whether everything up to the newest durable revision has been taken with next(). */
  readonly synced: boolean;

  /** Settled once the watch has ended or is closed, also while nobody calls next(). */
  readonly ended: Promise<void>;

  /** Asks for one progress message, as soon as the watch is synced. */
  requestProgress(): void;

  /** Ends the watch and frees it. Twice does no harm. */
  close(): void;
}

/** A snapshot that its stream pulls from. Until it is closed, it holds compaction up. */
export interface SnapshotStream {
  readonly revision: Revision;
  /**
   * The next bytes; undefined at the end. One call at a time.
   *
   * @throws REVISION_COMPACTED when history had to go, because the store is full.
   */
  next(): Promise<Uint8Array | undefined>;
  /** Twice does no harm. */
  close(): void;
}

/** A walk that its reader pulls from. Until it is closed, it holds compaction up. */
export interface VersionWalk {
  readonly revision: Revision;
  /** What is older is told as entries. */
  readonly compactRevision: Revision;
  /**
   * The next rows, at least one; undefined at the end. One call at a time. Others have their turns
   * in between.
   *
   * @throws REVISION_COMPACTED when history had to go, because the store is full.
   */
  next(): Promise<readonly VersionRow[] | undefined>;
  /** Twice does no harm. */
  close(): void;
}

/** Why a watch can end by itself. */
export const WATCH_END_REASONS: readonly Reason[] = [
  "REVISION_COMPACTED",
  "STORE_CHANGED",
  "WATCHER_TOO_SLOW",
  "SHUTTING_DOWN",
  "LOG_FAILED",
];
