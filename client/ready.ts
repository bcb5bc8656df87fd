// Waiting for a server: asking it until it answers, or the time is over.
//
// Only what is safe to ask twice is asked. A connection that breaks while it is asked, and a server
// that is still on its way down, are no reasons to stop waiting.

import { setTimeout as sleep } from "node:timers/promises";
import { deadlineOf, unreachableError } from "./calls.js";
import { KvdClientError } from "./errors.js";

/** Between two questions, for a server that takes connections and ends them at once. */
const PAUSE_MS = 50;

export interface Question {
  /** Asks once, connecting first for as long as it takes. */
  ask(timeoutMs: number): Promise<unknown>;
  /** Whether there is a connection now. */
  connected(): boolean;
  readonly address: string;
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** @throws KvdClientError as Kvd.ready() tells. */
export async function untilAnswered(question: Question): Promise<void> {
  const deadline = deadlineOf(question.timeoutMs);
  for (;;) {
    const restMs = deadline - Date.now();
    try {
      await question.ask(Number.isFinite(restMs) ? Math.max(1, restMs) : 0);
      return;
    } catch (error) {
      const code = error instanceof KvdClientError ? error.code : undefined;
      if (code !== "UNAVAILABLE" && code !== "DEADLINE_EXCEEDED") throw error;
      if (code === "DEADLINE_EXCEEDED" || Date.now() + PAUSE_MS >= deadline) {
        throw question.connected() ? error : unreachableError(question.address, error);
      }
    }
    // Aborted meanwhile, the next question says so.
    await sleep(PAUSE_MS, undefined, { signal: question.signal }).catch(() => {});
  }
}
