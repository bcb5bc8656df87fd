// Calls that are made again while the server, or the way to it, is away: for whoever waits in a
// queue, an outage is only a longer wait. For calls that may be applied twice without harm.

import { setTimeout as after } from "node:timers/promises";
import { isClientError } from "../error-text.js";

const PAUSE_MS = 300;

/** What the call gives; undefined once the signal is aborted. @throws what does not pass. */
export async function patiently<T>(
  call: () => Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await call();
    } catch (error) {
      if (signal.aborted) break;
      if (!passes(error)) throw error;
    }
    await pause(PAUSE_MS, signal);
  }
  return undefined;
}

/** The server, or the way to it, is away; what was asked about may be there still. */
export function passes(error: unknown): boolean {
  if (!isClientError(error)) return false;
  if (error.reason !== undefined) return error.reason === "SHUTTING_DOWN";
  return error.code === "UNAVAILABLE" || error.code === "DEADLINE_EXCEEDED";
}

/** Ends early, and quietly, when the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await after(ms, undefined, { signal }).catch(() => {});
}
