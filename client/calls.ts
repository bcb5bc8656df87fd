// Unary calls: deadline, abort, repetition, translation of the answer and of errors, in one place.
//
// A request is encoded before unary() returns. What is sent waits for a connection, up to its
// deadline. Sent again is only what can do no harm: a call that only reads, when the connection
// broke under it; any call, when the server said that it did nothing because it stops. A write
// whose outcome is unknown is never sent again.

import { type Client, connectivityState, Metadata, status } from "@grpc/grpc-js";
import { onAbort } from "./abort.js";
import { Backoff, pause } from "./backoff.js";
import { type CallSite, callSite, thrownAt } from "./call-site.js";
import { type Codec, decodeMessage, encodeMessage } from "./codec.js";
import { msFromDuration } from "./duration.js";
import { errorFromStatus, KvdClientError, type WireStatus } from "./errors.js";
import { closedError, Gate } from "./gate.js";
import type { CallOptions } from "./types.js";

/** An rpc, with its codecs bound. */
export interface Method<Request, Response> {
  readonly path: string;
  /** For error texts, such as "Get". */
  readonly name: string;
  serialize(request: Request): Buffer;
  deserialize(bytes: Buffer): Response;
  /** Doing it twice is doing it once: it may be sent again, whatever became of it. */
  repeatable(request: Request): boolean;
}

export function method<Request, Response>(
  path: string,
  request: Codec<Request>,
  response: Codec<Response>,
  repeatable: (request: Request) => boolean = () => false,
): Method<Request, Response> {
  return {
    path,
    repeatable,
    name: path.slice(path.lastIndexOf("/") + 1),
    serialize: (message) => encodeMessage(request, message),
    deserialize: (bytes) => decodeMessage(response, bytes),
  };
}

/** grpc-js fails longer deadlines at once: 2^31 - 1 ms, close to 25 days. */
const DEADLINE_MAX_MS = 0x7fff_ffff;

/** The moment at which a call must have ended; Infinity for a timeout of 0. */
export function deadlineOf(timeoutMs: number): number {
  return timeoutMs === 0 ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs;
}

/** For methods that only read. */
export const always = (): boolean => true;

/** The error of a call whose signal was aborted. */
export function abortedError(what: string, signal: AbortSignal | undefined): KvdClientError {
  const cause: unknown = signal?.reason;
  return new KvdClientError("CANCELLED", `${what}: aborted by its signal`, { cause });
}

export interface CallsOptions {
  /** The target of the channel, for error texts. */
  readonly address: string;
  /** Of calls that give none. */
  readonly timeoutMs: number;
  /** Wait for a connection, and send again what may be; else every call is sent once, at once. */
  readonly retry: boolean;
}

/** What answers of a method are read with, whatever its requests are. */
export type AnswerOf<Response> = Pick<Method<never, Response>, "path" | "name" | "deserialize">;

/** A unary call in the making, sent once or more. */
interface Sending<Response> {
  readonly method: AnswerOf<Response>;
  readonly bytes: Buffer;
  readonly repeatable: boolean;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  readonly waitForReady: boolean;
}

/** The calls of one connection. */
export class Calls {
  readonly channel: Client;
  readonly gate = new Gate();
  readonly address: string;
  readonly retry: boolean;
  readonly #timeoutMs: number;
  readonly #closing = new AbortController();
  readonly #unreachable = new AbortController();

  constructor(channel: Client, options: CallsOptions) {
    this.channel = channel;
    this.address = options.address;
    this.retry = options.retry;
    this.#timeoutMs = options.timeoutMs;
  }

  /** Aborted by close(): what waits for a better moment does not wait any more. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Aborted while close() waits and no connection can be made. */
  get unreachable(): AbortSignal {
    return this.#unreachable.signal;
  }

  get connected(): boolean {
    return this.#state() === connectivityState.READY;
  }

  /** What an error text calls a call, such as "Get at 127.0.0.1:7856". */
  describe(name: string): string {
    return `${name} at ${this.address}`;
  }

  /** @throws TypeError for a timeout that is none. */
  timeoutMs(options: CallOptions): number {
    if (options.timeout === undefined) return this.#timeoutMs;
    return timeoutMsOf(options.timeout);
  }

