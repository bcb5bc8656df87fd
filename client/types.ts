// The public shapes of the client: what goes into its calls and what comes out.
//
// Keys go in as text or bytes; values as text, bytes, or `json(...)`. Revisions and counts are
// numbers up to 2^53 - 1, lease ids bigint. A ttl is milliseconds, or text such as "30s", "1h30m".
// What the server refuses, and what happens on the way, is a KvdClientError (errors.ts); what cannot
// be meant (no key at all, text with a lone surrogate, a fraction as a revision) is a TypeError,
// before anything is sent. Bytes that are passed in are read before the call returns, not later.

import type { Reason } from "./errors.js";

/**
 * A key, or a bound of keys: 1 byte to 8 KiB. Text goes as UTF-8, so `"é"` and its two bytes are the
 * same key. Text with a lone surrogate has no UTF-8 form and is a TypeError.
 */
export type KeyLike = string | Uint8Array;

/** A value: at most 1.5 MiB by default, empty allowed. Text goes as UTF-8, as for keys. */
export type ValueLike = string | Uint8Array;

/** A duration: milliseconds, or text made of numbers with units ms, s, m, h, d ("1h30m", "1.5s"). */
export type DurationLike = number | string;

/**
 * Which keys: one key; all that start with a prefix; all from `start` up to, not including, `end`
 * (either may be left out, not both); or all. Exactly one of these forms, else it is a TypeError: an
 * object that came out empty by mistake must not select the whole store.
 */
export type SelectorLike =
  | KeyLike
  | { readonly key: KeyLike }
  | { readonly prefix: KeyLike }
  | { readonly start?: KeyLike; readonly end?: KeyLike }
  | { readonly all: true };

/** Of every call. */
export interface CallOptions {
  /**
   * Ends the call; it then rejects with a KvdClientError of code CANCELLED, its cause the signal's
   * reason. Aborted before the call: nothing is sent. Aborted later: a write may have happened.
   */
  readonly signal?: AbortSignal;
  /**
   * How long to wait for the answer, reconnecting included; then the call rejects with
   * DEADLINE_EXCEEDED, and a write may have happened. ConnectOptions.timeout (10 s) by default, 0:
   * no limit. Calls that read page by page (entries, count, leases) count it for each page.
   */
  readonly timeout?: DurationLike;
}

/** An entry of the store. */
export interface Entry {
  /** The key as text; bytes that are not UTF-8 show as U+FFFD, see keyBytes. */
  readonly key: string;
  /** The key, exactly. */
  readonly keyBytes: Uint8Array;
  /**
   * The value, exactly; empty where only keys were asked for. It is yours to read and change, but a
   * part of the received message (a whole page of a listing): to keep a few entries of many for
   * long, keep `bytes.slice()`.
   */
  readonly bytes: Uint8Array;
  /** The revision that created the key; a delete ends it. */
  readonly createRevision: number;
  /** The revision that last changed it. */
  readonly modRevision: number;
  /** How often it was changed since its creation, that included. */
  readonly version: number;
  /** The lease that it is attached to; 0n when none. */
  readonly leaseId: bigint;
  /** The value as text. @throws TypeError when it is not UTF-8. */
  text(): string;
  /** The value as JSON. @throws SyntaxError when it is not, TypeError when it is not UTF-8. */
  json(): unknown;
}

export interface GetOptions extends CallOptions {
  /** Read as it was then; 0 or absent: now. REVISION_COMPACTED, REVISION_FUTURE. */
  readonly revision?: number;
}

export interface PutOptions extends CallOptions {
  /**
   * How long the key lives, 1 second to 10 years: a lease of its own is granted with the put. At most
   * one of ttl, leaseId, keepLease (FIELD_CONFLICT); without any, the key leaves the lease it had.
   */
  readonly ttl?: DurationLike;
  /** Attach the key to this lease. LEASE_NOT_FOUND, LEASE_FULL. */
  readonly leaseId?: bigint;
  /** Keep the lease that the key has; an absent key gets none. */
  readonly keepLease?: boolean;
  /**
   * The mod revision that the key must have; 0: it must be absent. Else PRECONDITION_FAILED, with
   * details.modRevision.
   */
  readonly expectedModRevision?: number;
  /** Answer the entry that was there before. */
  readonly returnPrevious?: boolean;
}

