// Statuses of failed calls as the KvdErrors that they were, rebuilt from grpc-status-details-bin.

import { type Metadata, status } from "@grpc/grpc-js";
import { ErrorInfo, ErrorReason, Status } from "../../gen/grpc/kvd/v1/error.js";
import { type ErrorDetails, KvdError, REASONS, type Reason } from "../../server/kv/errors.js";

export interface FailedCall {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

const ERROR_INFO_TYPE = "type.googleapis.com/google.rpc.ErrorInfo";

/** The KvdError behind a failed call; an error that says more when there is none. */
export function errorFromFailure(failure: FailedCall): Error {
  const shownStatus = `${status[failure.code]}: ${failure.details}`;
  const [binary] = failure.metadata.get("grpc-status-details-bin");
  if (!(binary instanceof Uint8Array)) return new Error(`no reason came with ${shownStatus}`);
  const { code, message, details } = Status.decode(binary);
  const [detail] = details;
  if (code !== failure.code || message !== failure.details || details.length !== 1) {
    return new Error(`the details say ${code}: ${message}, the call ended with ${shownStatus}`);
  }
  if (detail?.typeUrl !== ERROR_INFO_TYPE) return new Error(`${detail?.typeUrl} is no ErrorInfo`);
  const { reason, domain, metadata } = ErrorInfo.decode(detail.value);
  if (domain !== "kvd.v1") return new Error(`the reason is of domain ${domain}`);
  return new KvdError(reasonFromName(reason), message, detailsFromMetadata(metadata));
}

/** What a batch or a MultiWatch tells in an answer instead of a status. */
export function errorFromReason(
  reason: ErrorReason,
  message: string,
  details: ErrorDetails,
): KvdError {
  const name = Object.entries(ErrorReason).find(([, value]) => value === reason)?.[0] ?? "";
  return new KvdError(reasonFromName(name), message, details);
}

function reasonFromName(name: string): Reason {
  const reason = REASONS.find((known) => known === name);
  if (reason === undefined) throw new Error(`${name} is not a reason`);
  return reason;
}

const NUMBERS = {
  compact_revision: "compactRevision",
  mod_revision: "modRevision",
  revision: "revision",
  resume_revision: "resumeRevision",
  requests_begun: "requestsBegun",
} as const;

export function detailsFromMetadata(metadata: { readonly [name: string]: string }): ErrorDetails {
  const details: { -readonly [name in keyof ErrorDetails]: ErrorDetails[name] } = {};
  for (const [name, value] of Object.entries(metadata)) {
    if (name in NUMBERS) details[NUMBERS[name as keyof typeof NUMBERS]] = Number(value);
    else if (name === "fields") details.fields = value.split(",");
    else if (name === "operation") details.operation = value;
    else if (name === "store_id") details.storeId = value;
    else throw new Error(`${name} is not a fact of kvd.v1`);
  }
  return details;
}
