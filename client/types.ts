// The public shapes of the client: what goes into its calls and what comes out.
//
// Keys go in as text or bytes; values as text, bytes, or `json(...)`. Revisions and counts are
// numbers up to 2^53 - 1, lease ids bigint. A ttl is milliseconds, or text such as "30s", "1h30m".

/** A key, or a bound: text goes as UTF-8. */
export type KeyLike = string | Uint8Array;

/** A value: text goes as UTF-8. */
export type ValueLike = string | Uint8Array;

/** A duration: milliseconds, or text made of numbers with units ms, s, m, h, d ("1h30m", "1.5s"). */
export type DurationLike = number | string;

/** A key alone, or one of: prefix, start and end, all. */
export type SelectorLike =
  | KeyLike
  | { readonly key: KeyLike }
  | { readonly prefix: KeyLike }
  | { readonly start?: KeyLike; readonly end?: KeyLike }
  | { readonly all: true };

/** Of every call. */
export interface CallOptions {
  /** Ends the call; it then rejects with a KvdClientError of code CANCELLED, its cause the signal's reason. */
  readonly signal?: AbortSignal;
  /** The call's deadline; of unary calls 10 s by default (ConnectOptions.timeout), 0: none. */
  readonly timeout?: DurationLike;
}

/** An entry of the store. */
export interface Entry {
  /** The key as text; bytes that are not UTF-8 show as U+FFFD, see keyBytes. */
  readonly key: string;
  readonly keyBytes: Uint8Array;
  readonly bytes: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** 0n when none. */
  readonly leaseId: bigint;
  /** The value as text. @throws TypeError when it is not UTF-8. */
  text(): string;
  /** The value as JSON. @throws SyntaxError when it is not. */
  json(): unknown;
}

export interface GetOptions extends CallOptions {
  /** Read as it was then; 0 or absent: now. */
  readonly revision?: number;
}

export interface PutOptions extends CallOptions {
  /** At most one of ttl, leaseId, keepLease. */
  readonly ttl?: DurationLike;
  readonly leaseId?: bigint;
  readonly keepLease?: boolean;
  /** The mod revision that the key must have; 0: it must be absent. Else PRECONDITION_FAILED. */
  readonly expectedModRevision?: number;
  readonly returnPrevious?: boolean;
}

export interface PutResult {
  readonly revision: number;
  readonly previous: Entry | undefined;
  readonly leaseId: bigint;
  /** The granted time in milliseconds; undefined without a lease. */
  readonly ttlMs: number | undefined;
}

export interface DeleteOptions extends CallOptions {
  /** At most this many keys, the lowest first. */
  readonly limit?: number;
  readonly expectedModRevision?: number;
  readonly returnPrevious?: boolean;
}

export interface DeleteResult {
  readonly revision: number;
  readonly deleted: number;
  readonly more: boolean;
  readonly previous: readonly Entry[];
}

export interface RangeOptions extends CallOptions {
  readonly revision?: number;
  /** Rows of this page at most; a page is below 4 MiB in any case. */
  readonly limit?: number;
  readonly order?: "ascending" | "descending";
  readonly keysOnly?: boolean;
  readonly delimiter?: string;
  /** nextPageToken of the page before; all else but limit as it was there. */
  readonly pageToken?: Uint8Array;
}

/** One page of a listing. */
export interface RangeResult {
  readonly revision: number;
  readonly entries: readonly Entry[];
  /** Folded prefixes, delimiter included. */
  readonly commonPrefixes: readonly string[];
  readonly more: boolean;
  /** Undefined when the listing is done. */
  readonly nextPageToken: Uint8Array | undefined;
}

export interface CountOptions extends CallOptions {
  readonly revision?: number;
  readonly delimiter?: string;
}

export interface CountResult {
  readonly revision: number;
  readonly count: number;
}

export type Relation = "=" | "!=" | "<" | ">";

/** Made with compare.*, absent() and exists(). */
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

export interface TxnSpec {
  readonly compare?: readonly Compare[];
  readonly success?: readonly Operation[];
  readonly failure?: readonly Operation[];
}

export type OperationResult =
  | { readonly kind: "get"; readonly revision: number; readonly entry: Entry | undefined }
  | ({ readonly kind: "range" } & RangeResult)
  | ({ readonly kind: "put" } & PutResult)
  | ({ readonly kind: "delete" } & DeleteResult)
  | ({ readonly kind: "txn" } & TxnResult);

export interface TxnResult {
  readonly revision: number;
  readonly succeeded: boolean;
  readonly results: readonly OperationResult[];
}

/** One of get(), put() and del() of a single key. */
export type BatchOperation = Extract<Operation, { kind: "get" | "put" | "delete" }>;

export type BatchResultItem =
  | Extract<OperationResult, { kind: "get" | "put" | "delete" }>
  | {
      readonly kind: "failure";
      /** A Reason, such as PRECONDITION_FAILED. */
      readonly reason: string;
      readonly message: string;
      /** With PRECONDITION_FAILED: 0 when the key is absent. */
      readonly modRevision: number;
    };

export interface BatchResult {
  readonly revision: number;
  readonly results: readonly BatchResultItem[];
}

