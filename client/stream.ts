// A server's stream as something to pull from.
//
// While nobody pulls, grpc-js holds 16 messages and lets the server wait, by HTTP/2 flow control.
// When the stream ends with an error, what those 16 still are comes first; what the server had
// written beyond them is lost, so a reader may not rely on the server's word of where it stood.

import type { ClientReadableStream, StatusObject } from "@grpc/grpc-js";

export class PullStream<T> {
  readonly #stream: ClientReadableStream<T>;
  #status: StatusObject | undefined;
  #canceled = false;
  #wake: (() => void) | undefined;

  /** `onOver` is called once, when the stream takes nothing of the connection any more. */
  constructor(stream: ClientReadableStream<T>, onOver: () => void) {
    this.#stream = stream;
    const wake = () => this.#wake?.();
    stream.on("readable", wake);
    // The status follows, and says the same.
    stream.on("error", () => {});
    stream.on("status", (status: StatusObject) => {
      this.#status = status;
      onOver();
      wake();
    });
  }

  /** How the stream ended; set once next() has given undefined, unless it was canceled. */
  get status(): StatusObject | undefined {
    return this.#canceled ? undefined : this.#status;
  }

  /** The next message; undefined when there is none any more. One call at a time. */
  async next(): Promise<T | undefined> {
    while (!this.#canceled) {
      const message: T | null = this.#stream.read();
      if (message !== null) return message;
      if (this.#status !== undefined) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return undefined;
  }

  /** Ends the stream on both sides and drops what was not pulled. Twice does no harm. */
  cancel(): void {
    if (this.#canceled) return;
    this.#canceled = true;
    this.#stream.cancel();
    this.#wake?.();
  }
}
