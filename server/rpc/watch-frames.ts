// Events of watches as frames of kvd.v1, around bytes that all watches of the events share: an
// event is encoded once, and watches that give the same events give the same bytes.
//
// An EventsResponse is a WatchResponse for whoever looks into it, which the frame's way does not.

import {
  Event as EventMessage,
  MultiWatchResponse,
  WatchEvents,
  WatchResponse,
} from "../../gen/grpc/kvd/v1/watch.js";
import { EventBytes } from "../grpc/event-bytes.js";
import {
  fieldHead,
  frameOfMessage,
  frameOfParts,
  int64Field,
  messageInFrame,
} from "../grpc/frame.js";
import type { WatchMessage } from "../kv/types.js";
import { eventMessage, stepResponse, watchResponse } from "./watch-messages.js";

type Events = Extract<WatchMessage, { kind: "events" }>;

const NO_BYTES = new Uint8Array(0);
const FRAGMENT = WatchEvents.encode({ events: [], fragment: true }).finish();

/** Numbers of fields: Events.events, WatchResponse.events, MultiWatchResponse.response and id. */
const EVENT_FIELD = 1;
const EVENTS_FIELD = 5;
const RESPONSE_FIELD = 2;
const ID_FIELD = 1;

export class WatchFrames {
  readonly #bytes = new EventBytes((event) => {
    const message = EventMessage.encode(eventMessage(event)).finish();
    return Buffer.concat([fieldHead(EVENT_FIELD, message.length), message]);
  });
  #last: { readonly events: Uint8Array; readonly fragment: boolean; readonly frame: Uint8Array } = {
    events: NO_BYTES,
    fragment: false,
    frame: NO_BYTES,
  };

  /** What to write of a Watch. */
  response(message: WatchMessage): WatchResponse {
    if (message.kind !== "events") return watchResponse(message);
    return new EventsResponse(message, this);
  }

  /** What to write of a watch with this id. */
  step(id: bigint, message: WatchMessage): MultiWatchResponse {
    if (message.kind !== "events") return stepResponse(id, message);
    return new EventsStep(id, message, this);
  }

  /** The frame of a WatchResponse. The same events have the same frame, when they come in a row. */
  frame(message: Events): Uint8Array {
    const { revision, fragment } = message;
    const events = this.#bytes.join(message.events);
    if (events === this.#last.events && fragment === this.#last.fragment) return this.#last.frame;
    const head = WatchResponse.encode({ revision: BigInt(revision), kind: undefined }).finish();
    const tail = fragment ? FRAGMENT : NO_BYTES;
    const field = fieldHead(EVENTS_FIELD, events.length + tail.length);
    const frame = frameOfParts([head, field, events, tail]);
    this.#last = { events, fragment, frame };
    return frame;
  }
}

class EventsResponse implements WatchResponse {
  readonly #message: Events;
  readonly #frames: WatchFrames;

  constructor(message: Events, frames: WatchFrames) {
    this.#message = message;
    this.#frames = frames;
  }

  get revision(): bigint {
    return BigInt(this.#message.revision);
  }

  get kind(): WatchResponse["kind"] {
    return watchResponse(this.#message).kind;
  }

  frame(): Uint8Array {
    return this.#frames.frame(this.#message);
  }
}

class EventsStep implements MultiWatchResponse {
  readonly id: bigint;
  readonly #message: Events;
  readonly #frames: WatchFrames;

  constructor(id: bigint, message: Events, frames: WatchFrames) {
    this.id = id;
    this.#message = message;
    this.#frames = frames;
  }

  get step(): MultiWatchResponse["step"] {
    return stepResponse(this.id, this.#message).step;
  }

  frame(): Uint8Array {
    const response = messageInFrame(this.#frames.frame(this.#message));
    const id = int64Field(ID_FIELD, this.id);
    return frameOfParts([id, fieldHead(RESPONSE_FIELD, response.length), response]);
  }
}

export function watchFrameOf(response: WatchResponse): Uint8Array {
  if (response instanceof EventsResponse) return response.frame();
  return frameOfMessage(WatchResponse, response);
}

export function multiWatchFrameOf(response: MultiWatchResponse): Uint8Array {
  if (response instanceof EventsStep) return response.frame();
  return frameOfMessage(MultiWatchResponse, response);
}
