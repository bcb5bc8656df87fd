// Ends calls whose request does not arrive, a body that stops in the middle or comes byte by byte,
// and calls of one answer whose peer does not take it.
//
// A request of one message must be there in full, its end included, limits.requestMaxMs after the
// call began; in a stream of requests, which may rest between messages, each message so long
// after its first byte. Time in which we do not read, because our answers wait for the peer, does
// not count. What is held of an answer that is not taken would be held for ever: its stream is
// reset.

import { status } from "@grpc/grpc-js";
import { ERROR } from "../http2/protocol.js";
import type { Stream } from "../http2/stream.js";
import type { Clock } from "../lib/clock.js";
import { DueLine } from "../lib/due-line.js";
import { DueList } from "../lib/due-list.js";
import type { Failure } from "./service.js";
import type { StreamingCall } from "./streaming-call.js";
import type { UnaryCall } from "./unary-call.js";

/** How long the status may wait behind answers that the peer does not take. */
const LAST_WORD_MS = 10_000;

export class RequestTimer {
  readonly #maxMs: number;
  readonly #clock: Clock;
  readonly #arriving: DueList<StreamingCall>;
  readonly #arrivingUnary: DueLine<UnaryCall>;
  readonly #answering: DueLine<UnaryCall>;

  constructor(options: {
    readonly maxMs: number;
    readonly answerMaxMs: number;
    readonly clock: Clock;
  }) {
    const { maxMs, answerMaxMs, clock } = options;
    this.#maxMs = maxMs;
    this.#clock = clock;
    this.#arriving = new DueList({ maxMs, clock, onDue: (call) => this.#due(call) });
    this.#arrivingUnary = new DueLine({ maxMs, clock, onDue: (call) => this.#end(call) });
    this.#answering = new DueLine({
      maxMs: answerMaxMs,
      clock,
      onDue: ({ stream }) => stream.reset(ERROR.enhanceYourCalm),
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

  /** Its head is there. */
  arriving(call: UnaryCall): void {
    this.#arrivingUnary.begin(call);
  }

  /** Its request is there, the end included. */
  arrived(call: UnaryCall): void {
    if (call.isPatient) call.line?.delete(call);
    else this.#answering.begin(call);
  }

  /** A call of one request has begun. */
  beginStream(call: StreamingCall): void {
    this.#arriving.begin(call);
  }

  /** A part of a stream of requests has come: is a message under way? */
  messageMoved(call: StreamingCall, isComplete: boolean): void {
    if (isComplete) this.#arriving.delete(call);
    else if (!this.#arriving.has(call)) this.#arriving.begin(call);
  }

  /** All is there, or the call is over. */
  endStream(call: StreamingCall): void {
    this.#arriving.delete(call);
  }

  /** A status was given, and may wait for a while behind answers that the peer does not take. */
  lastWord(stream: Stream): void {
    if (stream.isClosed) return;
    const cut = this.#clock.setTimer(LAST_WORD_MS, () => stream.reset(ERROR.cancel));
    stream.whenClosed(() => cut.cancel());
  }

  /** Times nothing any more. */
  close(): void {
    this.#arriving.close();
    this.#arrivingUnary.close();
    this.#answering.close();
  }

  #due(call: StreamingCall): void {
    if (call.isPaused) this.#arriving.begin(call);
    else this.#end(call);
  }

  #end(call: { readonly stream: Stream; fail(failure: Failure): void }): void {
    const text = `the request was not there in full after ${this.#maxMs} ms`;
    const details = `${text} (--request-max-time)`;
    call.fail({ code: status.DEADLINE_EXCEEDED, details });
    this.lastWord(call.stream);
  }
}