export interface WatchOptions {
  /** Ends the iteration quietly. */
  readonly signal?: AbortSignal;
  /** The first revision to see; absent: from now. */
  readonly startRevision?: number;
  /** The store that startRevision belongs to. */
  readonly storeId?: string;
  /** The present entries first (steps of kind "current", then "synced"). */
  readonly includeCurrent?: boolean;
  /** Events carry the entry before. */
  readonly previous?: boolean;
  readonly exclude?: readonly ("put" | "delete")[];
  /** How often a quiet watch yields "progress" steps. */
  readonly progressInterval?: DurationLike;
}

export type WatchEvent =
  | {
      readonly type: "put";
      readonly key: string;
      readonly keyBytes: Uint8Array;
      readonly revision: number;
      readonly entry: Entry;
      readonly previous: Entry | undefined;
      readonly commitTime: Date;
    }
  | {
      readonly type: "delete";
      readonly key: string;
      readonly keyBytes: Uint8Array;
      readonly revision: number;
      readonly reason: "deleted" | "expired" | "revoked" | "unknown";
      readonly previous: Entry | undefined;
      readonly commitTime: Date;
    };

/** What a watch tells besides events, for those who iterate over its steps(). */
export type WatchStep =
  | { readonly kind: "created"; readonly revision: number; readonly storeId: string }
  | { readonly kind: "current"; readonly revision: number; readonly entries: readonly Entry[] }
  | { readonly kind: "synced"; readonly revision: number }
  | {
      readonly kind: "events";
      readonly revision: number;
      readonly events: readonly WatchEvent[];
      /** The revision goes on in the next step. */
      readonly fragment: boolean;
    }
  | { readonly kind: "progress"; readonly revision: number };

/**
 * A watch: iterate over it for events, or over steps() for everything. Either, once. Leaving the loop,
 * the signal and close() end it on the server too. It throws a KvdClientError when the server ends
 * it; its details.resumeRevision is where to go on.
 */
export interface Watch extends AsyncIterable<WatchEvent>, AsyncDisposable {
  steps(): AsyncIterable<WatchStep>;
  close(): void;
}

export interface LeaseInfo {
  readonly id: bigint;
  readonly ttlMs: number;
  readonly grantedTtlMs: number;
}

/** Leases: kv.lease. */
export interface Leases {
  grant(ttl: DurationLike, options?: CallOptions & { readonly id?: bigint }): Promise<LeaseInfo>;
  /** Renews once. Undefined when the lease is gone. */
  keepAlive(id: bigint, options?: CallOptions): Promise<LeaseInfo["ttlMs"] | undefined>;
  revoke(
    id: bigint,
    options?: CallOptions,
  ): Promise<{ readonly revision: number; readonly deleted: number }>;
  timeToLive(
    id: bigint,
    options?: CallOptions & { readonly withKeys?: boolean },
  ): Promise<LeaseInfo & { readonly keys: readonly Uint8Array[]; readonly more: boolean }>;
  /** All leases, page by page. */
  list(options?: CallOptions): AsyncIterable<LeaseInfo>;
}

export interface Status {
  readonly version: string;
  readonly engine: string;
  readonly storeId: string;
  readonly revision: number;
  readonly compactRevision: number;
  readonly durableRevision: number;
  readonly keys: number;
  readonly leases: number;
  readonly watchers: number;
  readonly liveBytes: number;
  readonly historyBytes: number;
  readonly diskBytes: number;
  readonly fsyncPolicy: "always" | "everysec" | "never" | "memory" | "unknown";
  readonly uptimeMs: number;
  readonly limits: readonly {
    readonly name: string;
    readonly value: number;
    readonly unit: string;
    readonly flag: string;
  }[];
  readonly problems: readonly string[];
  readonly capabilities: readonly string[];
  readonly counters: Readonly<Record<string, number>>;
}

/** Care for the server: kv.maintenance. */
export interface Maintenance {
  status(options?: CallOptions): Promise<Status>;
  compact(
    revision: number,
    options?: CallOptions,
  ): Promise<{ readonly revision: number; readonly compactRevision: number }>;
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

/** A connection to a kvd server: what connect() returns. */
export interface Kvd extends AsyncDisposable {
  readonly lease: Leases;
  readonly maintenance: Maintenance;
  /** Undefined when the key is absent. */
  get(key: KeyLike, options?: GetOptions): Promise<Entry | undefined>;
  put(key: KeyLike, value: ValueLike, options?: PutOptions): Promise<PutResult>;
  /** Deletes the keys of a selector in one revision. */
  delete(selector: SelectorLike, options?: DeleteOptions): Promise<DeleteResult>;
  /** One page; see entries() for all. */
  range(selector: SelectorLike, options?: RangeOptions): Promise<RangeResult>;
  /** All entries of a selector, page by page, all of one revision. */
  entries(
    selector: SelectorLike,
    options?: Omit<RangeOptions, "pageToken" | "delimiter">,
  ): AsyncIterable<Entry>;
  count(selector: SelectorLike, options?: CountOptions): Promise<CountResult>;
  txn(spec: TxnSpec, options?: CallOptions): Promise<TxnResult>;
  /** Many independent operations in one message; each has a result of its own. */
  batch(operations: readonly BatchOperation[], options?: CallOptions): Promise<BatchResult>;
  watch(selector: SelectorLike, options?: WatchOptions): Watch;
  /** Resolves once the server answers. @throws DEADLINE_EXCEEDED, UNAVAILABLE. */
  ready(options?: CallOptions): Promise<void>;
  /** Ends watches and closes the connection. Twice does no harm. */
  close(): Promise<void>;
}
