// Single calls that are made in one tick travel together: gets, puts and deletes of one key become
// messages of a Pipeline stream, which is opened when it is first needed.
//
// Calls are executed in the order in which they were made, also over several messages and ticks. To
// each caller a call looks as if it were alone: its deadline and its signal end it and nothing
// else, and before it was sent they also keep it from being sent. It is sent when there is a
// connection: what waits for one waits here. Repeated is what a unary call would repeat (calls.ts),
// before all that was called later.

import { connectivityState, type StatusObject } from "@grpc/grpc-js";
import type { PipelineResponse } from "../gen/grpc/kvd/v1/kv.js";
import { onAbort } from "./abort.js";
import { Backoff } from "./backoff.js";
import { callSite, thrownAt } from "./call-site.js";
import { abortedError, type Calls, deadlineOf, type Method } from "./calls.js";
import { closedError } from "./gate.js";
import { type Aftermath, aftermathOf } from "./pipeline-break.js";
import { type Flight, PipelineLine } from "./pipeline-line.js";
import { askAlone, settle } from "./pipeline-results.js";
import { type Single, type SingleOptions, type SingleResponse, Waiter } from "./single.js";
import { SingleQueue } from "./single-queue.js";
import type { CallOptions } from "./types.js";

/** The longest that a timer can be set for. */
const TIMER_MAX_MS = 0x7fff_ffff;

/** What a batch is told of a call, besides its request and its options. */
export interface BatchedCall<Request, Response extends SingleResponse>
  extends Pick<SingleOptions, "kind" | "keyText" | "returnsPrevious" | "readsNow"> {
  readonly method: Method<Request, Response>;
  readonly bytes: Buffer;
  /** Equal gets have the same. */
  readonly getKey: string | undefined;
}

export class Batching {
  readonly #calls: Calls;
  readonly #queue = new SingleQueue();
  readonly #backoff = new Backoff();
  /** Writes without an answer, by their keys. */
  readonly #writing = new Map<string, number>();
  #line: PipelineLine | undefined;
  #scheduled = false;
  #connecting = false;
  #pruning = false;
  /** While what failed waits for a better moment. */
  #rest: NodeJS.Timeout | undefined;

  constructor(calls: Calls) {
    this.#calls = calls;
    onAbort(calls.unreachable, () => {
      this.#failAll(closedError);
      this.#line?.drop();
    });
    onAbort(calls.closing, () => {
      if (this.#rest !== undefined) this.#failAll(closedError);
    });
  }

  /** @throws KvdClientError, as a rejection. */
  call<Request, Response extends SingleResponse, Result>(
    call: BatchedCall<Request, Response>,
    options: CallOptions,
    translate: (response: Response) => Result,
  ): Promise<Result> {
    const site = callSite(this.call);
    const { signal } = options;
    const timeoutMs = this.#calls.timeoutMs(options);
    if (signal?.aborted) throw thrownAt(abortedError(this.#what(call), signal), site);
    this.#calls.enter(site);
    return new Promise((resolve, reject) => {
      const single = this.#queue.add(call, call.getKey);
      const answer = (response: SingleResponse) => resolve(translate(response as Response));
      const waiter = new Waiter({ site, deadline: deadlineOf(timeoutMs), signal }, answer, reject);
      single.waiters.add(waiter);
      this.#endInTime(single, { waiter, timeoutMs });
      this.#schedule();
    });
  }

  /** For when nobody waits any more. */
  close(): void {
    this.#line?.drop();
  }

  #what({ method }: Pick<SingleOptions, "method">): string {
    return this.#calls.describe(method.name);
  }

  /** Timer and signal end the wait of one; without a limit a timer keeps the process alive. */
  #endInTime(single: Single, call: { readonly waiter: Waiter; readonly timeoutMs: number }): void {
    const { waiter, timeoutMs } = call;
    const giveUp = (error: Error) => {
      waiter.fail(error);
      this.#forgetLater();
    };
    const late = () => {
      if (timeoutMs > 0) giveUp(this.#calls.late(this.#what(single)));
    };
    const timer = setTimeout(late, timeoutMs === 0 ? TIMER_MAX_MS : timeoutMs);
    const { signal } = waiter;
    const forget = onAbort(signal, () => giveUp(abortedError(this.#what(single), signal)));
    waiter.onSettled(() => {
      clearTimeout(timer);
      forget();
      single.waiters.delete(waiter);
      this.#calls.gate.leave();
    });
  }

  /** Many give up in one tick. */
  #forgetLater(): void {
    if (this.#pruning) return;
    this.#pruning = true;
    setImmediate(() => {
      this.#pruning = false;
      this.#queue.prune();
      this.#line?.dropIfForgotten();
    });
  }

  /** After everything that this tick does. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    while (!this.#queue.empty && this.#rest === undefined) {
      const line = this.#openLine();
      if (line === undefined || line.full) return;
      const singles = this.#queue.take(this.#writing);
      if (singles.length === 0) return;
      for (const { reads, keyText } of singles) {
        if (!reads) this.#writing.set(keyText, (this.#writing.get(keyText) ?? 0) + 1);
      }
      line.send(singles);
    }
  }

  /** Undefined while there is no connection; what fails without one is left to the transport. */
  #openLine(): PipelineLine | undefined {
    if (this.#line?.open) return this.#line;
    if (this.#connecting) return undefined;
    const channel = this.#calls.channel.getChannel();
    const state = channel.getConnectivityState(true);
    const hopeless = state === connectivityState.TRANSIENT_FAILURE && !this.#calls.retry;
    if (state === connectivityState.READY || hopeless) {
      this.#line = new PipelineLine(this.#calls, {
        onAnswer: (flight, response) => this.#answered(flight, response),
        onOver: (line, status, flights) => this.#over(line, status, flights),
      });
      return this.#line;
    }
    this.#connecting = true;
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, () => {
      this.#connecting = false;
      this.#schedule();
    });
    return undefined;
  }

  #answered(flight: Flight, response: PipelineResponse): void {
    this.#backoff.reset();
    this.#landed(flight);
    settle(flight.singles, response, this.#calls);
    if (!this.#queue.empty) this.#schedule();
  }

  #landed({ singles }: Flight): void {
    for (const { reads, keyText } of singles) {
      if (reads) continue;
      const left = (this.#writing.get(keyText) ?? 0) - 1;
      if (left > 0) this.#writing.set(keyText, left);
      else this.#writing.delete(keyText);
    }
  }

  #over(line: PipelineLine, status: StatusObject, flights: readonly Flight[]): void {
    if (this.#line === line) this.#line = undefined;
    for (const flight of flights) this.#landed(flight);
    const aftermath = aftermathOf(status, flights, this.#calls);
    for (const { single, error } of aftermath.failed) {
      single.fail(this.#calls.unreachable.aborted ? closedError : error);
    }
    for (const single of aftermath.alone) askAlone(single, this.#calls);
    this.#sendAgain(aftermath);
    if (!this.#queue.empty) this.#schedule();
  }

  #sendAgain({ again, tooMany }: Aftermath): void {
    if (again.length === 0) return;
    this.#queue.putBack(again);
    if (this.#calls.unreachable.aborted) {
      this.#failAll(closedError);
    } else if (tooMany !== undefined) {
      this.#queue.shrink(tooMany);
    } else {
      this.#restFor(this.#backoff.nextMs());
    }
  }

  #restFor(ms: number): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    if (ms === 0) return;
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      this.#schedule();
    }, ms);
  }

  #failAll(error: () => Error): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    for (const single of this.#queue.takeAll()) single.fail(error);
  }
}
