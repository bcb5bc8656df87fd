// How values are written in flags and in the environment: sizes, durations, counts, switches.
//
// Each parser takes the text and the allowed range, and throws a ValueError whose text names what
// is expected. Ranges are in the unit of the result: bytes, milliseconds or pieces.

export interface ValueRange {
  readonly min: number;
  readonly max: number;
}

export type ValueUnit = "bytes" | "ms" | "count";

/** Says what a value should look like; whoever catches it knows which flag it was for. */
export class ValueError extends Error {
  override readonly name = "ValueError";
}

const KIB = 1024;
const SECOND = 1000;

const BYTES_IN = new Map([
  ["", 1],
  ["b", 1],
  ["k", KIB],
  ["kib", KIB],
  ["m", KIB ** 2],
  ["mib", KIB ** 2],
  ["g", KIB ** 3],
  ["gib", KIB ** 3],
  ["t", KIB ** 4],
  ["tib", KIB ** 4],
]);

const MS_IN = new Map([
  ["ms", 1],
  ["s", SECOND],
  ["m", 60 * SECOND],
  ["h", 3600 * SECOND],
  ["d", 86_400 * SECOND],
]);

const FORMS = {
  bytes: "a size such as 512k, 1.5MiB or 4194304",
  ms: "a duration such as 250ms, 60s, 5m or 12h",
  count: "a whole number",
};

const NUMBER_AND_UNIT = /^(\d{1,15}(?:\.\d{1,9})?)([a-z]*)$/i;

/** A size in bytes, a duration in milliseconds, or a count. */
export function parseValue(text: string, unit: ValueUnit, range: ValueRange): number {
  const value = parseNumber(text.trim(), unit);
  const expected = `expected ${FORMS[unit]}, from ${showValue(range.min, unit)}`;
  if (value === undefined || value < range.min || value > range.max) {
    throw new ValueError(`${expected} to ${showValue(range.max, unit)}`);
  }
  return value;
}

export function parseSwitch(text: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)?$/i.test(text)) return false;
  throw new ValueError("expected true or false");
}

export function parseChoice<T extends string>(text: string, choices: readonly T[]): T {
  const choice = choices.find((each) => each === text);
  if (choice === undefined) throw new ValueError(`expected one of ${choices.join(", ")}`);
  return choice;
}

/** In the largest unit that leaves a whole number, so that it can be typed in again. */
export function showValue(value: number, unit: ValueUnit): string {
  if (unit === "count" || value === 0) return String(value);
  const units =
    unit === "bytes" ? { TiB: KIB ** 4, GiB: KIB ** 3, MiB: KIB ** 2, KiB: KIB } : TIMES;
  const fitting = Object.entries(units).find(([, size]) => value % size === 0);
  if (fitting === undefined) return unit === "ms" ? `${value}ms` : String(value);
  return `${value / fitting[1]}${fitting[0]}`;
}

const TIMES = { d: 86_400 * SECOND, h: 3600 * SECOND, m: 60 * SECOND, s: SECOND };

function parseNumber(text: string, unit: ValueUnit): number | undefined {
  const match = NUMBER_AND_UNIT.exec(text);
  if (match === null) return undefined;
  const number = Number(match[1]);
  const factor = factorOf(match[2] ?? "", number, unit);
  const value = factor === undefined ? Number.NaN : number * factor;
  return Number.isSafeInteger(value) ? value : undefined;
}

function factorOf(suffix: string, number: number, unit: ValueUnit): number | undefined {
  if (unit === "count") return suffix === "" ? 1 : undefined;
  if (unit === "bytes") return BYTES_IN.get(suffix.toLowerCase());
  if (suffix === "") return number === 0 ? 1 : undefined;
  return MS_IN.get(suffix.toLowerCase());
}
