// The columns of `kvctl stat`: what each shows of two statuses, one after the other: as a number
// for programs and as a short text for people.

import type { Status } from "../../index.js";

/** Two moments of one server. */
export interface Interval {
  /** Undefined at the first line: there is nothing to count from. */
  readonly before: Status | undefined;
  readonly now: Status;
  readonly seconds: number;
}

export interface Column {
  /** In JSON. */
  readonly name: string;
  readonly head: string;
  readonly width: number;
  /** Undefined where it cannot be told. */
  value(interval: Interval): number | undefined;
  text(value: number): string;
}

/** From what is looked at most to what goes first on a narrow terminal. */
export const COLUMNS: readonly Column[] = [
  rate("revisionsPerSecond", "rev/s", ({ revision }) => revision),
  level("keys", "keys", 9, ({ keys }) => keys, shortCount),
  level("liveBytes", "live", 7, ({ liveBytes }) => liveBytes, shortBytes),
  level("historyBytes", "history", 7, ({ historyBytes }) => historyBytes, shortBytes),
  level("diskBytes", "disk", 7, ({ diskBytes }) => diskBytes, shortBytes),
  level("watchers", "watch", 6, ({ watchers }) => watchers, shortCount),
  level("watchersUnsynced", "behind", 6, (status) => status.counters["watchers_unsynced"]),
  level("leases", "leases", 7, ({ leases }) => leases, shortCount),
  level("revisionsNotDurable", "unsync", 6, (status) => status.revision - status.durableRevision),
  rate("entriesVisitedPerSecond", "seen/s", (status) => status.counters["entries_visited"]),
  rate("seeksPerSecond", "seek/s", (status) => status.counters["seeks"]),
  rate("changesCompactedPerSecond", "comp/s", (status) => status.counters["changes_compacted"]),
  level("revision", "revision", 11, ({ revision }) => revision, String),
];

function level(
  name: string,
  head: string,
  width: number,
  value: (status: Status) => number | undefined,
  text: (value: number) => string = shortCount,
): Column {
  return { name, head, width, value: ({ now }) => value(now), text };
}

function rate(name: string, head: string, total: (status: Status) => number | undefined): Column {
  return {
    name,
    head,
    width: 7,
    text: shortCount,
    value: ({ before, now, seconds }) => {
      const [from, to] = [before === undefined ? undefined : total(before), total(now)];
      if (from === undefined || to === undefined || seconds <= 0) return undefined;
      // Another process may listen there now: its counts begin anew.
      return Math.round(Math.max(0, to - from) / seconds);
    },
  };
}

/** "9999", "10.2k", "1.25M": at most six characters. */
export function shortCount(count: number): string {
  return short(count, 1_000, ["", "k", "M", "G", "T"]);
}

/** "512", "1.5K", "20M". */
function shortBytes(bytes: number): string {
  return short(bytes, 1_024, ["", "K", "M", "G", "T", "P"]);
}

function short(amount: number, step: number, units: readonly string[]): string {
  if (Math.abs(amount) < 10_000) return String(Math.round(amount));
  let scaled = amount;
  let unit = 0;
  while (Math.abs(scaled) >= step && unit < units.length - 1) {
    scaled /= step;
    unit += 1;
  }
  return `${Number(scaled.toPrecision(3))}${units[unit]}`;
}
