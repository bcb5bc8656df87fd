// KvdClientError: the one error that calls reject with, rebuilt from the status that came over the
// wire.
//
// What programs read (code, reason, details) comes from the status code and the
// google.rpc.ErrorInfo in `grpc-status-details-bin`, never from the text, which is for people.
// Mistakes in how a call is written (a key with a lone surrogate, a malformed address or duration)
// are TypeErrors instead, and never reach the server.

import { type Metadata, status } from "@grpc/grpc-js";
import { ErrorInfo, ErrorReason, Status } from "../gen/grpc/kvd/v1/error.js";
import { decodeMessage } from "./codec.js";

/** The name of a gRPC status other than OK. */
export type StatusName =
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS"
  | "UNAUTHENTICATED";

/**
 * Why the server refused: the names of kvd.v1.ErrorReason (error.proto). A newer server may send
 * names that this list does not have yet; they are passed on as they are.
 */
export type Reason = Exclude<keyof typeof ErrorReason, "UNSPECIFIED" | "UNRECOGNIZED">;

/** Facts that travel with an error; which of them, is part of each reason's contract. */
export interface ErrorDetails {
  /** REVISION_COMPACTED: reading and watching below it is refused. */
  readonly compactRevision?: number;
  /** PRECONDITION_FAILED: the key's mod revision, 0 when it is absent. */
  readonly modRevision?: number;
  /** PRECONDITION_FAILED, REVISION_FUTURE: the store's revision. */
  readonly revision?: number;
  /**
   * The end of a watch: the startRevision to go on with so that no event is missing. Left out while
   * the present entries (includeCurrent) were not complete: begin anew then.
   */
  readonly resumeRevision?: number;
  /** Inside a txn: the path of the operation, such as `success[2].txn.failure[0]`. */
  readonly operation?: string;
  /** FIELD_CONFLICT, FIELD_MISSING: the fields that it is about, by their names in the proto. */
  readonly fields?: readonly string[];
  /** STORE_CHANGED: the store that answers. */
  readonly storeId?: string;
}

/** What a KvdClientError knows besides its code and its text. */
export interface KvdClientErrorOptions {
  readonly reason?: Reason | undefined;
  readonly details?: ErrorDetails | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly cause?: unknown;
}

/**
 * A call that failed: on the server, on the way, or because it was aborted.
 *
 * ```ts
 * try {
 *   await kv.put("leader", me, { expectedModRevision: 0 });
 * } catch (error) {
 *   if (!(error instanceof KvdClientError) || error.reason !== "PRECONDITION_FAILED") throw error;
 *   // Somebody else is the leader, since error.details.modRevision.
 * }
 * ```
 *
 * Without a reason, the error comes from the transport: UNAVAILABLE (no connection, or it broke: a
 * write may have happened), DEADLINE_EXCEEDED (likewise), CANCELLED (the signal, or close()).
 */
export class KvdClientError extends Error {
  override readonly name = "KvdClientError";
  /** The gRPC status. */
  readonly code: StatusName;
  /** Why the server refused; undefined when the server did not say (transport, deadline, abort). */
  readonly reason: Reason | undefined;
  /** The facts that came with the reason. */
  readonly details: ErrorDetails;
  /** All facts as they were sent, those that `details` does not know included. */
  readonly metadata: Readonly<Record<string, string>>;

  constructor(code: StatusName, message: string, options: KvdClientErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = options.reason;
    this.details = options.details ?? {};
    this.metadata = options.metadata ?? {};
  }
}

/** A status as the transport gives it. */
export interface WireStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

const ERROR_INFO_TYPE = "google.rpc.ErrorInfo";
const DOMAIN = "kvd.v1";

/** The error of a call that ended with a status. `what` names the call, for transport errors. */
export function errorFromStatus(wire: WireStatus, what: string): KvdClientError {
  const code = statusName(wire.code);
  const info = errorInfoOf(wire.metadata);
  if (info === undefined) {
    const text = wire.details.replace(/\s*Resolution note:\s*$/, "");
    return new KvdClientError(code, `${what}: ${text}`);
  }
  return errorFromInfo(code, wire.details, info);
}

/** The error of an ErrorInfo, or of a message that carries the same. */
export function errorFromInfo(
  code: StatusName,
  message: string,
  info: { readonly reason: string; readonly metadata: Readonly<Record<string, string>> },
): KvdClientError {
  return new KvdClientError(code, message, {
    // An open set on the wire, a closed one in the type: see Reason.
    reason: info.reason === "" ? undefined : (info.reason as Reason),
    details: detailsFromMetadata(info.metadata),
    metadata: info.metadata,
  });
}

/** The name of a reason that came as an enum's number, as in the failures of a batch. */
export function reasonName(reason: ErrorReason): Reason {
  const name = REASON_NAMES.get(reason);
  return name ?? (`REASON_${reason}` as Reason);
}

/** The same error with more facts; those win over the ones that it has. */
export function withDetails(error: KvdClientError, details: ErrorDetails): KvdClientError {
  const { code, message, reason, metadata, cause } = error;
  const merged = { ...error.details, ...details };
  return new KvdClientError(code, message, { reason, metadata, cause, details: merged });
}

const REASON_NAMES: ReadonlyMap<number, Reason> = new Map(
  Object.entries(ErrorReason)
    .filter(([name]) => name !== "UNSPECIFIED" && name !== "UNRECOGNIZED")
    .map(([name, value]) => [value, name as Reason]),
);

const STATUS_NAMES: ReadonlyMap<number, StatusName> = new Map(
  Object.entries(status)
    .filter(([name, value]) => typeof value === "number" && name !== "OK")
    .map(([name, value]) => [value as number, name as StatusName]),
);

function statusName(code: number): StatusName {
  return STATUS_NAMES.get(code) ?? "UNKNOWN";
}

function errorInfoOf(metadata: Metadata | undefined): ErrorInfo | undefined {
  const packed = metadata?.get("grpc-status-details-bin")[0];
  if (!(packed instanceof Uint8Array)) return undefined;
  try {
    for (const detail of decodeMessage(Status, packed).details) {
      if (detail.typeUrl.slice(detail.typeUrl.lastIndexOf("/") + 1) !== ERROR_INFO_TYPE) continue;
      const info = decodeMessage(ErrorInfo, detail.value);
      if (info.domain === DOMAIN) return info;
    }
  } catch {
    // A proxy in between may write details of its own making; the status itself still holds.
  }
  return undefined;
}

function detailsFromMetadata(metadata: Readonly<Record<string, string>>): ErrorDetails {
  const number = (name: string): number | undefined => {
    const text = metadata[name];
    const value = text === undefined || text === "" ? Number.NaN : Number(text);
    return Number.isSafeInteger(value) ? value : undefined;
  };
  const { operation, fields, store_id: storeId } = metadata;
  return defined({
    compactRevision: number("compact_revision"),
    modRevision: number("mod_revision"),
    revision: number("revision"),
    resumeRevision: number("resume_revision"),
    operation,
    fields: fields?.split(/[\s,]+/).filter((name) => name !== ""),
    storeId,
  });
}

type Defined<T> = { [name in keyof T]?: Exclude<T[name], undefined> };

/** Without the members that are undefined, so that they do not show. */
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== undefined),
  ) as Defined<T>;
}
