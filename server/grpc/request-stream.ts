// Calls that take a stream of requests and answer each: Pipeline and KeepAlive.
//
// Requests are begun in the order of arrival. What is in flight, and what the peer has not taken,
// is bounded: beyond it none is begun, because its answer would be held, and the stream is not
// read. The first request that fails as a whole ends the
// call with its status, after the answers before it; half-close ends it after the last answer.
// The status says how many requests were begun: a client may lose answers that came just before it,
// and must not take what was done for what was not.

import { KvdError } from "../kv/errors.js";
import type { Decoded } from "./codec.js";
import type { StatusOf } from "./failures.js";
import type { DuplexCall, Failure } from "./service.js";
import { type Gate, type StreamOptions, StreamWriter } from "./stream.js";

export interface RequestStreamOptions<Request, Response> extends StreamOptions {
  /** Requests in flight; 1 answers them in order. */
  readonly inFlightMax: number;
  /** Gives the answer at once when it has it; so it may throw at once, too. */
  readonly handle: (request: Request) => Response | Promise<Response>;
  /** About what an answer takes when encoded. */
  readonly weigh: (response: Response) => number;
  readonly statusOf: StatusOf;
}

export class RequestStream<Request, Response> {
  readonly #call: DuplexCall<Decoded<Request>, Response>;
  readonly #options: RequestStreamOptions<Request, Response>;
  readonly #writer: StreamWriter<Response>;
  /** Where requests wait until the peer has taken answers. */
  readonly #gate: Gate;
  #isHeld = false;
  readonly #waiting: Decoded<Request>[] = [];
  #begun = 0;
  #inFlight = 0;
  #state: "open" | "half-closed" | "stopping" | "over" = "open";
  /** What the call ends with; undefined: OK. */
  #failure: Failure | undefined;

  constructor(
    call: DuplexCall<Decoded<Request>, Response>,
    options: RequestStreamOptions<Request, Response>,
  ) {
    this.#call = call;
    this.#options = options;
    this.#writer = new StreamWriter(call, options);
    this.#gate = this.#writer.gate();
    call.on("data", (request: Decoded<Request>) => this.#take(request));
    call.on("end", () => this.#finish("half-closed"));
    call.once("cancelled", () => {
      this.#state = "over";
      this.#waiting.length = 0;
    });
  }

  /** Takes no more requests; ends with this once what runs is answered. */
  stop(error: KvdError): void {
    this.#fail(error);
  }

  #take(request: Decoded<Request>): void {
    if (this.#state !== "open") return;
    this.#waiting.push(request);
    this.#begin();
  }

  #begin(): void {
    while (!this.#isFull && this.#waiting.length > 0) {
      if (this.#writer.mustWait) {
        this.#hold();
        break;
      }
      const request = this.#waiting.shift() as Decoded<Request>;
      if (request.ok) this.#run(request.message);
      else this.#fail(request.error);
    }
    if (this.#isFull) this.#call.pause();
    else this.#call.resume();
  }

  get #isFull(): boolean {
    return this.#isHeld || this.#inFlight >= this.#options.inFlightMax;
  }

  #hold(): void {
    this.#isHeld = true;
    this.#gate.pass().then(() => {
      this.#isHeld = false;
      this.#begin();
      this.#endIfDone();
    });
  }

  /** What throws at once has not been begun. */
  #run(request: Request): void {
    let answer: Response | Promise<Response>;
    try {
      answer = this.#options.handle(request);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#begun += 1;
    if (answer instanceof Promise || this.#writer.mustWait) this.#writeLater(answer);
    else this.#writer.write(answer, this.#options.weigh(answer));
  }

  async #writeLater(answer: Response | Promise<Response>): Promise<void> {
    this.#inFlight += 1;
    try {
      const response = await answer;
      if (this.#writer.mustWait) await this.#writer.gate().pass();
      this.#writer.write(response, this.#options.weigh(response));
    } catch (error) {
      this.#fail(error);
    }
    this.#inFlight -= 1;
    this.#begin();
    this.#endIfDone();
  }

  #fail(error: unknown): void {
    if (this.#state === "stopping" || this.#state === "over") return;
    const told = error instanceof KvdError ? error.with({ requestsBegun: this.#begun }) : error;
    this.#failure = this.#options.statusOf(told);
    this.#waiting.length = 0;
    this.#finish("stopping");
  }

  #finish(state: "half-closed" | "stopping"): void {
    if (this.#state === "over" || this.#state === "stopping") return;
    this.#state = state;
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#state === "open" || this.#state === "over") return;
    if (this.#inFlight > 0 || this.#waiting.length > 0) return;
    this.#state = "over";
    if (this.#failure === undefined) this.#writer.finish();
    else this.#writer.end(this.#failure);
  }
}
