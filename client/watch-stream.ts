// One MultiWatch stream: the watches that are open on it, each under an id, and the way of every
// answer to its watch.
//
// It is always read to the end of what has come, so no watch can hold up another; a watch that has
// enough cancels itself. With its last watch the stream ends. Ids are never used twice.

import type { ClientDuplexStream, StatusObject } from "@grpc/grpc-js";
import type {
  MultiWatchEnded,
  MultiWatchRequest,
  MultiWatchResponse,
  WatchRequest,
  WatchResponse,
} from "../gen/grpc/kvd/v1/watch.js";
import { cancelStream } from "./cancel.js";
import type { Sized } from "./stream.js";

export type MultiWatchCall = ClientDuplexStream<MultiWatchRequest, Sized<MultiWatchResponse>>;

/** The watch at this end of a stream. After ended() or lost() nothing more comes. */
export interface WatchSink {
  take(response: WatchResponse, bytes: number): void;
  /** The server has ended this watch. */
  ended(end: MultiWatchEnded): void;
  /** The stream is over, with all its watches. */
  lost(status: StatusObject): void;
}

export class WatchStream {
  readonly #call: MultiWatchCall;
  readonly #sinks = new Map<bigint, WatchSink>();
  readonly #onOver: () => void;
  #lastId = 0n;
  #over = false;

  /** `onOver` is called once, when no watch can be opened on it any more. */
  constructor(call: MultiWatchCall, onOver: () => void) {
    this.#call = call;
    this.#onOver = onOver;
    call.on("data", (sized: Sized<MultiWatchResponse>) => this.#route(sized));
    // The status follows, and says the same.
    call.on("error", () => {});
    call.on("status", (status: StatusObject) => this.#end(status));
  }

  get size(): number {
    return this.#sinks.size;
  }

  /** Opens a watch; answers its id. */
  create(watch: WatchRequest, sink: WatchSink): bigint {
    this.#lastId += 1n;
    const id = this.#lastId;
    this.#sinks.set(id, sink);
    this.#call.write({ command: { $case: "create", value: { id, watch } } });
    return id;
  }

  /** Ends a watch; its sink hears nothing more. */
  cancel(id: bigint): void {
    if (!this.#sinks.delete(id) || this.#over) return;
    if (this.#sinks.size === 0) this.#leave();
    else this.#call.write({ command: { $case: "cancel", value: { id } } });
  }

  #route({ message, bytes }: Sized<MultiWatchResponse>): void {
    const { id, step } = message;
    const sink = this.#sinks.get(id);
    // Canceled meanwhile.
    if (sink === undefined) return;
    if (step?.$case === "response") {
      sink.take(step.value, bytes);
    } else if (step?.$case === "ended") {
      this.#sinks.delete(id);
      sink.ended(step.value);
      if (this.#sinks.size === 0 && !this.#over) this.#leave();
    }
  }

  #leave(): void {
    this.#over = true;
    this.#onOver();
    cancelStream(this.#call);
  }

  #end(status: StatusObject): void {
    if (!this.#over) this.#onOver();
    this.#over = true;
    const sinks = [...this.#sinks.values()];
    this.#sinks.clear();
    for (const sink of sinks) sink.lost(status);
  }
}
