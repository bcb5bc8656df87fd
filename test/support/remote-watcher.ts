// A watch behind a wire as a Watcher: over Watch, or over a MultiWatch stream of its own.
//
// It reads from its call only while somebody pulls, so a test that does not pull is a slow peer;
// but some messages are always under way, and whether the watch is synced is not told.

import type { ClientDuplexStream, ClientReadableStream } from "@grpc/grpc-js";
import {
  DeleteReason,
  type Event as EventMessage,
  EventType,
  type MultiWatchRequest,
  type MultiWatchResponse,
  WatchRequest,
  type WatchResponse,
} from "../../gen/grpc/kvd/v1/watch.js";
import type { Watcher } from "../../server/kv/engine.js";
import type {
  DeleteReason as DeleteReasonName,
  Event,
  WatchMessage,
  WatchSpec,
} from "../../server/kv/types.js";
import {
  detailsFromMetadata,
  errorFromFailure,
  errorFromReason,
  type FailedCall,
} from "./remote-error.js";
import {
  durationFromMs,
  entryFromMessage,
  keyFromForm,
  optionalEntry,
  selectorForm,
} from "./remote-messages.js";

/** What a message of a call means for the watch. */
type Step = { readonly message: WatchMessage } | { readonly end: Error };

export class RemoteWatcher<Message> implements Watcher {
  readonly ended: Promise<void>;
  readonly #call: ClientReadableStream<Message>;
  readonly #translate: (message: Message) => Step;
  readonly #askProgress: () => void;
  #failure: Error | undefined;
  #closed = false;
  #wake: () => void = () => {};

  constructor(
    call: ClientReadableStream<Message>,
    translate: (message: Message) => Step,
    askProgress: () => void,
  ) {
    this.#call = call;
    this.#translate = translate;
    this.#askProgress = askProgress;
    call.on("readable", () => this.#wake());
    call.on("error", (error: Error & FailedCall) => {
      this.#failure ??= errorFromFailure(error);
      this.#wake();
    });
    this.ended = new Promise((resolve) => call.on("status", () => resolve()));
  }

  get synced(): boolean {
    throw new Error("whether a watch is synced is not on the wire");
  }

  async next(): Promise<WatchMessage | undefined> {
    for (;;) {
      if (this.#closed) return undefined;
      const message: Message | null = this.#call.read();
      if (message !== null) {
        const step = this.#translate(message);
        if ("message" in step) return step.message;
        this.#failure = step.end;
      }
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  requestProgress(): void {
    this.#askProgress();
  }

  close(): void {
    this.#closed = true;
    this.#call.cancel();
    this.#wake();
  }
}

export function watcherOfWatch(call: ClientReadableStream<WatchResponse>): Watcher {
  const translate = (response: WatchResponse): Step => ({ message: watchMessage(response) });
  return new RemoteWatcher(call, translate, () => {
    throw new Error("Watch has no progress on request; MultiWatch has");
  });
}

const WATCH_ID = -7n;

export function watcherOfMultiWatch(
  call: ClientDuplexStream<MultiWatchRequest, MultiWatchResponse>,
  request: WatchRequest,
): Watcher {
  call.write({ command: { $case: "create", value: { id: WATCH_ID, watch: request } } });
  return new RemoteWatcher(call, stepOfMultiWatch, () =>
    call.write({ command: { $case: "progress", value: { id: WATCH_ID } } }),
  );
}

function stepOfMultiWatch({ id, step }: MultiWatchResponse): Step {
  if (id !== WATCH_ID) throw new Error(`an answer is for watch ${id}`);
  if (step?.$case === "response") return { message: watchMessage(step.value) };
  if (step === undefined) throw new Error("a step is empty");
  const { reason, message, metadata } = step.value;
  return { end: errorFromReason(reason, message, detailsFromMetadata(metadata)) };
}

export function watchRequest(spec: WatchSpec): WatchRequest {
  return WatchRequest.create({
    selector: selectorForm(spec.selector),
    startRevision: BigInt(spec.startRevision),
    storeId: spec.storeId ?? "",
    includeCurrent: spec.includeCurrent,
    previous: spec.previous,
    exclude: [
      ...(spec.excludePuts ? [EventType.PUT] : []),
      ...(spec.excludeDeletes ? [EventType.DELETE] : []),
    ],
    ...(spec.progressIntervalMs === 0
      ? {}
      : { progressInterval: durationFromMs(spec.progressIntervalMs) }),
  });
}

function watchMessage({ revision: told, kind }: WatchResponse): WatchMessage {
  const revision = Number(told);
  switch (kind?.$case) {
    case "created":
      return { kind: "created", revision, storeId: kind.value.storeId };
    case "current":
      return { kind: "current", revision, entries: kind.value.kvs.map(entryFromMessage) };
    case "synced":
      return { kind: "synced", revision };
    case "events": {
      const { events, fragment } = kind.value;
      return { kind: "events", revision, events: events.map(eventFromMessage), fragment };
    }
    case "progress":
      return { kind: "progress", revision };
    default:
      throw new Error("a response of a watch has no kind");
  }
}

const REASONS: { readonly [reason: number]: DeleteReasonName } = {
  [DeleteReason.UNSPECIFIED]: "unknown",
  [DeleteReason.DELETED]: "deleted",
  [DeleteReason.EXPIRED]: "expired",
  [DeleteReason.REVOKED]: "revoked",
};

function eventFromMessage(event: EventMessage): Event {
  const { kv, commitTime } = event;
  if (kv === undefined || commitTime === undefined) throw new Error("an event lacks its facts");
  const told = {
    revision: Number(kv.modRevision),
    commitTimeMs: Number(commitTime.seconds) * 1000 + commitTime.nanos / 1_000_000,
    previous: optionalEntry(event.previous),
  };
  if (event.type === EventType.PUT) {
    if (event.deleteReason !== DeleteReason.UNSPECIFIED)
      throw new Error("a put has no such reason");
    return { type: "put", entry: entryFromMessage(kv), ...told };
  }
  const empty = kv.value.length === 0 && kv.version === 0n && kv.leaseId === 0n;
  if (event.type !== EventType.DELETE || !empty || kv.createRevision !== 0n) {
    throw new Error("a delete has only its key and mod revision");
  }
  const reason = REASONS[event.deleteReason];
  if (reason === undefined) throw new Error(`${event.deleteReason} is not a reason of a delete`);
  return { type: "delete", key: keyFromForm(kv.keyForm), reason, ...told };
}
