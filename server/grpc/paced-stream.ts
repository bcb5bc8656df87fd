// A streaming answer at the pace of who takes it, as a sequence of messages that is asked for the
// next one only when there is room. What gives them may hold something up meanwhile, so a peer that
// takes nothing for too long loses the rest.

import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { Clock } from "../lib/clock.js";
import type { Decoded } from "./codec.js";
import type { StatusOf } from "./failures.js";
import type { AnsweringCall } from "./service.js";
import { type Gate, StreamWriter } from "./stream.js";

export interface PacedMessage<Response> {
  readonly message: Response;
  /** About what it takes when encoded. */
  readonly bytes: number;
}

export interface PacedStreamOptions {
  readonly limits: Pick<Limits, "watcherIdleMaxMs">;
  readonly clock: Clock;
  readonly statusOf: StatusOf;
  /** Ends the call with its reason. */
  readonly signal?: AbortSignal;
}

/** What the transport may hold for a peer before the next message waits. */
const UNSENT_MAX_BYTES = 64 * 1024;

/** Runs until all is written or the call is over; the sequence is returned from in any case. */
export async function servePaced<Request, Response>(
  call: AnsweringCall<Decoded<Request>, Response>,
  messages: (request: Request) => AsyncIterable<PacedMessage<Response>>,
  options: PacedStreamOptions,
): Promise<void> {
  const { limits, clock, statusOf, signal } = options;
  const idleMaxMs = limits.watcherIdleMaxMs;
  const writer = new StreamWriter(call, { unsentMaxBytes: UNSENT_MAX_BYTES, idleMaxMs, clock });
  const gate = writer.gate();
  signal?.addEventListener("abort", () => gate.open());
  try {
    if (!call.request.ok) throw call.request.error;
    for await (const { message, bytes } of messages(call.request.message)) {
      await passInTime(gate, options);
      signal?.throwIfAborted();
      if (writer.over) return;
      writer.write(message, bytes);
    }
    writer.finish();
  } catch (error) {
    const isSlow = error instanceof KvdError && error.reason === "WATCHER_TOO_SLOW";
    if (isSlow) writer.abandon(statusOf(error));
    else writer.end(statusOf(error));
  }
}

/** @throws KvdError WATCHER_TOO_SLOW. */
function passInTime(gate: Gate, { limits, clock }: PacedStreamOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(limits.watcherIdleMaxMs, () => {
      const text = `the peer took nothing for ${limits.watcherIdleMaxMs} ms while data waited`;
      reject(new KvdError("WATCHER_TOO_SLOW", `${text} (--watcher-idle-max)`));
    });
    gate.pass().then(() => {
      timer.cancel();
      resolve();
    });
  });
}
