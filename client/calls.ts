// Unary calls: deadline, abort, translation of the answer and of errors, all in one place.
//
// A request is encoded before unary() returns. Nothing is repeated here: a call is sent once.

import { type Client, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { onAbort } from "./abort.js";
import { type CallSite, callSite, thrownAt } from "./call-site.js";
import { type Codec, decodeMessage, encodeMessage } from "./codec.js";
import { msFromDuration } from "./duration.js";
import { errorFromStatus, KvdClientError } from "./errors.js";
import { Gate } from "./gate.js";
import type { CallOptions } from "./types.js";

/** An rpc, with its codecs bound. */
export interface Method<Request, Response> {
  readonly path: string;
  /** For error texts, such as "Get". */
  readonly name: string;
  serialize(request: Request): Buffer;
  deserialize(bytes: Buffer): Response;
}

export function method<Request, Response>(
  path: string,
  request: Codec<Request>,
  response: Codec<Response>,
): Method<Request, Response> {
  return {
    path,
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

/** The error of a call whose signal was aborted. */
export function abortedError(what: string, signal: AbortSignal | undefined): KvdClientError {
  const cause: unknown = signal?.reason;
  return new KvdClientError("CANCELLED", `${what}: aborted by its signal`, { cause });
}

/** The calls of one connection. */
export class Calls {
  readonly channel: Client;
  readonly gate = new Gate();
  readonly #address: string;
  readonly #timeoutMs: number;

  constructor(channel: Client, options: { readonly address: string; readonly timeoutMs: number }) {
    this.channel = channel;
    this.#address = options.address;
    this.#timeoutMs = options.timeoutMs;
  }

  /** What an error text calls a call, such as "Get at 127.0.0.1:7856". */
  describe(name: string): string {
    return `${name} at ${this.#address}`;
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
  unary<Request, Response, Result>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions & { readonly waitForReady?: boolean },
    translate: (response: Response) => Result,
  ): Promise<Result> {
    const site = callSite(this.unary);
    const { signal, waitForReady = false } = options;
    const what = this.describe(method.name);
    if (signal?.aborted) return Promise.reject(thrownAt(abortedError(what, signal), site));
    return new Promise<Result>((resolve, reject) => {
      const deadline = deadlineOf(this.timeoutMs(options));
      this.enter(site);
      const call = this.channel.makeUnaryRequest<Request, Response>(
        method.path,
        method.serialize,
        method.deserialize,
        request,
        new Metadata({ waitForReady }),
        { deadline },
        (error, response) => {
          this.gate.leave();
          forget();
          try {
            if (error !== null) throw failure(error, what, signal);
            resolve(translate(response as Response));
          } catch (thrown) {
            reject(thrown instanceof Error ? thrownAt(thrown, site) : thrown);
          }
        },
      );
      const forget = onAbort(signal, () => call.cancel());
    });
  }

  /** Lets a call in; gate.leave() must follow. @throws KvdClientError once the client is closed. */
  enter(site: CallSite): void {
    try {
      this.gate.enter();
    } catch (error) {
      throw thrownAt(error as Error, site);
    }
  }
}

/** Milliseconds, at most what grpc-js can wait; 0 for none. @throws TypeError */
export function timeoutMsOf(timeout: NonNullable<CallOptions["timeout"]>): number {
  const ms = msFromDuration(timeout, "timeout");
  if (ms < 0) throw new TypeError(`timeout must not be negative, not ${ms}`);
  return Math.min(ms, DEADLINE_MAX_MS);
}

function failure(error: ServiceError, what: string, signal: AbortSignal | undefined): Error {
  if (error.code === status.CANCELLED && signal?.aborted) return abortedError(what, signal);
  return errorFromStatus(error, what);
}
