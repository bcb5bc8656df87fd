// The flags of one command line, read by name and checked: numbers, revisions, durations, lease
// ids.

import { msFromFlag } from "./duration.js";
import { UsageError } from "./failure.js";
import { camelCase } from "./option.js";

const WHOLE_NUMBER = /^\d{1,16}$/;
const INT64 = /^-?\d{1,19}$/;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

export class Flags {
  readonly #values: Readonly<Record<string, unknown>>;

  /** @param values by the camel-case names that the argument parser makes of the flags. */
  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  on(name: string): boolean {
    return this.#value(name) === true;
  }

  /** Was it given, whatever its value? */
  given(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  text(name: string): string | undefined {
    const value = this.#value(name);
    return typeof value === "string" ? value : undefined;
  }

  /** A whole number from 0 on: a revision, or a count. */
  number(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : numberFromText(`--${name}`, text);
  }

  durationMs(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : msFromFlag(`--${name}`, text);
  }

  leaseId(name: string): bigint | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : leaseIdFromText(`--${name}`, text);
  }

  #value(name: string): unknown {
    return this.#values[camelCase(name)];
  }
}

/** @throws UsageError that names `what`. */
export function numberFromText(what: string, text: string): number {
  const value = WHOLE_NUMBER.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new UsageError(`${what} takes a whole number from 0 on, not "${text}"`);
}

/** @throws UsageError that names `what`. */
export function leaseIdFromText(what: string, text: string): bigint {
  const value = INT64.test(text) ? BigInt(text) : undefined;
  if (value !== undefined && value >= INT64_MIN && value <= INT64_MAX) return value;
  throw new UsageError(`${what} takes a lease id, which is a whole number, not "${text}"`);
}

/** Of flags that exclude each other, at most one. @throws UsageError */
export function atMostOne(flags: Flags, names: readonly string[]): void {
  const given = names.filter((name) => flags.given(name));
  if (given.length < 2) return;
  throw new UsageError(`${given.map((name) => `--${name}`).join(" and ")} exclude each other`);
}