export interface PutResult {
  /** The revision of this write. */
  readonly revision: number;
  /** When it was asked for and there was one. */
  readonly previous: Entry | undefined;
  /** The lease that the key is now attached to; 0n when none. */
  readonly leaseId: bigint;
  /** The granted time in milliseconds; undefined without a lease. */
  readonly ttlMs: number | undefined;
}

export interface DeleteOptions extends CallOptions {
  /** At most this many keys, the lowest first. Without it, above 100,000 keys: TOO_MANY_KEYS. */
  readonly limit?: number;
  /** Only with one key: as in PutOptions. */
  readonly expectedModRevision?: number;
  /** Answer what was deleted. Too much for one answer: RESULT_TOO_LARGE, and nothing is deleted. */
  readonly returnPrevious?: boolean;
}

export interface DeleteResult {
  /** The revision of the deletion; the current one when there was nothing to delete. */
  readonly revision: number;
  readonly deleted: number;
  /** The limit was reached, and keys of the selector remain. */
  readonly more: boolean;
  /** In key order; empty unless asked for. */
  readonly previous: readonly Entry[];
}

export interface RangeOptions extends CallOptions {
  /** As in GetOptions; with a pageToken the token's. */
  readonly revision?: number;
  /** Rows of this page at most; a page is below 4 MiB in any case. */
  readonly limit?: number;
  /** By the bytes of the keys; ascending by default. */
  readonly order?: "ascending" | "descending";
  /** Leave the values out. */
  readonly keysOnly?: boolean;
  /**
   * Fold every key that has it after the selector's prefix into one row of commonPrefixes: with
   * prefix "city/" and delimiter "/", one row a country. Not with a single key.
   */
  readonly delimiter?: string;
  /** nextPageToken of the page before; all else but limit as it was there. */
  readonly pageToken?: Uint8Array;
}

/** One page of a listing. */
export interface RangeResult {
  /** The revision that this page, and all pages of its listing, reflect. */
  readonly revision: number;
  readonly entries: readonly Entry[];
  /** Folded prefixes, delimiter included, as text (see Entry.key); only with a delimiter. */
  readonly commonPrefixes: readonly string[];
  /** The same, exactly. */
  readonly commonPrefixBytes: readonly Uint8Array[];
  /** There are rows after this page. */
  readonly more: boolean;
  /** Gets the next page, within 60 s; undefined when the listing is done. */
  readonly nextPageToken: Uint8Array | undefined;
}

/** Of entries(): a listing that pages by itself. */
export interface EntriesOptions extends Omit<RangeOptions, "pageToken" | "delimiter" | "limit"> {
  /** End after this many entries; 0 or absent: all. */
  readonly limit?: number;
  /** Entries a page at most; absent: as many as fit. */
  readonly pageSize?: number;
}

export interface CountOptions extends CallOptions {
  /** As in GetOptions. */
  readonly revision?: number;
  /** Count folded rows as one, as in RangeOptions. */
  readonly delimiter?: string;
  /** Stop counting here; 0 or absent: count all. */
  readonly limit?: number;
}

export interface CountResult {
  /** The revision that was counted. */
  readonly revision: number;
  readonly count: number;
  /** Counting stopped at the limit. */
  readonly more: boolean;
}

/** How the stored side relates to the given one. */
export type Relation = "=" | "!=" | "<" | ">";

/** Made with compare.value() and its like, absent() and exists(). */
export interface Compare {
  readonly selector: SelectorLike;
  readonly relation: Relation;
  readonly target:
    | { readonly kind: "version" | "createRevision" | "modRevision"; readonly value: number }
    | { readonly kind: "value"; readonly value: ValueLike }
    | { readonly kind: "leaseId"; readonly value: bigint }
    | { readonly kind: "exists"; readonly value: boolean };
}

/** Made with get(), range(), put(), del() and txn(). */
export type Operation =
  | {
      readonly kind: "get";
      readonly key: KeyLike;
      readonly options: Omit<GetOptions, keyof CallOptions>;
    }
  | {
      readonly kind: "range";
      readonly selector: SelectorLike;
      readonly options: Omit<RangeOptions, keyof CallOptions | "pageToken">;
    }
  | {
      readonly kind: "put";
      readonly key: KeyLike;
      readonly value: ValueLike;
      readonly options: Omit<PutOptions, keyof CallOptions>;
    }
  | {
      readonly kind: "delete";
      readonly selector: SelectorLike;
      readonly options: Omit<DeleteOptions, keyof CallOptions>;
    }
  | { readonly kind: "txn"; readonly txn: TxnSpec };

