// Frames of a turn of the event loop that go to the transport in one piece.
//
// grpc-js hands over one message at a time, and the next one when that has left the process: with
// many watches on a stream, that would be a system call for each. Here they are joined once all
// that is due has run. Knows nothing of pace: who adds is told how much has been taken.

import type { ServerHttp2Stream } from "node:http2";

export class FrameBatch {
  readonly #sink: ServerHttp2Stream;
  readonly #onTaken: (bytes: number) => void;
  #frames: Uint8Array[] = [];
  #bytes = 0;

  constructor(sink: ServerHttp2Stream, onTaken: (bytes: number) => void) {
    this.#sink = sink;
    this.#onTaken = onTaken;
  }

  /** The headers are sent, and the stream takes more. */
  get isOpen(): boolean {
    return this.#sink.headersSent && this.#sink.writable;
  }

  /** `bytes` is what onTaken() is told of it. */
  add(frame: Uint8Array, bytes: number): void {
    if (this.#frames.length === 0) process.nextTick(() => this.flush());
    this.#frames.push(frame);
    this.#bytes += bytes;
  }

  /** Hands over what there is. */
  flush(): void {
    const frames = this.#frames;
    const bytes = this.#bytes;
    if (frames.length === 0) return;
    this.#frames = [];
    this.#bytes = 0;
    // grpc-js itself may have ended the call in this turn, for a message that it cannot read. To
    // write behind the end is an error of the stream, of which it takes no more than one.
    if (!this.isOpen) {
      this.#onTaken(bytes);
      return;
    }
    const [first] = frames;
    const chunk = frames.length === 1 ? first : Buffer.concat(frames);
    // A stream that is gone calls back, too, with an error that its own events tell of.
    this.#sink.write(chunk, () => this.#onTaken(bytes));
  }
}
