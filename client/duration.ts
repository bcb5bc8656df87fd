// Durations: from what callers write to milliseconds and to protobuf, and back. Whether a duration
// makes sense where it is used, the server decides.

import type { Duration } from "../gen/grpc/google/protobuf/duration.js";
import { numberFromInt64 } from "./numbers.js";
import type { DurationLike } from "./types.js";

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** @throws TypeError for what is neither a finite number nor text such as "1h30m". */
export function msFromDuration(duration: DurationLike, what: string): number {
  if (typeof duration === "number") {
    if (Math.abs(duration) <= Number.MAX_SAFE_INTEGER) return duration;
  } else if (typeof duration === "string" && WHOLE.test(duration)) {
    let ms = 0;
    for (const [, amount, unit] of duration.matchAll(PART)) {
      ms += Number(amount) * (UNIT_MS[unit as string] as number);
    }
    if (ms <= Number.MAX_SAFE_INTEGER) return ms;
  }
  const shown = typeof duration === "string" ? JSON.stringify(duration) : String(duration);
  throw new TypeError(
    `${what} must be milliseconds, or text such as "30s" or "1h30m" ` +
      `(units ms, s, m, h, d), not ${shown}`,
  );
}

/** Negative ones go as they are; the server refuses them. */
export function messageFromDuration(duration: DurationLike, what: string): Duration {
  const ms = msFromDuration(duration, what);
  const seconds = Math.trunc(ms / 1_000);
  const nanos = Math.round((ms - seconds * 1_000) * 1_000_000);
  return { seconds: BigInt(seconds), nanos };
}

/** Milliseconds, with a fraction where the duration has one. */
export function msFromMessage(duration: Duration | undefined): number {
  if (duration === undefined) return 0;
  return numberFromInt64(duration.seconds, "seconds") * 1_000 + duration.nanos / 1_000_000;
}
