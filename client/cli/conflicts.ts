// Doing something anew when somebody else changed the key in between: read, decide, write with the
// revision that was read. Bounded by time, because each time somebody else got on.

import { setTimeout as after } from "node:timers/promises";
import { isClientError } from "./error-text.js";
import { EXIT } from "./exit-codes.js";
import { Failure } from "./failure.js";

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** How long to go on trying; 0: until it is interrupted. */
  readonly timeoutMs: number;
}

/** The first tries follow at once; then they spread out, so that not all meet again. */
const PAUSE_MAX_MS = 50;

/**
 * What `attempt` returns, as soon as it is not undefined and no precondition fails.
 *
 * @throws Failure when the time is over, and whatever else `attempt` throws.
 */
export async function untilUnchanged<T>(
  what: string,
  { signal, timeoutMs }: RetryOptions,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = timeoutMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  for (let tries = 1; ; tries += 1) {
    const result = await attempt().catch((error: unknown) => {
      if (isLostPrecondition(error)) return undefined;
      throw error;
    });
    if (result !== undefined) return result;
    if (performance.now() > deadline) {
      const text = `${what} was changed by others ${tries} times in a row; nothing was written`;
      throw new Failure(EXIT.refused, `${text}; try again, or give more --timeout`);
    }
    if (tries > 2) {
      await after(Math.random() * Math.min(2 ** tries, PAUSE_MAX_MS), undefined, { signal });
    }
  }
}

export function isLostPrecondition(error: unknown): boolean {
  return isClientError(error) && error.reason === "PRECONDITION_FAILED";
}