  /**
   * Sends a request and translates the answer; what `translate` throws, the call rejects with.
   *
   * @throws KvdClientError, as a rejection.
   */
  async unary<Request, Response, Result>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions & { readonly waitForReady?: boolean },
    translate: (response: Response) => Result,
  ): Promise<Result> {
    const site = callSite(this.unary);
    const { signal, waitForReady = this.retry } = options;
    const deadline = deadlineOf(this.timeoutMs(options));
    if (signal?.aborted) throw thrownAt(abortedError(this.describe(method.name), signal), site);
    this.enter(site);
    try {
      const bytes = method.serialize(request);
      const repeatable = method.repeatable(request);
      const sending = { method, bytes, repeatable, deadline, signal, waitForReady };
      return translate(await this.send(sending));
    } catch (error) {
      throw error instanceof Error ? thrownAt(error, site) : error;
    } finally {
      this.gate.leave();
    }
  }

  /** Sends what is encoded already, for a call that is inside the gate. */
  send<Response>(sending: Sending<Response>): Promise<Response> {
    return this.repeat(sending, () => this.#send(sending));
  }

  /** Does it again, as long as it fails so that this can do no harm, and there is time. */
  async repeat<Result>(
    call: Pick<Sending<unknown>, "repeatable" | "deadline" | "signal">,
    send: () => Promise<Result>,
  ): Promise<Result> {
    const backoff = new Backoff();
    for (;;) {
      try {
        return await send();
      } catch (error) {
        if (!this.retry || !mayRepeat(error, call.repeatable)) throw error;
        const delayMs = backoff.nextMs();
        if (Date.now() + delayMs >= call.deadline) throw error;
        await pause(delayMs, [call.signal, this.closing]);
        if (this.gate.closed) throw error;
      }
    }
  }

  /** The error of a call whose time is over before there was an answer. */
  late(what: string, cause?: unknown): KvdClientError {
    if (this.retry && !this.connected) return unreachableError(this.address, cause);
    return new KvdClientError("DEADLINE_EXCEEDED", `${what}: no answer in time`, { cause });
  }

  /** Lets a call in; gate.leave() must follow. @throws KvdClientError once the client is closed. */
  enter(site: CallSite): void {
    try {
      this.gate.enter();
    } catch (error) {
      throw thrownAt(error as Error, site);
    }
  }

  /** Lets calls in flight have their answers; those without a connection fail. Once only. */
  async close(): Promise<void> {
    this.#closing.abort(closedError());
    const left = this.gate.close();
    this.#endUnreachable();
    await left;
  }

  #send<Response>(sending: Sending<Response>): Promise<Response> {
    const { method, bytes, deadline, signal, waitForReady } = sending;
    return new Promise((resolve, reject) => {
      const call = this.channel.makeUnaryRequest<Buffer, Response>(
        method.path,
        (encoded) => encoded,
        method.deserialize,
        bytes,
        new Metadata({ waitForReady }),
        { deadline },
        (error, response) => {
          for (const forget of listeners) forget();
          if (error === null) resolve(response as Response);
          else reject(this.#failure(error, sending));
        },
      );
      const cancel = () => call.cancel();
      const listeners = [onAbort(signal, cancel), onAbort(this.unreachable, cancel)];
      if (signal?.aborted) cancel();
    });
  }

  #failure(error: WireStatus, call: Sending<unknown>): Error {
    const what = this.describe(call.method.name);
    const { signal } = call;
    if (error.code === status.CANCELLED && signal?.aborted) return abortedError(what, signal);
    if (error.code === status.CANCELLED && this.unreachable.aborted) return closedError();
    const failed = errorFromStatus(error, what);
    const late = error.code === status.DEADLINE_EXCEEDED && call.waitForReady;
    return late && !this.connected ? unreachableError(this.address, failed) : failed;
  }

  /** Calls that wait for a connection which cannot be made would keep close() waiting. */
  #endUnreachable(): void {
    const state = this.#state();
    if (this.gate.empty || state === connectivityState.SHUTDOWN) return;
    if (state === connectivityState.TRANSIENT_FAILURE) {
      this.#unreachable.abort();
      return;
    }
    const changed = () => this.#endUnreachable();
    this.channel.getChannel().watchConnectivityState(state, Number.POSITIVE_INFINITY, changed);
  }

  #state(): connectivityState {
    return this.channel.getChannel().getConnectivityState(false);
  }
}

/** Whether a call that failed may be sent again. */
export function mayRepeat(error: unknown, repeatable: boolean): boolean {
  if (!(error instanceof KvdClientError) || error.code !== "UNAVAILABLE") return false;
  // A call that fails has changed nothing, if it is the server that says so.
  return repeatable || error.reason === "SHUTTING_DOWN";
}

/** The error of what waited in vain for a connection. */
export function unreachableError(address: string, cause: unknown): KvdClientError {
  return new KvdClientError("UNAVAILABLE", `cannot connect to ${address}`, { cause });
}

/** Milliseconds, at most what grpc-js can wait; 0 for none. @throws TypeError */
export function timeoutMsOf(timeout: NonNullable<CallOptions["timeout"]>): number {
  const ms = msFromDuration(timeout, "timeout");
  if (ms < 0) throw new TypeError(`timeout must not be negative, not ${ms}`);
  return Math.min(ms, DEADLINE_MAX_MS);
}