/** If all compares hold, `success` is applied, else `failure`: atomically, in one revision. */
export interface TxnSpec {
  /** None: it holds. All see the state before the txn. */
  readonly compare?: readonly Compare[];
  /** Each operation sees the ones before it. */
  readonly success?: readonly Operation[];
  readonly failure?: readonly Operation[];
}

/** The answer of an operation, of the same kind as that. */
export type OperationResult =
  | { readonly kind: "get"; readonly revision: number; readonly entry: Entry | undefined }
  | ({ readonly kind: "range" } & RangeResult)
  | ({ readonly kind: "put" } & PutResult)
  | ({ readonly kind: "delete" } & DeleteResult)
  | ({ readonly kind: "txn" } & TxnResult);

export interface TxnResult {
  /** The revision of the changes; the current one when nothing changed. */
  readonly revision: number;
  /** All compares held, so `success` was applied. */
  readonly succeeded: boolean;
  /** One for each operation of the branch that was applied, in order. */
  readonly results: readonly OperationResult[];
}

/** One of get(), put() and del() of a single key. */
export type BatchOperation = Extract<Operation, { kind: "get" | "put" | "delete" }>;

/** The answer of an operation of a batch, or why there is none. */
export type BatchResultItem =
  | Extract<OperationResult, { kind: "get" | "put" | "delete" }>
  | {
      readonly kind: "failure";
      /** Such as PRECONDITION_FAILED. This operation changed nothing; the others are not touched. */
      readonly reason: Reason;
      /** For people. */
      readonly message: string;
      /** With PRECONDITION_FAILED: 0 when the key is absent. */
      readonly modRevision: number;
    };

export interface BatchResult {
  /** After the last operation. */
  readonly revision: number;
  /** One for each operation, in order. */
  readonly results: readonly BatchResultItem[];
}

