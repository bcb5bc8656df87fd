// Ends calls whose request does not arrive, a body that stops in the middle or comes byte by byte,
// and calls of one answer whose peer does not take it.
//
// A request of one message must be there in full, its end included, limits.requestMaxMs after the
// call began; in a stream of requests, which may rest between messages, each message so long
// after its first byte. Time in which we do not read, because our answers wait for the peer, does
// not count. What the transport holds of an answer that is not taken, it would hold for ever: its
// stream is reset.

import { constants, type ServerHttp2Stream } from "node:http2";
import {
  type ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import type { Clock } from "../lib/clock.js";
import { DueLine } from "./due-line.js";
import { DueList } from "./due-list.js";
import { http2StreamOf } from "./transport.js";
import { type CallTimes, UnaryCall } from "./unary-call.js";

/** A request of a call that is a stream in one direction, or in both. */
interface Arrival {
  readonly call: ServerInterceptingCallInterface;
  readonly stream: ServerHttp2Stream;
}

export class RequestTimer {
  readonly #maxMs: number;
  readonly #clock: Clock;
  readonly #arriving: DueList<Arrival>;
  readonly #arrivingUnary: DueLine<UnaryCall>;
  readonly #answering: DueLine<UnaryCall>;
  readonly #patient: ReadonlySet<string>;

  constructor(options: {
    readonly maxMs: number;
    readonly answerMaxMs: number;
    /** Paths of methods whose answer may be long in coming, and is small. */
    readonly patient?: ReadonlySet<string>;
    readonly clock: Clock;
  }) {
    const { maxMs, answerMaxMs, patient = new Set(), clock } = options;
    this.#patient = patient;
    this.#maxMs = maxMs;
    this.#clock = clock;
    this.#arriving = new DueList({ maxMs, clock, onDue: (arrival) => this.#due(arrival) });
    this.#arrivingUnary = new DueLine({ maxMs, clock, onDue: (call) => this.#dueUnary(call) });
    this.#answering = new DueLine({
      maxMs: answerMaxMs,
      clock,
      onDue: ({ stream }) => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM),
    });
  }

  /** How many requests are on their way. */
  get size(): number {
    return this.#arriving.size + this.#arrivingUnary.size;
  }

  /** How many calls have their request and have not ended. */
  get answering(): number {
    return this.#answering.size;
  }

  /** A stream is only listened to; a call of one answer is wrapped for its answer, too. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    const stream = http2StreamOf(call);
    if (stream === undefined) return call as ServerInterceptingCall;
    if (method.requestStream || method.responseStream) {
      this.#timeStream(method.requestStream, { call, stream });
      return call as ServerInterceptingCall;
    }
    const isPatient = this.#patient.has(method.path);
    const unary = new UnaryCall({ call, stream, isPatient, times: this.#times });
    this.#arrivingUnary.begin(unary);
    return unary as unknown as ServerInterceptingCall;
  };

  /** Times nothing any more. */
  close(): void {
    this.#arriving.close();
    this.#arrivingUnary.close();
    this.#answering.close();
  }

  readonly #times: CallTimes = {
    arrived: (call) => {
      if (call.isPatient) call.line?.delete(call);
      else this.#answering.begin(call);
    },
    closed: (call) => call.line?.delete(call),
  };

  #timeStream(eachMessage: boolean, arrival: Arrival): void {
    if (eachMessage) this.#timeEachMessage(arrival);
    else this.#arriving.begin(arrival);
    const { stream } = arrival;
    stream.once("end", () => this.#arriving.delete(arrival));
    stream.once("close", () => this.#arriving.delete(arrival));
  }

  #timeEachMessage(arrival: Arrival): void {
    const frames = new FrameTracker();
    arrival.stream.on("data", (chunk: Buffer) => {
      if (frames.take(chunk)) this.#arriving.delete(arrival);
      if (!frames.complete && !this.#arriving.has(arrival)) this.#arriving.begin(arrival);
    });
  }

  #due(arrival: Arrival): void {
    if (arrival.stream.isPaused()) this.#arriving.begin(arrival);
    else this.#end(arrival);
  }

  #dueUnary(call: UnaryCall): void {
    if (call.stream.isPaused()) this.#arrivingUnary.begin(call);
    else this.#end(call);
  }

  #end(arrival: Arrival | UnaryCall): void {
    const call = arrival instanceof UnaryCall ? arrival : arrival.call;
    const { stream } = arrival;
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
