// Sizes as people read them.

import { UsageError } from "./failure.js";

const UNITS = ["KiB", "MiB", "GiB", "TiB"];

/** "1.5 MiB (1572864)": readable, and exact. */
export function bytesText(bytes: number): string {
  return bytes < 1024 ? roughBytesText(bytes) : `${roughBytesText(bytes)} (${bytes})`;
}

/** "1.5 MiB". */
export function roughBytesText(bytes: number): string {
  let amount = bytes;
  let unit = "bytes";
  for (const larger of UNITS) {
    if (amount < 1024) break;
    amount /= 1024;
    unit = larger;
  }
  return `${Number(amount.toFixed(1))} ${unit}`;
}

const FACTORS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** "512", "64k", "1MiB". @throws UsageError that names the flag. */
export function bytesFromFlag(flag: string, text: string): number {
  const [, digits, unit = ""] = /^(\d{1,9})(?:([kmg])(?:i?b)?)?$/i.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * (FACTORS[unit.toLowerCase()] ?? 1);
  throw new UsageError(`${flag} takes a size such as 512, 64KiB or 1MiB, not "${text}"`);
}
