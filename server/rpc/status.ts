// KvdErrors as gRPC statuses: a code from one table, a text that is always well-formed and short
// enough for a header, and the reason with its facts as a google.rpc.ErrorInfo in the details.

import { Metadata, status } from "@grpc/grpc-js";
import { ErrorInfo, ErrorReason, Status } from "../../gen/grpc/kvd/v1/error.js";
import { encodeMessage } from "../grpc/codec.js";
import { shortText } from "../grpc/failures.js";
import type { Failure } from "../grpc/service.js";
import type { ErrorDetails, KvdError, Reason } from "../kv/errors.js";

const DOMAIN = "kvd.v1";
const ERROR_INFO_TYPE = "type.googleapis.com/google.rpc.ErrorInfo";
const DETAILS_KEY = "grpc-status-details-bin";

const {
  INVALID_ARGUMENT,
  FAILED_PRECONDITION,
  NOT_FOUND,
  ALREADY_EXISTS,
  OUT_OF_RANGE,
  RESOURCE_EXHAUSTED,
  UNAVAILABLE,
  DATA_LOSS,
} = status;

/** Complete by its type: a reason without a status does not compile. */
export const STATUS_OF_REASON: { readonly [reason in Reason]: status } = {
  FIELD_MISSING: INVALID_ARGUMENT,
  FIELD_CONFLICT: INVALID_ARGUMENT,
  FIELD_UNKNOWN_VALUE: INVALID_ARGUMENT,
  MALFORMED: INVALID_ARGUMENT,
  KEY_EMPTY: INVALID_ARGUMENT,
  KEY_TOO_LONG: INVALID_ARGUMENT,
  VALUE_TOO_LARGE: INVALID_ARGUMENT,
  SELECTOR_MISSING: INVALID_ARGUMENT,
  PREFIX_EMPTY: INVALID_ARGUMENT,
  TOO_MANY_OPERATIONS: INVALID_ARGUMENT,
  TOO_DEEP: INVALID_ARGUMENT,
  DUPLICATE_KEY: INVALID_ARGUMENT,
  PAGE_TOKEN_INVALID: INVALID_ARGUMENT,
  TTL_OUT_OF_RANGE: INVALID_ARGUMENT,
  NUMBER_OUT_OF_RANGE: INVALID_ARGUMENT,
  OPERATION_EMPTY: INVALID_ARGUMENT,
  PRECONDITION_FAILED: FAILED_PRECONDITION,
  STORE_CHANGED: FAILED_PRECONDITION,
  NOT_SUPPORTED: FAILED_PRECONDITION,
  LEASE_NOT_FOUND: NOT_FOUND,
  LEASE_EXISTS: ALREADY_EXISTS,
  REVISION_COMPACTED: OUT_OF_RANGE,
  REVISION_FUTURE: OUT_OF_RANGE,
  REQUEST_TOO_LARGE: RESOURCE_EXHAUSTED,
  RESULT_TOO_LARGE: RESOURCE_EXHAUSTED,
  TOO_MANY_KEYS: RESOURCE_EXHAUSTED,
  TOO_MANY_WATCHERS: RESOURCE_EXHAUSTED,
  TOO_MANY_LEASES: RESOURCE_EXHAUSTED,
  LEASE_FULL: RESOURCE_EXHAUSTED,
  WATCHER_TOO_SLOW: RESOURCE_EXHAUSTED,
  STORE_FULL: RESOURCE_EXHAUSTED,
  NO_SPACE: RESOURCE_EXHAUSTED,
  SHUTTING_DOWN: UNAVAILABLE,
  LOG_FAILED: UNAVAILABLE,
  CORRUPT: DATA_LOSS,
};

/** The same reason in the proto's enum. */
export function protoReason(reason: Reason): ErrorReason {
  return ErrorReason[reason];
}

/** The facts of an error as texts, by their names on the wire; numbers in decimal. */
export function metadataFromDetails(details: ErrorDetails): { [name: string]: string } {
  const metadata: { [name: string]: string } = {};
  const set = (name: string, value: number | string | undefined) => {
    if (value !== undefined) metadata[name] = shortText(String(value));
  };
  set("compact_revision", details.compactRevision);
  set("mod_revision", details.modRevision);
  set("revision", details.revision);
  set("fields", details.fields?.join(","));
  set("operation", details.operation);
  set("resume_revision", details.resumeRevision);
  set("store_id", details.storeId);
  set("requests_begun", details.requestsBegun);
  return metadata;
}

/** What ends a call that failed. */
export function statusFromError(error: KvdError): Failure {
  const code = STATUS_OF_REASON[error.reason];
  const message = shortText(error.message);
  const info = {
    reason: error.reason,
    domain: DOMAIN,
    metadata: metadataFromDetails(error.details),
  };
  const details = [{ typeUrl: ERROR_INFO_TYPE, value: encodeMessage(ErrorInfo, info) }];
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, encodeMessage(Status, { code, message, details }));
  return { code, details: message, metadata };
}
