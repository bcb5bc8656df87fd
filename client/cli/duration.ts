// Durations as people type them and as kvctl prints them.

import { UsageError } from "./failure.js";

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** Whole milliseconds of "30s", "1h30m", "1.5s", "250ms"; undefined for anything else. */
export function msFromText(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(PART))
    ms += Number(count) * (UNIT_MS[unit ?? ""] ?? 0);
  // Fractions are rounded up, but not what 1.001 * 1000 is above 1001.
  const whole = Math.ceil(Number(ms.toFixed(3)));
  return Number.isSafeInteger(whole) ? whole : undefined;
}

/** @throws UsageError that names the flag. */
export function msFromFlag(flag: string, text: string): number {
  const ms = msFromText(text);
  if (ms !== undefined) return ms;
  throw new UsageError(`${flag} takes a duration such as 30s, 1h30m or 250ms, not "${text}"`);
}

/** "29.5s": seconds, as exact as milliseconds are. The form of "ttl" in JSON. */
export function secondsText(ms: number): string {
  return `${Number((ms / 1_000).toFixed(3))}s`;
}

/** "1d 2h", "3m 4s", "250ms": at most two units, for people. */
export function roughText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let rest = Math.floor(ms / 1_000);
  for (const [unit, seconds] of [
    ["d", 86_400],
    ["h", 3_600],
    ["m", 60],
    ["s", 1],
  ] as const) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(" ");
}
