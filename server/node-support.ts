// Until when the releases of Node are maintained.

/** The last day of each, as published; odd releases are maintained for half a year. */
const LAST_DAYS: Readonly<Record<number, string>> = {
  20: "2026-04-30",
  21: "2024-06-01",
  22: "2027-04-30",
  23: "2025-06-01",
  24: "2028-04-30",
  25: "2026-06-01",
};

const DAY_MS = 86_400_000;

/** The day on which maintenance of this Node ended; undefined when it goes on, or is not known. */
export function endOfLife(nodeVersion: string, nowMs: number): string | undefined {
  const major = Number.parseInt(nodeVersion.replace(/^v/, ""), 10);
  const lastDay = LAST_DAYS[major];
  if (lastDay === undefined) return undefined;
  return nowMs >= Date.parse(lastDay) + DAY_MS ? lastDay : undefined;
}
