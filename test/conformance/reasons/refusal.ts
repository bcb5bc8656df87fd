// A refusal as a client sees it: the status of a call, or the failure that an answer tells.

import { type ServiceError, status } from "@grpc/grpc-js";
import type { ExecutionContext } from "ava";
import { ErrorInfo, ErrorReason, Status } from "../../../gen/grpc/kvd/v1/error.js";
import type { Reason } from "../../../server/kv/errors.js";
import type { FailedCall } from "../../support/remote-error.js";

export interface Refusal {
  /** The status of the call; undefined where an answer tells the failure. */
  readonly code: status | undefined;
  readonly reason: string;
  readonly message: string;
  readonly metadata: { readonly [name: string]: string };
  /** What a stream gave before its end. */
  readonly before?: readonly string[];
}

/** As CONTRACT.md groups them. */
const GROUPS: { readonly [code: string]: readonly Reason[] } = {
  INVALID_ARGUMENT: [
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
  ],
  FAILED_PRECONDITION: ["PRECONDITION_FAILED", "STORE_CHANGED", "NOT_SUPPORTED"],
  NOT_FOUND: ["LEASE_NOT_FOUND"],
  ALREADY_EXISTS: ["LEASE_EXISTS"],
  OUT_OF_RANGE: ["REVISION_COMPACTED", "REVISION_FUTURE"],
  RESOURCE_EXHAUSTED: [
    "REQUEST_TOO_LARGE",
    "RESULT_TOO_LARGE",
    "TOO_MANY_KEYS",
    "TOO_MANY_WATCHERS",
    "TOO_MANY_LEASES",
    "LEASE_FULL",
    "WATCHER_TOO_SLOW",
    "STORE_FULL",
    "NO_SPACE",
  ],
  UNAVAILABLE: ["SHUTTING_DOWN", "LOG_FAILED"],
  DATA_LOSS: ["CORRUPT"],
};

export function codeOf(reason: Reason): status {
  const group = Object.entries(GROUPS).find(([, reasons]) => reasons.includes(reason));
  return status[(group?.[0] ?? "") as keyof typeof status];
}

export function refusalOfCall(failed: FailedCall, before?: readonly string[]): Refusal {
  const [binary] = failed.metadata.get("grpc-status-details-bin");
  if (!(binary instanceof Uint8Array)) {
    const shown = `${status[failed.code]}: ${failed.details}`;
    throw new Error(`the call ended without a reason: ${shown}`);
  }
  const [detail] = Status.decode(binary).details;
  const { reason, metadata } = ErrorInfo.decode(detail?.value ?? new Uint8Array(0));
  const told = { code: failed.code, reason, message: failed.details, metadata };
  return before === undefined ? told : { ...told, before };
}

/** The refusal of a unary call. @throws when the call succeeds. */
export function refusalOf(
  start: (done: (error: ServiceError | null, response: unknown) => void) => unknown,
): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error === null) return reject(new Error("the call was not refused"));
      try {
        resolve(refusalOfCall(error));
      } catch (unexpected) {
        reject(unexpected);
      }
    });
  });
}

export function refusalInAnswer(
  reason: ErrorReason,
  message: string,
  metadata: Refusal["metadata"] = {},
): Refusal {
  const name = Object.entries(ErrorReason).find(([, value]) => value === reason)?.[0] ?? "";
  return { code: undefined, reason: name, message, metadata };
}

const TEXT_MAX_CHARACTERS = 1200;

/** The reason, its status, and a text that is fit for people and for a header. */
export function expectRefusal(t: ExecutionContext, refusal: Refusal, reason: Reason): void {
  t.is(refusal.reason, reason, refusal.message);
  if (refusal.code !== undefined) t.is(refusal.code, codeOf(reason));
  t.true(refusal.message.length > 0 && refusal.message.length < TEXT_MAX_CHARACTERS);
  t.is(Buffer.from(refusal.message).toString(), refusal.message, "no half characters");
}

/** Those facts, besides others. */
export function expectFacts(
  t: ExecutionContext,
  { metadata }: Refusal,
  facts: Refusal["metadata"],
): void {
  for (const [name, value] of Object.entries(facts)) t.is(metadata[name], value, name);
}
