// Requests for watches as the engine takes them, and what its watches tell as etcd's messages.

import type { Event as EventMessage } from "../../gen/grpc/etcd/kv.js";
import { Event_EventType as EventType } from "../../gen/grpc/etcd/kv.js";
import {
  WatchCreateRequest_FilterType as Filter,
  type ResponseHeader,
  type WatchCreateRequest,
  type WatchResponse,
} from "../../gen/grpc/etcd/rpc.js";
import type { Limits } from "../kv/limits.js";
import type { Selector } from "../kv/selector.js";
import { type Entry, type Event, entryBytes, NO_LEASE, type WatchSpec } from "../kv/types.js";
import { compareBytes, copyBytes } from "../lib/bytes.js";
import { isZero, keyValue, positiveFromInt64 } from "./messages.js";

/** How often a quiet watch tells its progress, if it was asked to; etcd's. */
const PROGRESS_INTERVAL_MS = 600_000;

/** Messages hold as many revisions as fit; larger revisions are one message. */
const MESSAGE_BYTES = 64 * 1024;

const LOWEST_KEY = new Uint8Array(1);

/** Undefined when the range is empty, which etcd refuses. */
export function specFromCreate(
  request: WatchCreateRequest,
  limits: Pick<Limits, "etcdRequestMaxBytes" | "etcdResponseMaxBytes">,
): WatchSpec | undefined {
  const selector = selectorOfWatch(request);
  if (selector === undefined) return undefined;
  return {
    selector,
    startRevision: positiveFromInt64(request.startRevision),
    storeId: undefined,
    includeCurrent: false,
    previous: request.prevKv,
    excludePuts: request.filters.includes(Filter.NOPUT),
    excludeDeletes: request.filters.includes(Filter.NODELETE),
    progressIntervalMs: request.progressNotify ? PROGRESS_INTERVAL_MS : 0,
    maxBytes: request.fragment ? limits.etcdRequestMaxBytes : MESSAGE_BYTES,
    wholeRevisionMaxBytes: request.fragment ? 0 : limits.etcdResponseMaxBytes,
  };
}

/** With bytes of its own: those of a request are views of all of it, and a watch lasts. */
function selectorOfWatch({ key, rangeEnd }: WatchCreateRequest): Selector | undefined {
  const start = key.length === 0 ? LOWEST_KEY : copyBytes(key);
  if (rangeEnd.length === 0) return { kind: "key", key: start };
  if (isZero(rangeEnd)) return { kind: "interval", start, end: undefined };
  if (compareBytes(start, rangeEnd) >= 0) return undefined;
  return { kind: "interval", start, end: copyBytes(rangeEnd) };
}

/** A message with nothing in it but whose it is. */
export function watchResponse(
  header: ResponseHeader,
  watchId: bigint,
  fields: Partial<WatchResponse> = {},
): WatchResponse {
  return {
    header,
    watchId,
    created: false,
    canceled: false,
    compactRevision: 0n,
    cancelReason: "",
    fragment: false,
    events: [],
    ...fields,
  };
}

export function eventMessage(event: Event): EventMessage {
  const prevKv = event.previous && keyValue(event.previous);
  if (event.type === "put") return { type: EventType.PUT, kv: keyValue(event.entry), prevKv };
  const { key, revision } = event;
  const gone = { key, value: NO_BYTES, createRevision: 0, version: 0, leaseId: NO_LEASE };
  const kv = keyValue({ ...gone, modRevision: revision });
  return { type: EventType.DELETE, kv, prevKv };
}

const NO_BYTES = new Uint8Array(0);

/** About what events take when encoded. */
export function weightOfEvents(events: readonly Event[]): number {
  const weigh = (entry: Entry | undefined) => (entry === undefined ? 0 : entryBytes(entry));
  return events.reduce((sum, event) => {
    const own = event.type === "put" ? weigh(event.entry) : event.key.length;
    return sum + own + weigh(event.previous) + EVENT_BYTES;
  }, EVENT_BYTES);
}

const EVENT_BYTES = 64;
