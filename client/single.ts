// One operation of a batch on its way: a get, a put or a delete of one key, encoded once, and
// everybody who waits for its answer. Equal gets share one; each still has a deadline, a signal and
// an answer of its own.
//
// Knows nothing of streams: who sends it settles it, and asks before whether anybody waits.

import type { DeleteResponse, GetResponse, PutResponse } from "../gen/grpc/kvd/v1/kv.js";
import type { KeyValue } from "../gen/grpc/kvd/v1/watch.js";
import { type CallSite, thrownAt } from "./call-site.js";
import type { AnswerOf } from "./calls.js";

/** What batches know of the methods that they stand for. */
export type SingleKind = "get" | "put" | "delete";

export type SingleResponse = GetResponse | PutResponse | DeleteResponse;

export interface SingleOptions {
  readonly kind: SingleKind;
  readonly method: AnswerOf<SingleResponse>;
  /** The encoded request of the method. */
  readonly bytes: Buffer;
  /** The key as text; one that is not UTF-8 may look like others. */
  readonly keyText: string;
  /** It answers an entry whose size nobody knows yet, and must be alone with the room for it. */
  readonly returnsPrevious: boolean;
  /** A get of the newest revision. */
  readonly readsNow: boolean;
}

export class Single {
  readonly kind: SingleKind;
  readonly method: AnswerOf<SingleResponse>;
  readonly bytes: Buffer;
  readonly keyText: string;
  readonly returnsPrevious: boolean;
  readonly readsNow: boolean;
  readonly waiters = new Set<Waiter>();

  constructor(options: SingleOptions) {
    this.kind = options.kind;
    this.method = options.method;
    this.bytes = options.bytes;
    this.keyText = options.keyText;
    this.returnsPrevious = options.returnsPrevious;
    this.readsNow = options.readsNow;
  }

  /** Sending it twice does no harm. */
  get reads(): boolean {
    return this.kind === "get";
  }

  /** Nobody waits for it any more. */
  get over(): boolean {
    return this.waiters.size === 0;
  }

  /** `shared`: other answers came in the same message. */
  answer(response: SingleResponse, { shared }: { readonly shared: boolean }): void {
    const copies = shared || this.waiters.size > 1;
    for (const waiter of [...this.waiters]) {
      if (copies) ownBytes(response);
      waiter.answer(response);
    }
  }

  /** Each gets an error of its own, which names its place in the caller's program. */
  fail(error: () => Error): void {
    for (const waiter of [...this.waiters]) waiter.fail(error());
  }
}

/** One who waits for an answer; settled once. */
export class Waiter {
  readonly site: CallSite;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  readonly #answer: (response: SingleResponse) => void;
  readonly #reject: (error: Error) => void;
  #onSettled: (() => void) | undefined;

  constructor(
    call: Pick<Waiter, "site" | "deadline" | "signal">,
    answer: (response: SingleResponse) => void,
    reject: (error: Error) => void,
  ) {
    this.site = call.site;
    this.deadline = call.deadline;
    this.signal = call.signal;
    this.#answer = answer;
    this.#reject = reject;
  }

  onSettled(callback: () => void): void {
    this.#onSettled = callback;
  }

  /** What the caller makes of the answer may fail, and then the call does. */
  answer(response: SingleResponse): void {
    this.#settle();
    try {
      this.#answer(response);
    } catch (error) {
      this.#reject(thrownAt(error as Error, this.site));
    }
  }

  /** The error becomes the caller's own. */
  fail(error: Error): void {
    this.#settle();
    this.#reject(thrownAt(error, this.site));
  }

  #settle(): void {
    this.#onSettled?.();
    this.#onSettled = undefined;
  }
}

/**
 * Gives the entries values of their own: one that is kept must not keep the whole message, and no
 * two callers may hold the same bytes.
 */
function ownBytes(response: SingleResponse): void {
  if ("kv" in response) copyValue(response.kv);
  else if ("leaseId" in response) copyValue(response.previous);
  else for (const previous of response.previous) copyValue(previous);
}

function copyValue(kv: KeyValue | undefined): void {
  if (kv !== undefined) kv.value = kv.value.slice();
}
