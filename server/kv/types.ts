// The vocabulary of the service: entries, events, commands and results, as every engine and every
// protocol surface speaks them.
//
// Keys and values are bytes. Those in commands belong to the caller, and an engine copies what it
// keeps; those in results belong to the engine and must not be modified. Revisions, versions and
// counts are numbers up to 2^53 - 1. Lease ids are any int64 but 0, as bigint.

import type { KvdError } from "./errors.js";
import type { Selector } from "./selector.js";

/** The store-wide counter of commits: 1 for an empty store, one more for each commit. */
export type Revision = number;

/** Any int64 but 0. */
export type LeaseId = bigint;

/** What stands for "no lease". */
export const NO_LEASE: LeaseId = 0n;

export interface Entry {
  readonly key: Uint8Array;
  /** Empty where a query asked for keys only. */
  readonly value: Uint8Array;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** The number of changes since the key's creation, that included. */
  readonly version: number;
  readonly leaseId: LeaseId;
}

export type DeleteReason = "deleted" | "expired" | "revoked" | "unknown";

/** One change of one key. */
export type Event =
  | {
      readonly type: "put";
      readonly revision: Revision;
      readonly commitTimeMs: number;
      readonly entry: Entry;
      /** When the watch asked for it, there was one, and it is not compacted. */
      readonly previous: Entry | undefined;
    }
  | {
      readonly type: "delete";
      readonly revision: Revision;
      readonly commitTimeMs: number;
      readonly key: Uint8Array;
      readonly reason: DeleteReason;
      readonly previous: Entry | undefined;
    };

/** One change of one key, as a walk over what is retained gives it. */
export interface VersionRow {
  readonly revision: Revision;
  /** Which of the changes of that revision, from 0. */
  readonly place: number;
  readonly key: Uint8Array;
  /** What the key became; undefined when it was deleted. */
  readonly entry: Entry | undefined;
  /** No later change of its key follows, up to the revision of the walk. */
  readonly newest: boolean;
}

export interface GetCommand {
  readonly key: Uint8Array;
  /** 0 means now. */
  readonly revision: Revision;
}

export interface GetResult {
  /** The revision that the answer reflects. */
  readonly revision: Revision;
  /** The newest revision that may be shown. */
  readonly currentRevision: Revision;
  readonly entry: Entry | undefined;
}

/** Where a put leaves its key's lease. */
export type LeaseChoice =
  /** The key leaves the lease that it had. */
  | { readonly kind: "none" }
  /** The key moves to this lease, unless it has `maxKeys` keys already (LEASE_FULL). */
  | { readonly kind: "lease"; readonly id: LeaseId; readonly maxKeys: number }
  /** The key stays in the lease that it has; an absent key gets none. */
  | { readonly kind: "keep" }
  /** A lease of its own is granted with the put; it vanishes with its last key. */
  | { readonly kind: "ttl"; readonly ttlMs: number };

export interface PutCommand {
  readonly key: Uint8Array;
  /** keep: the value that the key has; it must be present. */
  readonly value: Uint8Array | "keep";
  readonly lease: LeaseChoice;
  /** The mod revision that the key must have; 0: it must be absent; present: any. */
  readonly expectedModRevision: Revision | "present" | undefined;
  readonly returnPrevious: boolean;
}

export interface PutResult {
  readonly revision: Revision;
  readonly previous: Entry | undefined;
  /** NO_LEASE when none. */
  readonly leaseId: LeaseId;
  /** The granted time of that lease; 0 when none. */
  readonly ttlMs: number;
}

export interface DeleteCommand {
  readonly selector: Selector;
  /** At most this many keys, the lowest first; 0 means all. */
  readonly limit: number;
  /**
   * Refuse, with TOO_MANY_KEYS, to delete more than this; Infinity where there is no such limit.
   */
  readonly maxKeys: number;
  /** Only for the selector of one key. */
  readonly expectedModRevision: Revision | undefined;
  readonly returnPrevious: boolean;
  /**
   * RESULT_TOO_LARGE before anything is deleted, if the previous entries weigh more (entryBytes).
   */
  readonly maxBytes: number;
}

export interface DeleteResult {
  readonly revision: Revision;
  readonly deleted: number;
  /** The limit was reached and keys of the selector remain. */
  readonly more: boolean;
  /** In key order; empty unless asked for. */
  readonly previous: readonly Entry[];
}

export interface RangeQuery {
  readonly selector: Selector;
  /** 0 means now. */
  readonly revision: Revision;
  readonly order: "ascending" | "descending";
  /** At most this many rows: entries and folded prefixes together; 0: no such limit. */
  readonly limit: number;
  readonly keysOnly: boolean;
  /**
   * no: rows only. only: no rows, but how many there are, up to `limit`. also: rows, and how many
   * rows there are in all, whatever the limit (a walk over the whole selector).
   */
  readonly count: "no" | "only" | "also";
  /** Folds keys at it, see kv.proto; empty: no folding. */
  readonly delimiter: Uint8Array;
  /**
   * Where to go on: `next` of the page before, whose `revision` must be given too. Such a read
   * works below the compact revision while the listing's pin holds.
   */
  readonly resume: Uint8Array | undefined;
  /** A page ends before its rows weigh more than this (entryBytes), but has at least one row. */
  readonly maxBytes: number;
}