export interface WatchOptions {
  /** Ends the watch quietly: the iteration is over, without an error. */
  readonly signal?: AbortSignal;
  /**
   * The first revision to see; 0 or absent: from when the server has opened the watch (`ready()`) on.
   * Below the compact revision: REVISION_COMPACTED.
   */
  readonly startRevision?: number;
  /** The store that startRevision belongs to; another one: STORE_CHANGED. */
  readonly storeId?: string;
  /**
   * The present entries first, then the events after them, without a gap. They come as steps of kind
   * "current", then "synced"; an iteration for events alone leaves them out. Not with startRevision.
   */
  readonly includeCurrent?: boolean;
  /** Events carry the entry before, unless it is compacted. */
  readonly previous?: boolean;
  /** Leave these events out. */
  readonly exclude?: readonly ("put" | "delete")[];
  /** How often a quiet watch yields "progress" steps, at least 100 ms; 0 or absent: never. */
  readonly progressInterval?: DurationLike;
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
  | { readonly kind: "progress"; readonly revision: number };

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
 * It is opened by kv.watch(), not by the iteration: what happens in between is not missed. While the
 * consumer is behind, the server waits, and the client holds 16 messages of it at most. Leaving the
 * loop, the signal and close() end it on the server too, quietly.
 *
 * When the server ends it, or the connection breaks, the iteration throws a KvdClientError, after
 * all events that had arrived; details.resumeRevision is the startRevision to go on with. It is
 * counted from what the iteration has given out, so nothing is missed. (Should the break fall into
 * a revision that came in fragments, that revision comes again from its beginning.)
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

export interface LeaseInfo {
  /** Any int64 but 0. */
  readonly id: bigint;
  /** What remains, in milliseconds. */
  readonly ttlMs: number;
  /** What was granted, in milliseconds. */
  readonly grantedTtlMs: number;
}

/** What remains of a lease, and its keys when they were asked for. */
export interface LeaseKeys extends LeaseInfo {
  /** In byte order, as text (see Entry.key). */
  readonly keys: readonly string[];
  /** The same, exactly. */
  readonly keyBytes: readonly Uint8Array[];
  /** There are keys beyond those. */
  readonly more: boolean;
}

/** Leases, as kv.lease: a time to live that keys attach to. When it ends, its keys are deleted. */
export interface Leases {
  /**
   * Makes a lease of 1 second to 10 years; without an id the server chooses one.
   *
   * @throws KvdClientError TTL_OUT_OF_RANGE, LEASE_EXISTS, TOO_MANY_LEASES.
   */
  grant(
    ttl: DurationLike,
    options?: CallOptions & { readonly id?: bigint },
  ): Promise<LeaseInfo & { readonly revision: number }>;
  /** Renews it once, to its full time, and tells that. Undefined when the lease is gone. */
  keepAlive(id: bigint, options?: CallOptions): Promise<LeaseInfo["ttlMs"] | undefined>;
  /**
   * Ends a lease and deletes its keys in one revision.
   *
   * @throws KvdClientError LEASE_NOT_FOUND.
   */
  revoke(
    id: bigint,
    options?: CallOptions,
  ): Promise<{ readonly revision: number; readonly deleted: number }>;
  /**
   * What remains of a lease, and with `withKeys` its keys in byte order, as many as fit one answer.
   *
   * @throws KvdClientError LEASE_NOT_FOUND.
   */
  timeToLive(
    id: bigint,
    options?: CallOptions & { readonly withKeys?: boolean },
  ): Promise<LeaseKeys>;
  /** All leases by id. Those that come and go meanwhile may or may not be among them. */
  list(options?: CallOptions): AsyncIterable<LeaseInfo>;
}

/** How the server is. Its fields are those of StatusResponse in maintenance.proto. */
export interface Status {
  readonly version: string;
  /** What stands behind the server, such as "memory". */
  readonly engine: string;
  /** The name of the history that the revisions belong to. */
  readonly storeId: string;
  /** The newest revision. */
  readonly revision: number;
  /** Reading and watching below it is refused. */
  readonly compactRevision: number;
  /** The newest revision that is durable, and so the newest that is shown. */
  readonly durableRevision: number;
  readonly keys: number;
  readonly leases: number;
  readonly watchers: number;
  /** Bytes of the present entries. */
  readonly liveBytes: number;
  /** Bytes that compaction could free. */
  readonly historyBytes: number;
  readonly diskBytes: number;
  readonly fsyncPolicy: "always" | "everysec" | "never" | "memory" | "unknown";
  readonly uptimeMs: number;
  /** The limits in force; unit is "bytes", "count" or "ms", flag the flag of kvd that sets it. */
  readonly limits: readonly {
    readonly name: string;
    readonly value: number;
    readonly unit: string;
    readonly flag: string;
  }[];
  /** What is wrong now, for people. */
  readonly problems: readonly string[];
  /** What this engine lacks or rounds, as short stable names. */
  readonly capabilities: readonly string[];
  /** Work done and held, by stable names. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Care for the server, as kv.maintenance. */
export interface Maintenance {
  status(options?: CallOptions): Promise<Status>;
  /**
   * Drops the versions that are superseded at or below a revision.
   *
   * @throws KvdClientError REVISION_COMPACTED at or below the present compact revision,
   *   REVISION_FUTURE, NUMBER_OUT_OF_RANGE for 0 or less.
   */
  compact(
    revision: number,
    options?: CallOptions,
  ): Promise<{ readonly revision: number; readonly compactRevision: number }>;
  /**
   * SHA-256 over the entries at a revision: equal stores have equal hashes.
   *
   * @throws KvdClientError REVISION_COMPACTED, REVISION_FUTURE, NOT_SUPPORTED.
   */
  hash(options?: GetOptions): Promise<{
    readonly hash: Uint8Array;
    readonly revision: number;
    readonly compactRevision: number;
  }>;
}

export interface ConnectOptions {
  /** The deadline of unary calls that give none; "10s" by default, 0: none. */
  readonly timeout?: DurationLike;
  /** The largest answer to accept, in bytes; 5 MiB by default, above the server's own limit. */
  readonly responseMaxBytes?: number;
}

/**
 * A connection to a kvd server: what connect() returns. It connects when it is first used, and again
 * by itself when the connection breaks; calls are not repeated. One serves a whole program.
 *
 * Calls that are made concurrently may be applied in any order; await one before the next where the
 * order counts. Everything returned is plain data that nobody else changes.
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
   * Lists one page; see entries() for all.
   *
   * @throws KvdClientError PREFIX_EMPTY, PAGE_TOKEN_INVALID, STORE_CHANGED, REVISION_COMPACTED,
   *   REVISION_FUTURE.
   */
  range(selector: SelectorLike, options?: RangeOptions): Promise<RangeResult>;

  /**
   * All entries of a selector, page by page, all of one revision. Pages are asked for as the
   * iteration goes; should it pause for longer than 60 s, compaction may end it
   * (REVISION_COMPACTED).
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
   * Ends watches, lets calls in flight have their answers, refuses new ones (CANCELLED), and closes
   * the connection. Twice does no harm.
   */
  close(): Promise<void>;
}
