// Events of watches as frames of etcd's protocol, around bytes that all watches of the events
// share: an event is encoded once, and so is what a revision has in its header.
//
// An EventsResponse is a WatchResponse for whoever looks into it, as the JSON gateway does.

import { Event as EventMessage } from "../../gen/grpc/etcd/kv.js";
import { ResponseHeader, WatchResponse } from "../../gen/grpc/etcd/rpc.js";
import { EventBytes } from "../grpc/event-bytes.js";
import { fieldHead, frameOfMessage, frameOfParts, int64Field } from "../grpc/frame.js";
import type { Revision, WatchMessage } from "../kv/types.js";
import type { Identity } from "./identity.js";
import { eventMessage, watchResponse } from "./watch-messages.js";

type Events = Extract<WatchMessage, { kind: "events" }>;

const NO_BYTES = new Uint8Array(0);
const EMPTY = WatchResponse.create({});
const FRAGMENT = WatchResponse.encode({ ...EMPTY, fragment: true }).finish();

/** Numbers of fields of WatchResponse. */
const HEADER_FIELD = 1;
const ID_FIELD = 2;
const EVENT_FIELD = 11;

export class WatchFrames {
  readonly #identity: Identity;
  readonly #bytes = new EventBytes((event) => {
    const message = EventMessage.encode(eventMessage(event)).finish();
    return Buffer.concat([fieldHead(EVENT_FIELD, message.length), message]);
  });
  #headerRevision: Revision = -1;
  #header: Uint8Array = NO_BYTES;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** What to write of events. */
  response(watchId: bigint, message: Events): WatchResponse {
    return new EventsResponse(watchId, message, this);
  }

  frame(watchId: bigint, message: Events): Uint8Array {
    const header = this.#headerOf(message.revision);
    const id = int64Field(ID_FIELD, watchId);
    const fragment = message.fragment ? FRAGMENT : NO_BYTES;
    return frameOfParts([header, id, fragment, this.#bytes.join(message.events)]);
  }

  /** For who looks into it. */
  message(watchId: bigint, { revision, events, fragment }: Events): WatchResponse {
    const fields = { events: events.map(eventMessage), fragment };
    return watchResponse(this.#identity.header(revision), watchId, fields);
  }

  #headerOf(revision: Revision): Uint8Array {
    if (revision === this.#headerRevision) return this.#header;
    const header = ResponseHeader.encode(this.#identity.header(revision)).finish();
    this.#header = Buffer.concat([fieldHead(HEADER_FIELD, header.length), header]);
    this.#headerRevision = revision;
    return this.#header;
  }
}

class EventsResponse implements WatchResponse {
  readonly created = false;
  readonly canceled = false;
  readonly compactRevision = 0n;
  readonly cancelReason = "";
  readonly watchId: bigint;
  readonly #message: Events;
  readonly #frames: WatchFrames;

  constructor(watchId: bigint, message: Events, frames: WatchFrames) {
    this.watchId = watchId;
    this.#message = message;
    this.#frames = frames;
  }

  get fragment(): boolean {
    return this.#message.fragment;
  }

  get header(): WatchResponse["header"] {
    return this.#frames.message(this.watchId, this.#message).header;
  }

  get events(): WatchResponse["events"] {
    return this.#frames.message(this.watchId, this.#message).events;
  }

  frame(): Uint8Array {
    return this.#frames.frame(this.watchId, this.#message);
  }
}

export function watchFrameOf(response: WatchResponse): Uint8Array {
  if (response instanceof EventsResponse) return response.frame();
  return frameOfMessage(WatchResponse, response);
}
