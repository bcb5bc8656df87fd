// The public shapes of single calls: keys, values and options that go in, entries and results that
// come out. Those of txns, watches, leases and maintenance have files of their own.
//
// Keys go in as text or bytes; values as text, bytes, or `json(...)`. Revisions and counts are
// numbers up to 2^53 - 1, lease ids bigint. A ttl is milliseconds, or text such as "30s", "1h30m".
// What the server refuses, and what happens on the way, is a KvdClientError (errors.ts); what
// cannot be meant (no key at all, text with a lone surrogate, a fraction as a revision) is a
// TypeError, before anything is sent. Bytes that are passed in are read before the call returns,
// not later.

/**
 * A key, or a bound of keys: 1 byte to 8 KiB. Text goes as UTF-8, so `"é"` and its two bytes are
 * the same key. Text with a lone surrogate has no UTF-8 form and is a TypeError.
 */
export type KeyLike = string | Uint8Array;

/** A value: at most 1.5 MiB by default, empty allowed. Text goes as UTF-8, as for keys. */
export type ValueLike = string | Uint8Array;

/**
 * A duration: milliseconds, or text made of numbers with units ms, s, m, h, d ("1h30m", "1.5s").
 */
export type DurationLike = number | string;

/**
 * Which keys: one key; all that start with a prefix; all from `start` up to, not including, `end`
 * (either may be left out, not both); or all. Exactly one of these forms, else it is a TypeError:
 * an object that came out empty by mistake must not select the whole store.
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
   * How long to wait for the answer, connecting and repeating included; then the call rejects with
   * DEADLINE_EXCEEDED, and a write may have happened, or with UNAVAILABLE when there was no
   * connection. ConnectOptions.timeout (10 s) by default, 0: no limit. Calls that read page by page
   * (pages, entries, leases) count it for each page.
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
   * How long the key lives, 1 second to 10 years: a lease of its own is granted with the put. At
   * most one of ttl, leaseId, keepLease (FIELD_CONFLICT); without any, the key leaves the lease it
   * had.
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

/** Of pages(): a listing that pages by itself. */
export interface PagesOptions extends Omit<RangeOptions, "pageToken" | "limit"> {
  /** End after this many rows; 0 or absent: all. */
  readonly limit?: number;
  /** Rows a page at most; absent: as many as fit. */
  readonly pageSize?: number;
}

/** Of entries(): the same, of entries alone. */
export type EntriesOptions = Omit<PagesOptions, "delimiter">;

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
