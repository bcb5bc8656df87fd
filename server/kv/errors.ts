// The one error of kvd's own: a reason from a closed list, a text for people, facts for programs.
//
// The reasons are those of kvd.v1 (error.proto); a surface maps them to its statuses in one table.
// A text names the subject, shortened, and the limit. Nothing may parse it.

/** Every reason an operation can be refused for. CONTRACT of each: docs/guarantees.md. */
export const REASONS = [
  "FIELD_MISSING",
  "FIELD_CONFLICT",
  "FIELD_UNKNOWN_VALUE",
  "MALFORMED",
  "KEY_EMPTY",
  "KEY_TOO_LONG",
  "VALUE_TOO_LARGE",
  "SELECTOR_MISSING",
  "PREFIX_EMPTY",
  "TOO_MANY_OPERATIONS",
  "TOO_DEEP",
  "DUPLICATE_KEY",
  "PAGE_TOKEN_INVALID",
  "TTL_OUT_OF_RANGE",
  "NUMBER_OUT_OF_RANGE",
  "OPERATION_EMPTY",
  "PRECONDITION_FAILED",
  "STORE_CHANGED",
  "NOT_SUPPORTED",
  "LEASE_NOT_FOUND",
  "LEASE_EXISTS",
  "REVISION_COMPACTED",
  "REVISION_FUTURE",
  "REQUEST_TOO_LARGE",
  "RESULT_TOO_LARGE",
  "TOO_MANY_KEYS",
  "TOO_MANY_WATCHERS",
  "TOO_MANY_LEASES",
  "LEASE_FULL",
  "WATCHER_TOO_SLOW",
  "STORE_FULL",
  "NO_SPACE",
  "SHUTTING_DOWN",
  "LOG_FAILED",
  "CORRUPT",
] as const;

export type Reason = (typeof REASONS)[number];

/** Facts that travel with an error; which of them, is part of each reason's contract. */
export interface ErrorDetails {
  /** REVISION_COMPACTED: reading and watching below it is refused. */
  readonly compactRevision?: number;
  /** PRECONDITION_FAILED: the key's mod revision, 0 when it is absent. */
  readonly modRevision?: number;
  /** PRECONDITION_FAILED, REVISION_FUTURE: the store's revision. */
  readonly revision?: number;
  /** FIELD_CONFLICT: the fields that exclude each other. */
  readonly fields?: readonly string[];
  /** Inside a txn: the path of the operation, such as `success[2].txn.failure[0]`. */
  readonly operation?: string;
  /** The end of a watch: the start revision to go on with. */
  readonly resumeRevision?: number;
  /** STORE_CHANGED: the store that answers. */
  readonly storeId?: string;
  /** The end of a stream of requests: how many of them were begun; the others did nothing. */
  readonly requestsBegun?: number;
}

export class KvdError extends Error {
  override readonly name = "KvdError";
  readonly reason: Reason;
  readonly details: ErrorDetails;

  /**
   * Without a stack: it tells a caller what was wrong with the call, and callers make errors as
   * fast as they like. A stack took ten times what an operation takes.
   */
  constructor(reason: Reason, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, options);
    Error.stackTraceLimit = stackTraceLimit;
    this.reason = reason;
    this.details = details;
  }

  /** The same error with more facts; the text stays. */
  with(details: ErrorDetails): KvdError {
    const merged = { ...this.details, ...details };
    return new KvdError(this.reason, this.message, merged, { cause: this });
  }
}

const SHOWN_CODE_POINTS = 100;
const utf8 = new TextDecoder("utf-8");

/**
 * A key for an error text: quoted, at most about 100 code points, always well-formed (bytes that
 * are not UTF-8 show as U+FFFD), control characters escaped.
 */
export function showKey(key: Uint8Array): string {
  const head = key.length > SHOWN_CODE_POINTS * 4 ? key.subarray(0, SHOWN_CODE_POINTS * 4) : key;
  return showText(utf8.decode(head));
}

/** The same for text that came from outside; lone surrogates show as U+FFFD. */
export function showText(text: string): string {
  const points = Array.from(text.slice(0, SHOWN_CODE_POINTS * 2));
  const cut = points.length > SHOWN_CODE_POINTS || text.length > SHOWN_CODE_POINTS * 2;
  const shown = JSON.stringify(points.slice(0, SHOWN_CODE_POINTS).join(""));
  return cut ? `${shown.slice(0, -1)}…"` : shown;
}
