// A server's stream as something to pull from, bounded in bytes.
//
// What arrives is taken off the connection until QUEUE_MAX_BYTES wait here; beyond that, HTTP/2
// flow control lets the server wait (grpc-js itself holds 16 messages more). When the stream ends
// with an error, all that waits here still comes first. What the server had written beyond it is
// lost, even though it may have arrived: grpc-js drops it. So nobody may rely on the server's word
// of where a stream stood; what next() has given counts.

import type { ClientReadableStream, StatusObject } from "@grpc/grpc-js";
import { cancelStream } from "./cancel.js";

/** A decoded message and its size on the wire. */
export interface Sized<T> {
  readonly message: T;
  readonly bytes: number;
}

/** Four HTTP/2 windows: slack for a consumer that is behind for a moment. */
export const QUEUE_MAX_BYTES = 256 * 1024;

export class PullStream<T> {
  readonly #stream: ClientReadableStream<Sized<T>>;
  readonly #queue: Sized<T>[] = [];
  #queuedBytes = 0;
  #state: "open" | "ended" | "canceled" = "open";
  #status: StatusObject | undefined;
  #wake: (() => void) | undefined;

  /** `onOver` is called once, when the stream takes nothing of the connection any more. */
  constructor(stream: ClientReadableStream<Sized<T>>, onOver: () => void) {
    this.#stream = stream;
    stream.on("data", (sized: Sized<T>) => this.#take(sized));
    stream.on("end", () => {
      if (this.#state === "open") this.#state = "ended";
      this.#wake?.();
    });
    // The status follows, and says the same.
    stream.on("error", () => {});
    stream.on("status", (status: StatusObject) => {
      this.#status = status;
      onOver();
    });
  }

  /** How the stream ended; known once next() has given undefined, unless it was canceled. */
  get status(): StatusObject | undefined {
    return this.#status;
  }

  /** The next message; undefined when there is none any more. One call at a time. */
  async next(): Promise<T | undefined> {
    while (this.#queue.length === 0 && this.#state === "open") {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const sized = this.#queue.shift();
    if (sized === undefined) return undefined;
    this.#queuedBytes -= sized.bytes;
    if (this.#queuedBytes <= QUEUE_MAX_BYTES / 2 && this.#stream.isPaused()) this.#stream.resume();
    return sized.message;
  }

  /** Ends the stream on both sides and drops what was not pulled. Twice does no harm. */
  cancel(): void {
    if (this.#state === "canceled") return;
    this.#state = "canceled";
    this.#queue.length = 0;
    cancelStream(this.#stream);
    this.#stream.resume();
    this.#wake?.();
  }

  #take(sized: Sized<T>): void {
    if (this.#state === "canceled") return;
    this.#queue.push(sized);
    this.#queuedBytes += sized.bytes;
    if (this.#queuedBytes >= QUEUE_MAX_BYTES) this.#stream.pause();
    this.#wake?.();
  }
}