export interface RangeResult {
  readonly revision: Revision;
  readonly currentRevision: Revision;
  readonly entries: readonly Entry[];
  /** Folded prefixes, delimiter included, in the order asked for. */
  readonly prefixes: readonly Uint8Array[];
  /** Rows remain beyond the limit, or counting stopped at it. */
  readonly more: boolean;
  /** With `more`, unless only counting: the bound to resume at. Opaque. */
  readonly next: Uint8Array | undefined;
  /** Unless count is "no". */
  readonly count: number | undefined;
}

export type CompareRelation = "equal" | "not-equal" | "less" | "greater";

export type CompareTarget =
  | { readonly kind: "version" | "createRevision" | "modRevision"; readonly value: number }
  | { readonly kind: "value"; readonly value: Uint8Array }
  | { readonly kind: "leaseId"; readonly value: LeaseId }
  | { readonly kind: "exists"; readonly value: boolean };

/** Holds when it holds for every key of the selector; the rules for none are those of kv.proto. */
export interface Compare {
  readonly selector: Selector;
  readonly relation: CompareRelation;
  readonly target: CompareTarget;
}

export type Operation =
  | { readonly kind: "get"; readonly get: GetCommand }
  | { readonly kind: "range"; readonly range: RangeQuery }
  | { readonly kind: "put"; readonly put: PutCommand }
  | { readonly kind: "delete"; readonly delete: DeleteCommand }
  | { readonly kind: "txn"; readonly txn: TxnCommand };

export interface TxnCommand {
  readonly compares: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

/** What a txn's caller can bear. */
export interface TxnOptions {
  /** RESULT_TOO_LARGE, and nothing applied, if all results together weigh more (entryBytes). */
  readonly maxBytes: number;
}

export type OperationResult =
  | { readonly kind: "get"; readonly get: GetResult }
  | { readonly kind: "range"; readonly range: RangeResult }
  | { readonly kind: "put"; readonly put: PutResult }
  | { readonly kind: "delete"; readonly delete: DeleteResult }
  | { readonly kind: "txn"; readonly txn: TxnResult };

export interface TxnResult {
  readonly revision: Revision;
  readonly succeeded: boolean;
  readonly results: readonly OperationResult[];
}

export type BatchOperation =
  | { readonly kind: "get"; readonly get: GetCommand }
  | { readonly kind: "put"; readonly put: PutCommand }
  | { readonly kind: "delete"; readonly delete: DeleteCommand }
  /**
   * Refused by the surface already; takes its place in the results as a failure. What would have
   * been a write makes the batch one that writes: its caller counts on seeing the head.
   */
  | { readonly kind: "refused"; readonly error: KvdError; readonly isWrite: boolean };

/** A batch of these alone sees what is durable, any other the head. */
export function isRead(operation: BatchOperation): boolean {
  return operation.kind === "get" || (operation.kind === "refused" && !operation.isWrite);
}

export interface BatchCommand {
  readonly operations: readonly BatchOperation[];
  /** An operation whose result would push the answer over this (entryBytes) fails alone. */
  readonly maxBytes: number;
}

export type BatchResultItem =
  | { readonly kind: "get"; readonly get: GetResult }
  | { readonly kind: "put"; readonly put: PutResult }
  | { readonly kind: "delete"; readonly delete: DeleteResult }
  | { readonly kind: "failure"; readonly error: KvdError };

export interface BatchResult {
  /** After the last operation. */
  readonly revision: Revision;
  readonly results: readonly BatchResultItem[];
}

export interface LeaseInfo {
  readonly id: LeaseId;
  /** What remains, in whole milliseconds, rounded down. */
  readonly ttlMs: number;
  readonly grantedTtlMs: number;
}

export interface LeaseKeys extends LeaseInfo {
  /** In byte order; empty unless asked for. */
  readonly keys: readonly Uint8Array[];
  /** There are keys beyond those. */
  readonly more: boolean;
}

export interface WatchSpec {
  readonly selector: Selector;
  /** 0: from now, the first event being that of the revision after the one of `created`. */
  readonly startRevision: Revision;
  /** Another one than the engine's ends the watch with STORE_CHANGED; undefined: any. */
  readonly storeId: string | undefined;
  /** The present entries first. Not with a startRevision. */
  readonly includeCurrent: boolean;
  /** Events carry the entry before. */
  readonly previous: boolean;
  readonly excludePuts: boolean;
  readonly excludeDeletes: boolean;
  /** How often a quiet watch tells its progress; 0: only when asked. */
  readonly progressIntervalMs: number;
  /** A message weighs at most this (entryBytes), but has at least one row or event. */
  readonly maxBytes: number;
  /** All events of a revision come in one message up to this weight, even above maxBytes. */
  readonly wholeRevisionMaxBytes: number;
}

/** One step of a watch, in the order of kvd.v1's WatchResponse. */
export type WatchMessage =
  | { readonly kind: "created"; readonly revision: Revision; readonly storeId: string }
  | { readonly kind: "current"; readonly revision: Revision; readonly entries: readonly Entry[] }
  | { readonly kind: "synced"; readonly revision: Revision }
  | {
      readonly kind: "events";
      /** Of the last event in it. */
      readonly revision: Revision;
      readonly events: readonly Event[];
      /** The last revision goes on in the next message. */
      readonly fragment: boolean;
    }
  | { readonly kind: "progress"; readonly revision: Revision };

/** What an entry without its bytes weighs at most in any encoding that a surface uses. */
export const ENTRY_OVERHEAD_BYTES = 96;

/** The weight of an entry in an answer: an upper bound of its encoded size. */
export function entryBytes(entry: {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}): number {
  return entry.key.length + entry.value.length + ENTRY_OVERHEAD_BYTES;
}
