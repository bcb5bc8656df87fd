// Watches between messages and the engine's words: requests as specs, checked; what a watch gives
// as responses.

import type { Timestamp } from "../../gen/grpc/google/protobuf/timestamp.js";
import { ErrorReason } from "../../gen/grpc/kvd/v1/error.js";
import {
  EventType,
  type MultiWatchResponse,
  DeleteReason as ProtoDeleteReason,
  type Event as ProtoEvent,
  type WatchRequest,
  type WatchResponse,
} from "../../gen/grpc/kvd/v1/watch.js";
import { shortText } from "../grpc/failures.js";
import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { Selector } from "../kv/selector.js";
import {
  type DeleteReason,
  type Event,
  entryBytes,
  type WatchMessage,
  type WatchSpec,
} from "../kv/types.js";
import { copyBytes } from "../lib/bytes.js";
import {
  msFromDuration,
  numberFromInt64,
  refuseConflict,
  refuseUnknown,
  selectorFromForm,
} from "./fields.js";
import { keyFormFromBytes, keyValueFromEntry } from "./messages.js";
import { metadataFromDetails, protoReason } from "./status.js";

const PROGRESS_INTERVAL_MIN_MS = 100;

/** What is around the entries and events of a message, at most. */
const MESSAGE_OVERHEAD_BYTES = 64;

/** `ended`: a text and a few facts, about. */
export const ENDED_BYTES = 256;

/**
 * A watch of a request. With both types of events left out it still gives the present entries and
 * its progress.
 *
 * @throws KvdError.
 */
export function watchSpecFromMessage(
  message: WatchRequest,
  limits: Limits,
  messageBytes: number,
): WatchSpec {
  const selector = ownSelector(selectorFromForm(message.selector, limits));
  const startRevision = numberFromInt64(message.startRevision, "start_revision");
  refuseConflict({ start_revision: startRevision !== 0, include_current: message.includeCurrent });
  for (const type of message.exclude) {
    refuseUnknown(type, [EventType.PUT, EventType.DELETE], "exclude");
  }
  return {
    selector,
    startRevision,
    storeId: message.storeId === "" ? undefined : message.storeId,
    includeCurrent: message.includeCurrent,
    previous: message.previous,
    excludePuts: message.exclude.includes(EventType.PUT),
    excludeDeletes: message.exclude.includes(EventType.DELETE),
    progressIntervalMs: progressIntervalMs(message.progressInterval),
    maxBytes: Math.min(messageBytes, limits.responseMaxBytes) - MESSAGE_OVERHEAD_BYTES,
    wholeRevisionMaxBytes: 0,
  };
}

/** With bytes of its own: those of a request are views of all of it, and a watch lasts. */
function ownSelector(selector: Selector): Selector {
  switch (selector.kind) {
    case "key":
      return { kind: "key", key: copyBytes(selector.key) };
    case "prefix":
      return { kind: "prefix", prefix: copyBytes(selector.prefix) };
    case "interval": {
      const { start, end } = selector;
      return { kind: "interval", start: start && copyBytes(start), end: end && copyBytes(end) };
    }
    case "all":
      return selector;
  }
}

export function watchResponse(message: WatchMessage): WatchResponse {
  return { revision: BigInt(message.revision), kind: kindOfMessage(message) };
}

export function stepResponse(id: bigint, message: WatchMessage): MultiWatchResponse {
  return { id, step: { $case: "response", value: watchResponse(message) } };
}

/** Without an error: the client has canceled it. */
export function endedResponse(id: bigint, error: KvdError | undefined): MultiWatchResponse {
  const value = {
    reason: error === undefined ? ErrorReason.UNSPECIFIED : protoReason(error.reason),
    message: error === undefined ? "" : shortText(error.message),
    metadata: error === undefined ? {} : metadataFromDetails(error.details),
  };
  return { id, step: { $case: "ended", value } };
}

/** About what the message takes when it is encoded, rather more than less. */
export function weightOfMessage(message: WatchMessage): number {
  let bytes = MESSAGE_OVERHEAD_BYTES;
  if (message.kind === "current") {
    for (const entry of message.entries) bytes += entryBytes(entry);
  } else if (message.kind === "events") {
    for (const event of message.events) bytes += weightOfEvent(event);
  }
  return bytes;
}

function weightOfEvent(event: Event): number {
  const now = event.type === "put" ? event.entry : { key: event.key, value: NO_BYTES };
  return entryBytes(now) + (event.previous === undefined ? 0 : entryBytes(event.previous));
}

const NO_BYTES = new Uint8Array(0);

function progressIntervalMs(interval: WatchRequest["progressInterval"]): number {
  if (interval === undefined) return 0;
  const ms = msFromDuration(interval);
  if (ms === 0 || (ms !== undefined && ms >= PROGRESS_INTERVAL_MIN_MS)) return ms;
  const given = `${interval.seconds} s and ${interval.nanos} ns`;
  const range = `neither 0 nor between ${PROGRESS_INTERVAL_MIN_MS} ms and 10 years`;
  throw new KvdError("NUMBER_OUT_OF_RANGE", `progress_interval is ${given}, ${range}`);
}

function kindOfMessage(message: WatchMessage): WatchResponse["kind"] {
  switch (message.kind) {
    case "created":
      return { $case: "created", value: { storeId: message.storeId } };
    case "current":
      return { $case: "current", value: { kvs: message.entries.map(keyValueFromEntry) } };
    case "synced":
      return { $case: "synced", value: {} };
    case "events": {
      const { events, fragment } = message;
      return { $case: "events", value: { events: events.map(eventMessage), fragment } };
    }
    case "progress":
      return { $case: "progress", value: {} };
  }
}

const DELETE_REASONS: { readonly [reason in DeleteReason]: ProtoDeleteReason } = {
  deleted: ProtoDeleteReason.DELETED,
  expired: ProtoDeleteReason.EXPIRED,
  revoked: ProtoDeleteReason.REVOKED,
  unknown: ProtoDeleteReason.UNSPECIFIED,
};

export function eventMessage(event: Event): ProtoEvent {
  const isPut = event.type === "put";
  return {
    type: isPut ? EventType.PUT : EventType.DELETE,
    kv: isPut ? keyValueFromEntry(event.entry) : tombstone(event.key, event.revision),
    previous: event.previous === undefined ? undefined : keyValueFromEntry(event.previous),
    commitTime: timestampFromMs(event.commitTimeMs),
    deleteReason: isPut ? ProtoDeleteReason.UNSPECIFIED : DELETE_REASONS[event.reason],
  };
}

function tombstone(key: Uint8Array, revision: number): NonNullable<ProtoEvent["kv"]> {
  return {
    keyForm: keyFormFromBytes(key),
    value: NO_BYTES,
    createRevision: 0n,
    modRevision: BigInt(revision),
    version: 0n,
    leaseId: 0n,
  };
}

function timestampFromMs(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1_000_000) };
}
