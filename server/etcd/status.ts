// Errors as etcd's statuses. Its clients match on code and text, so both are etcd's where there is
// such an error; for the others they are our own, and say what to do.

import { status } from "@grpc/grpc-js";
import { type StatusOf, shortText, statusesFrom } from "../grpc/failures.js";
import type { Failure } from "../grpc/service.js";
import type { KvdError, Reason } from "../kv/errors.js";
import type { Logger } from "../lib/logger.js";

/** A refusal of etcd's own, with code and text as it has them. */
export class EtcdError extends Error {
  override readonly name = "EtcdError";
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

const {
  INVALID_ARGUMENT,
  NOT_FOUND,
  RESOURCE_EXHAUSTED,
  FAILED_PRECONDITION,
  OUT_OF_RANGE,
  UNAVAILABLE,
  UNIMPLEMENTED,
  DATA_LOSS,
} = status;

/** etcd's refusals, by what they are about. */
export const refusals = {
  emptyKey: () => invalid("key is not provided"),
  valueProvided: () => invalid("value is provided"),
  leaseProvided: () => invalid("lease is provided"),
  keyNotFound: () => invalid("key not found"),
  tooManyOperations: () => invalid("too many operations in txn request"),
  emptyUserName: () => invalid("user name is empty"),
  emptyRoleName: () => invalid("role name is empty"),
  requestTooLarge: () => invalid("request is too large"),
  sortOption: () => invalid("invalid sort option"),
  leaseNotFound: () => new EtcdError(NOT_FOUND, "etcdserver: requested lease not found"),
  leaseTtlTooLarge: () => new EtcdError(OUT_OF_RANGE, "etcdserver: too large lease TTL"),
  memberNotFound: () => new EtcdError(NOT_FOUND, "etcdserver: member not found"),
  authNotEnabled: () => precondition("authentication is not enabled"),
  serverStopped: () => new EtcdError(UNAVAILABLE, "etcdserver: server stopped"),
} as const;

function invalid(text: string): EtcdError {
  return new EtcdError(INVALID_ARGUMENT, `etcdserver: ${text}`);
}

/** Of the state that the server is in. */
export function precondition(text: string): EtcdError {
  return new EtcdError(FAILED_PRECONDITION, `etcdserver: ${text}`);
}

/** Of etcd's own client, which its lock and election services are made of: it has no codes. */
export function unknown(text: string): EtcdError {
  return new EtcdError(status.UNKNOWN, text);
}

/** What kvd does not do; says what to do instead. */
export function unimplemented(text: string): EtcdError {
  return new EtcdError(UNIMPLEMENTED, `kvd: ${text}`);
}

const COMPACTED = "etcdserver: mvcc: required revision has been compacted";
const FUTURE = "etcdserver: mvcc: required revision is a future revision";
const ANSWER_TOO_LARGE =
  "kvd: the answer would be larger than --etcd-response-max-bytes: ask for less at a time";
const NO_SPACE = "etcdserver: mvcc: database space exceeded";

/** The code of each reason, and etcd's text for it, if it has one. */
const STATUS_OF_REASON: { readonly [reason in Reason]: readonly [status, string?] } = {
  FIELD_MISSING: [INVALID_ARGUMENT],
  FIELD_CONFLICT: [INVALID_ARGUMENT],
  FIELD_UNKNOWN_VALUE: [INVALID_ARGUMENT],
  MALFORMED: [INVALID_ARGUMENT],
  KEY_EMPTY: [INVALID_ARGUMENT, "etcdserver: key is not provided"],
  KEY_TOO_LONG: [INVALID_ARGUMENT],
  VALUE_TOO_LARGE: [INVALID_ARGUMENT],
  SELECTOR_MISSING: [INVALID_ARGUMENT],
  PREFIX_EMPTY: [INVALID_ARGUMENT],
  TOO_MANY_OPERATIONS: [INVALID_ARGUMENT, "etcdserver: too many operations in txn request"],
  TOO_DEEP: [INVALID_ARGUMENT],
  DUPLICATE_KEY: [INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request"],
  PAGE_TOKEN_INVALID: [INVALID_ARGUMENT],
  TTL_OUT_OF_RANGE: [OUT_OF_RANGE, "etcdserver: too large lease TTL"],
  NUMBER_OUT_OF_RANGE: [INVALID_ARGUMENT],
  OPERATION_EMPTY: [INVALID_ARGUMENT, "etcdserver: key not found"],
  /** The one condition that etcd's puts can set: that the key is there. */
  PRECONDITION_FAILED: [INVALID_ARGUMENT, "etcdserver: key not found"],
  STORE_CHANGED: [FAILED_PRECONDITION],
  NOT_SUPPORTED: [UNIMPLEMENTED],
  LEASE_NOT_FOUND: [NOT_FOUND, "etcdserver: requested lease not found"],
  LEASE_EXISTS: [FAILED_PRECONDITION, "etcdserver: lease already exists"],
  REVISION_COMPACTED: [OUT_OF_RANGE, COMPACTED],
  REVISION_FUTURE: [OUT_OF_RANGE, FUTURE],
  REQUEST_TOO_LARGE: [INVALID_ARGUMENT, "etcdserver: request is too large"],
  RESULT_TOO_LARGE: [RESOURCE_EXHAUSTED, ANSWER_TOO_LARGE],
  TOO_MANY_KEYS: [RESOURCE_EXHAUSTED],
  TOO_MANY_WATCHERS: [RESOURCE_EXHAUSTED],
  TOO_MANY_LEASES: [RESOURCE_EXHAUSTED],
  LEASE_FULL: [RESOURCE_EXHAUSTED],
  WATCHER_TOO_SLOW: [RESOURCE_EXHAUSTED],
  STORE_FULL: [RESOURCE_EXHAUSTED, NO_SPACE],
  NO_SPACE: [RESOURCE_EXHAUSTED, NO_SPACE],
  SHUTTING_DOWN: [UNAVAILABLE, "etcdserver: server stopped"],
  LOG_FAILED: [UNAVAILABLE],
  CORRUPT: [DATA_LOSS, "etcdserver: corrupt cluster"],
};

function statusFromError(error: KvdError): Failure {
  const [code, details] = STATUS_OF_REASON[error.reason];
  return statusObject(code, details ?? `kvd: ${error.message}`);
}

function statusObject(code: status, details: string): Failure {
  return { code, details: shortText(details) };
}

/** The status for whatever a call of this protocol has thrown. */
export function etcdStatuses(logger: Logger): StatusOf {
  const others = statusesFrom(statusFromError, logger);
  return (error) =>
    error instanceof EtcdError ? statusObject(error.code, error.message) : others(error);
}
