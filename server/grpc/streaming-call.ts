// A call with a stream of requests, of answers, or of both, from its head to its end.
//
// Requests come as "data" events, and "end" after the last. Who cannot take more says pause(): what
// has come by then waits here, no more than a window of HTTP/2.

import { EventEmitter } from "node:events";
import { status } from "@grpc/grpc-js";
import { ERROR } from "../http2/protocol.js";
import type { Stream, StreamSink } from "../http2/stream.js";
import type { Timer } from "../lib/clock.js";
import { CallError, halfMessage, noMessage, secondMessage } from "./call-error.js";
import { failureFields, GOOD_END, HEAD } from "./call-fields.js";
import type { CallSetup, CallStart } from "./call-setup.js";
import { prefixOf } from "./frame.js";
import { MessageReader } from "./message-reader.js";
import type { ServedMethod } from "./served-methods.js";
import type { AnsweringCall, Call, DuplexCall, Failure } from "./service.js";

export class StreamingCall
  extends EventEmitter
  implements StreamSink, Call, AnsweringCall<unknown, unknown>, DuplexCall<unknown, unknown>
{
  readonly stream: Stream;
  cancelled = false;
  /** Of a method with one request. */
  request: unknown;
  readonly #method: ServedMethod;
  readonly #setup: CallSetup;
  readonly #host: string;
  readonly #reader: MessageReader;
  #hasRequest = false;
  #isRequestEnded = false;
  /** The handler knows that all requests are there. */
  #hasTold = false;
  #isPaused = false;
  #isReading = false;
  #isEnding = false;
  #code = status.CANCELLED;
  #deadline: Timer | undefined;

  constructor(stream: Stream, method: ServedMethod, { setup, host, fields }: CallStart) {
    super();
    this.stream = stream;
    this.#method = method;
    this.#setup = setup;
    this.#host = host;
    this.#reader = new MessageReader({
      maxBytes: setup.messageMaxBytes,
      encoding: fields.encoding,
    });
    const { timeoutMs } = fields;
    if (timeoutMs !== undefined) {
      this.#deadline = setup.deadline(timeoutMs, () => this.#expire());
    }
    if (!method.requestStream) setup.timer.beginStream(this);
  }

  /** Calls the handler of a stream of requests, which then listens to them. */
  begin(): void {
    if (this.#method.requestStream) this.#handle();
  }

  /** Reading waits for the answers to be taken. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  data(bytes: Buffer): void {
    if (this.#isEnding) return;
    this.#reader.push(bytes);
    this.#read();
  }

  end(): void {
    this.#setup.timer.endStream(this);
    this.#isRequestEnded = true;
    if (!this.#isEnding) this.#read();
  }

  closed(): void {
    this.#isEnding = true;
    this.cancelled = true;
    const { counts } = this.#setup;
    const { stream } = this;
    counts?.ended(stream.connection, stream.isWaiting ? status.CANCELLED : this.#code);
    this.#setup.timer.endStream(this);
    this.#deadline?.cancel();
    this.emit("cancelled");
  }

  getHost(): string {
    return this.#host;
  }

  write(message: unknown, taken?: () => void): void {
    if (this.#isEnding) {
      taken?.();
      return;
    }
    let bytes: Buffer;
    try {
      bytes = this.#method.encode(message);
    } catch (error) {
      this.#refuse(error);
      taken?.();
      return;
    }
    this.#sendHead();
    this.#setup.counts?.sent(this.stream.connection);
    this.stream.data(prefixOf(bytes));
    this.stream.data(bytes, taken);
  }

  writeFrame(frame: Uint8Array, taken: () => void): void {
    if (this.#isEnding) {
      taken();
      return;
    }
    this.#sendHead();
    this.#setup.counts?.sent(this.stream.connection);
    this.stream.data(frame, taken);
  }

  /** Ends the call well. */
  finish(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#code = status.OK;
    this.#sendHead();
    this.stream.end(GOOD_END);
  }

  fail(failure: Failure): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#code = failure.code;
    this.stream.end(failureFields(failure, this.stream.hasHead));
  }

  /** Frees a call whose peer does not read. Most clients show it as RESOURCE_EXHAUSTED. */
  reset(): void {
    this.stream.reset(ERROR.enhanceYourCalm);
  }

  pause(): void {
    this.#isPaused = true;
    this.stream.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (!this.#isEnding) this.#read();
  }

  #read(): void {
    // A request may make its handler pause, and resume: what is read is read by the first.
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      if (this.#method.requestStream) this.#readStream();
      else this.#readOne();
    } catch (error) {
      this.#refuse(error);
    }
    this.#isReading = false;
    // Not before all is read: a window for each turn of the handler's would add up.
    if (this.stream.isPaused && !this.#isPaused && !this.#isEnding) this.stream.resume();
  }

  #readStream(): void {
    while (!this.#isPaused && !this.#isEnding) {
      const message = this.#reader.next();
      if (message === undefined) break;
      this.#setup.counts?.received(this.stream.connection);
      // A message that ends begins the time of the next one.
      this.#setup.timer.messageMoved(this, true);
      this.emit("data", this.#method.decode(message));
    }
    if (this.#isPaused || this.#isEnding) return;
    if (!this.#isRequestEnded) this.#setup.timer.messageMoved(this, this.#reader.isEmpty);
    else if (this.#reader.isEmpty) this.#endRequests();
    else throw halfMessage();
  }

  #endRequests(): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
    this.emit("end");
  }

  #readOne(): void {
    const message = this.#reader.next();
    if (message !== undefined) {
      if (this.#hasRequest) throw secondMessage();
      this.#hasRequest = true;
      this.#setup.counts?.received(this.stream.connection);
      this.request = this.#method.decode(message);
      if (!this.#reader.isEmpty) this.#readOne();
    }
    if (!this.#isRequestEnded || this.#hasTold) return;
    if (!this.#reader.isEmpty) throw halfMessage();
    if (!this.#hasRequest) throw noMessage();
    this.#hasTold = true;
    this.#handle();
  }

  #handle(): void {
    try {
      this.#method.handle(this);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Its caller does not wait any more, and takes no answers that are still here. */
  #expire(): void {
    if (this.stream.isWaiting) this.stream.reset(ERROR.cancel);
    else this.fail({ code: status.DEADLINE_EXCEEDED, details: "Deadline exceeded" });
  }

  #sendHead(): void {
    if (!this.stream.hasHead) this.stream.head(HEAD);
  }

  /** An error of the peer's has its code; any other is ours. */
  #refuse(error: unknown): void {
    if (error instanceof CallError) this.fail({ code: error.code, details: error.message });
    else this.fail(this.#setup.failureOf(error));
    this.#setup.timer.lastWord(this.stream);
  }
}
