// What kvctl ends with, as one table: from the reason of a refusal, else from the gRPC status.
//
// Typed so that a reason or a status without an exit code does not compile. Scripts rely on these
// numbers; they never change.

import type { KvdClientError, Reason, StatusName } from "../index.js";

export const EXIT = {
  ok: 0,
  /** An absent key, a lost precondition, nothing deleted, the else branch with --exit-code. */
  negative: 1,
  usage: 2,
  unreachable: 3,
  deadline: 4,
  denied: 5,
  /** Refused for what it is: invalid, or too large. */
  invalid: 6,
  /** The history that was asked for is compacted, or belongs to another store. */
  history: 7,
  partial: 8,
  /** Refused for now: full, too many. The same may work later. */
  refused: 9,
  internal: 70,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For help texts, and for `kvctl help --json`. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: "done",
  1: "negative answer: absent key or lease, lost precondition, nothing deleted, else branch",
  2: "usage: an unknown command or flag, or one that is missing",
  3: "no server could be reached, or the connection broke",
  4: "no answer before the deadline",
  5: "denied",
  6: "invalid, or too large",
  7: "the history asked for is compacted, or belongs to another store",
  8: "done in part: some lines, or some commands, failed",
  9: "refused for now: the store is full, or there are too many",
  70: "an error in kvctl or in the server",
  130: "interrupted",
  143: "terminated",
};

const OF_REASON: Readonly<Record<Reason, ExitCode>> = {
  FIELD_MISSING: EXIT.invalid,
  FIELD_CONFLICT: EXIT.invalid,
  FIELD_UNKNOWN_VALUE: EXIT.invalid,
  MALFORMED: EXIT.invalid,
  KEY_EMPTY: EXIT.invalid,
  KEY_TOO_LONG: EXIT.invalid,
  VALUE_TOO_LARGE: EXIT.invalid,
  SELECTOR_MISSING: EXIT.invalid,
  PREFIX_EMPTY: EXIT.invalid,
  TOO_MANY_OPERATIONS: EXIT.invalid,
  TOO_DEEP: EXIT.invalid,
  DUPLICATE_KEY: EXIT.invalid,
  PAGE_TOKEN_INVALID: EXIT.invalid,
  TTL_OUT_OF_RANGE: EXIT.invalid,
  NUMBER_OUT_OF_RANGE: EXIT.invalid,
  OPERATION_EMPTY: EXIT.invalid,
  PRECONDITION_FAILED: EXIT.negative,
  STORE_CHANGED: EXIT.history,
  NOT_SUPPORTED: EXIT.invalid,
  LEASE_NOT_FOUND: EXIT.negative,
  LEASE_EXISTS: EXIT.negative,
  REVISION_COMPACTED: EXIT.history,
  REVISION_FUTURE: EXIT.invalid,
  REQUEST_TOO_LARGE: EXIT.invalid,
  RESULT_TOO_LARGE: EXIT.invalid,
  TOO_MANY_KEYS: EXIT.invalid,
  TOO_MANY_WATCHERS: EXIT.refused,
  TOO_MANY_LEASES: EXIT.refused,
  LEASE_FULL: EXIT.refused,
  WATCHER_TOO_SLOW: EXIT.refused,
  STORE_FULL: EXIT.refused,
  NO_SPACE: EXIT.refused,
  SHUTTING_DOWN: EXIT.unreachable,
  LOG_FAILED: EXIT.refused,
  CORRUPT: EXIT.internal,
};

const OF_STATUS: Readonly<Record<StatusName, ExitCode>> = {
  CANCELLED: EXIT.unreachable,
  UNKNOWN: EXIT.internal,
  INVALID_ARGUMENT: EXIT.invalid,
  DEADLINE_EXCEEDED: EXIT.deadline,
  NOT_FOUND: EXIT.negative,
  ALREADY_EXISTS: EXIT.negative,
  PERMISSION_DENIED: EXIT.denied,
  // Without a reason it is the transport's own limit on messages.
  RESOURCE_EXHAUSTED: EXIT.invalid,
  FAILED_PRECONDITION: EXIT.negative,
  ABORTED: EXIT.refused,
  OUT_OF_RANGE: EXIT.history,
  UNIMPLEMENTED: EXIT.invalid,
  INTERNAL: EXIT.internal,
  UNAVAILABLE: EXIT.unreachable,
  DATA_LOSS: EXIT.internal,
  UNAUTHENTICATED: EXIT.denied,
};

/** A reason that a newer server knows and this table does not, counts by its status. */
export function exitCodeOfError(error: Pick<KvdClientError, "code" | "reason">): ExitCode {
  const byReason = error.reason === undefined ? undefined : exitCodeOfReason(error.reason);
  return byReason ?? OF_STATUS[error.code];
}

/** Undefined for a reason of a newer server. */
export function exitCodeOfReason(reason: Reason): ExitCode | undefined {
  return Object.hasOwn(OF_REASON, reason) ? OF_REASON[reason] : undefined;
}
