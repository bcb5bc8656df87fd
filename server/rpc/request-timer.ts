// Ends calls whose request does not arrive: a body that stops in the middle, or comes byte by byte.
//
// A request of one message must be there in full, its end included, limits.requestMaxMs after the
// call began; in a stream of requests, which may rest between messages, each message so long after
// its first byte. Time in which we do not read, because our answers wait for the peer, does not
// count. One timer serves all calls: the call that began first is due first.

import { constants, type ServerHttp2Stream } from "node:http2";
import {
  type ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import type { Clock, Timer } from "../lib/clock.js";
import { http2StreamOf } from "./transport.js";

interface Arrival {
  readonly call: ServerInterceptingCallInterface;
  readonly stream: ServerHttp2Stream;
  sinceMs: number;
}

export class RequestTimer {
  readonly #maxMs: number;
  readonly #clock: Clock;
  /** In the order in which they are due. */
  readonly #arriving = new Set<Arrival>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: { readonly maxMs: number; readonly clock: Clock }) {
    this.#maxMs = options.maxMs;
    this.#clock = options.clock;
  }

  /** How many requests are on their way. */
  get size(): number {
    return this.#arriving.size;
  }

  /** It only listens: the call goes on as it is, without a wrapper around each of its steps. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    const stream = http2StreamOf(call);
    if (stream !== undefined) {
      const arrival: Arrival = { call, stream, sinceMs: 0 };
      if (method.requestStream) this.#timeEachMessage(arrival);
      else this.#begin(arrival);
      stream.once("end", () => this.#arriving.delete(arrival));
      stream.once("close", () => this.#arriving.delete(arrival));
    }
    return call as ServerInterceptingCall;
  };

  /** Times nothing any more. */
  close(): void {
    this.#timer?.cancel();
    this.#closed = true;
  }

  #timeEachMessage(arrival: Arrival): void {
    const frames = new FrameTracker();
    arrival.stream.on("data", (chunk: Buffer) => {
      if (frames.take(chunk)) this.#arriving.delete(arrival);
      if (!frames.complete && !this.#arriving.has(arrival)) this.#begin(arrival);
    });
  }

  #begin(arrival: Arrival): void {
    arrival.sinceMs = this.#clock.monotonicMs();
    this.#arriving.add(arrival);
    if (this.#timer === undefined && !this.#closed) this.#arm(this.#maxMs);
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(delayMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#timer = undefined;
    const begunBeforeMs = this.#clock.monotonicMs() - this.#maxMs;
    const due: Arrival[] = [];
    for (const arrival of this.#arriving) {
      if (arrival.sinceMs > begunBeforeMs) {
        this.#arm(arrival.sinceMs - begunBeforeMs);
        break;
      }
      due.push(arrival);
    }
    for (const arrival of due) {
      this.#arriving.delete(arrival);
      if (arrival.stream.isPaused()) this.#begin(arrival);
      else this.#end(arrival);
    }
  }

  #end({ call, stream }: Arrival): void {
    const text = `the request was not there in full after ${this.#maxMs} ms`;
    const details = `${text} (--request-max-time)`;
    // Without a reset the peer could go on sending; it must come after the status.
    const reset = () => setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
    const hasAnswers = stream.headersSent;
    call.sendStatus({ code: status.DEADLINE_EXCEEDED, details });
    if (hasAnswers) stream.once("wantTrailers", reset);
    else reset();
    this.#clock.setTimer(LAST_WORD_MS, () => stream.close(constants.NGHTTP2_CANCEL));
  }
}

/** How long the status may wait behind answers that the peer does not take. */
const LAST_WORD_MS = 10_000;

const PREFIX_BYTES = 5;

/** Follows gRPC's framing: five bytes, the last four of which are the length, then the message. */
export class FrameTracker {
  #prefixBytes = 0;
  #length = 0;
  #missing = 0;

  /** No message is under way. */
  get complete(): boolean {
    return this.#prefixBytes === 0;
  }

  /** Whether a message ended in the chunk. */
  take(chunk: Uint8Array): boolean {
    let ended = false;
    let index = 0;
    while (index < chunk.length) {
      if (this.#prefixBytes < PREFIX_BYTES) {
        this.#length = (this.#length * 256 + (chunk[index] ?? 0)) % 2 ** 32;
        this.#prefixBytes += 1;
        index += 1;
        if (this.#prefixBytes < PREFIX_BYTES) continue;
        this.#missing = this.#length;
      }
      const taken = Math.min(this.#missing, chunk.length - index);
      this.#missing -= taken;
      index += taken;
      if (this.#missing > 0) continue;
      ended = true;
      this.#prefixBytes = 0;
      this.#length = 0;
    }
    return ended;
  }
}
