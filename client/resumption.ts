// Whether a watch that broke goes on, and when: after what passes (the connection, the server's
// stop) for ever, after what is odd a few times, after a refusal never.
//
// The first time it goes on at once, then after longer and longer times, until it was open for a
// while or something came.

import { Backoff } from "./backoff.js";
import type { KvdClientError } from "./errors.js";

/** After so long a connection that breaks is not one more failure in a row. */
const STEADY_MS = 1_000;

/** How often in a row it may end oddly, such as without a status, before that is told. */
const ODD_ENDS_MAX = 5;

export class Resumption {
  readonly #backoff = new Backoff();
  #openedMs: number | undefined;
  #oddEnds = 0;

  /** The server has opened it. */
  opened(): void {
    this.#openedMs = performance.now();
  }

  /** Something came. */
  moved(): void {
    this.#backoff.reset();
    this.#oddEnds = 0;
  }

  may(error: KvdClientError, { isFirst }: { readonly isFirst: boolean }): boolean {
    if (this.#openedMs !== undefined && performance.now() - this.#openedMs >= STEADY_MS) {
      this.moved();
    }
    this.#openedMs = undefined;
    if (passes(error)) return true;
    // Of watches that the server has not yet seen to be gone, there may be too many for a while.
    if (error.reason === "TOO_MANY_WATCHERS") return !isFirst;
    if (!isOdd(error)) return false;
    this.#oddEnds += 1;
    return !isFirst && this.#oddEnds <= ODD_ENDS_MAX;
  }

  /** How long to wait before it goes on. */
  nextMs(): number {
    return this.#backoff.nextMs();
  }
}

/** What breaks a watch and has nothing to do with it. */
export function passes({ code, reason }: KvdClientError): boolean {
  if (reason === undefined) return code === "UNAVAILABLE" || code === "CANCELLED";
  return code === "UNAVAILABLE" || reason === "WATCHER_TOO_SLOW";
}

/** Streams that are cut in an unlucky moment may end so, and so may a server with a fault. */
function isOdd({ code, reason }: KvdClientError): boolean {
  return reason === undefined && (code === "INTERNAL" || code === "UNKNOWN");
}
