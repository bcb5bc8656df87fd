// Renews a lease, once or until it is interrupted.
//
// A server that is away for a while is ridden through, for as long as the lease can have lived
// since its last renewal; a lease that is gone is an end, because nothing brings its keys back.

import { setTimeout as after } from "node:timers/promises";
import type { Leases } from "../index.js";
import { isClientError } from "./error-text.js";
import { EXIT } from "./exit-codes.js";
import { Failure } from "./failure.js";

export interface RenewalOptions {
  /** Ends it, quietly. */
  readonly signal: AbortSignal;
  /** How long one answer may take; 0: for ever. */
  readonly timeoutMs: number;
  renewed(ttlMs: number): Promise<void>;
  /** Told once each time the server goes away, with what may remain of the lease. */
  lost(leftMs: number): void;
  /** For tests. */
  readonly time?: RenewalTime;
}

export interface RenewalTime {
  nowMs(): number;
  /** May end early, when the signal is aborted. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

type Renewer = Pick<Leases, "keepAlive">;

const SYSTEM_TIME: RenewalTime = {
  nowMs: () => performance.now(),
  pause: (ms, signal) => after(ms, undefined, { signal }).catch(() => {}),
};

/** Below what a timer takes, for a lease of ten years. */
const PAUSE_MAX_MS = 12 * 3_600_000;
const PAUSE_AFTER_LOSS_MS = 500;
const TIMEOUT_MIN_MS = 1_000;

/** What it has from now. @throws Failure when the lease is gone, KvdClientError. */
export async function renewOnce(
  leases: Renewer,
  id: bigint,
  options: { readonly signal: AbortSignal; readonly timeout?: number },
): Promise<number> {
  const ttlMs = await leases.keepAlive(id, options);
  if (ttlMs !== undefined) return ttlMs;
  throw new Failure(EXIT.negative, `there is no lease ${id}: it ended, or it never was`);
}

/** Returns when the signal is aborted. @throws as renewOnce(), when the lease must be over too. */
export async function keepRenewing(
  leases: Renewer,
  id: bigint,
  options: RenewalOptions,
): Promise<void> {
  const { signal, time = SYSTEM_TIME } = options;
  let askedMs = time.nowMs();
  let ttlMs = await renewOnce(leases, id, { signal });
  await options.renewed(ttlMs);
  let lost = false;
  let pauseMs = ttlMs / 3;
  while (!signal.aborted) {
    await time.pause(Math.min(pauseMs, PAUSE_MAX_MS), signal);
    if (signal.aborted) return;
    const nowMs = time.nowMs();
    try {
      const timeout = timeoutOf(ttlMs / 3, options.timeoutMs);
      ttlMs = await renewOnce(leases, id, { signal, timeout });
      askedMs = nowMs;
      lost = false;
      pauseMs = ttlMs / 3;
    } catch (error) {
      if (signal.aborted) return;
      const leftMs = askedMs + ttlMs - time.nowMs();
      if (!passes(error) || leftMs <= 0) throw error;
      if (!lost) options.lost(leftMs);
      lost = true;
      pauseMs = Math.min(PAUSE_AFTER_LOSS_MS, leftMs);
      continue;
    }
    await options.renewed(ttlMs);
  }
}

/** Late answers must leave time for another try. */
function timeoutOf(shareMs: number, timeoutMs: number): number {
  const enough = Math.max(TIMEOUT_MIN_MS, Math.floor(shareMs));
  return timeoutMs === 0 ? Math.min(enough, PAUSE_MAX_MS) : Math.min(enough, timeoutMs);
}

/** The server, or the way to it, is away; the lease may be there still. */
function passes(error: unknown): boolean {
  if (!isClientError(error)) return false;
  if (error.reason !== undefined) return error.reason === "SHUTTING_DOWN";
  return error.code === "UNAVAILABLE" || error.code === "DEADLINE_EXCEEDED";
}
