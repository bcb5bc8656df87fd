// The streams of a surface that do not end by themselves, for the stop of the server.

import { KvdError } from "../kv/errors.js";

/** A call that can be told to end. */
export interface OpenStream {
  stop(error: KvdError): void;
}

export class OpenStreams {
  readonly #open = new Set<OpenStream>();
  #stopped = false;

  add(call: { once(event: "cancelled", listener: () => void): unknown }, stream: OpenStream): void {
    this.#open.add(stream);
    call.once("cancelled", () => this.#open.delete(stream));
    if (this.#stopped) stream.stop(shuttingDown());
  }

  /** Ends them with SHUTTING_DOWN, those to come too. */
  stop(): void {
    this.#stopped = true;
    for (const stream of this.#open) stream.stop(shuttingDown());
  }
}

function shuttingDown(): KvdError {
  return new KvdError("SHUTTING_DOWN", "the server is shutting down");
}
