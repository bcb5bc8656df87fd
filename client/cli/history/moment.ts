// Moments in the past as people type them after --at.
//
//   10m ago, 1h30m ago, 2 days ago     a duration before now; without "ago" it is the same
//   2026-03-01T12:00:00Z, …+02:00      RFC 3339
//   2026-03-01 12:00, 2026-03-01       in the time zone of this machine
//   12:00                              today, likewise

import { msFromText } from "../duration.js";
import { UsageError } from "../failure.js";
import type { OptionDefinition } from "../option.js";

export const AT_OPTION: OptionDefinition = {
  flags: "--at <time>",
  description: "as it was then: '10m ago', '2026-03-01 12:00', 2026-03-01T12:00:00Z",
};

const AGO = /^(.+?)\s+ago$/i;
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/(\d)\s*(?:milliseconds?)\b/gi, "$1ms"],
  [/(\d)\s*(?:seconds?|secs?)\b/gi, "$1s"],
  [/(\d)\s*(?:minutes?|mins?)\b/gi, "$1m"],
  [/(\d)\s*(?:hours?)\b/gi, "$1h"],
  [/(\d)\s*(?:days?)\b/gi, "$1d"],
];

const DATE = /^(\d{4}-\d{2}-\d{2})$/;
const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)([Zz]|[+-]\d{2}:\d{2})?$/;
const TIME = /^(\d{2}:\d{2}(?::\d{2})?)$/;

/** Milliseconds since 1970. @throws UsageError for what is no such moment, or is not over yet. */
export function momentFromText(what: string, given: string, nowMs: number): number {
  const text = given.trim();
  const moment = agoOf(text, nowMs) ?? dateOf(text, nowMs);
  if (moment === undefined || Number.isNaN(moment)) {
    const forms = `"10m ago", "2026-03-01 12:00" or 2026-03-01T12:00:00Z`;
    throw new UsageError(`${what} takes a time such as ${forms}, not "${given}"`);
  }
  if (moment > nowMs) throw new UsageError(`${what} is in the future: "${given}"`);
  return moment;
}

function agoOf(text: string, nowMs: number): number | undefined {
  let duration = AGO.exec(text)?.[1] ?? text;
  for (const [name, short] of UNITS) duration = duration.replace(name, short);
  const ms = msFromText(duration.replace(/\s+/g, ""));
  return ms === undefined ? undefined : nowMs - ms;
}

function dateOf(text: string, nowMs: number): number | undefined {
  const day = DATE.exec(text)?.[1];
  if (day !== undefined) return Date.parse(`${day}T00:00`);
  const [, date, time, zone = ""] = DATE_TIME.exec(text) ?? [];
  if (date !== undefined) return Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  const clock = TIME.exec(text)?.[1];
  return clock === undefined ? undefined : Date.parse(`${localDay(new Date(nowMs))}T${clock}`);
}

/** "2026-03-01 12:00:00", in the time zone of this machine. */
export function localTime(date: Date): string {
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
  return `${localDay(date)} ${time}`;
}

function localDay(date: Date): string {
  const year = String(date.getFullYear()).padStart(4, "0");
  return `${year}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
