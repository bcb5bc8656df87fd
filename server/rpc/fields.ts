// Single fields of requests: keys, selectors, numbers, durations, each checked and turned into what
// the engine takes. Errors name the field, the limit and its flag.

import type { Duration } from "../../gen/grpc/google/protobuf/duration.js";
import type { Interval, Key } from "../../gen/grpc/kvd/v1/watch.js";
import { KvdError, showKey } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { Selector } from "../kv/selector.js";

export type KeyForm =
  | { readonly $case: "key"; readonly value: string }
  | { readonly $case: "rawKey"; readonly value: Uint8Array }
  | undefined;

export type SelectorForm =
  | { readonly $case: "key"; readonly value: string }
  | { readonly $case: "rawKey"; readonly value: Uint8Array }
  | { readonly $case: "prefix"; readonly value: string }
  | { readonly $case: "rawPrefix"; readonly value: Uint8Array }
  | { readonly $case: "interval"; readonly value: Interval }
  | { readonly $case: "all"; readonly value: boolean }
  | undefined;

type KeyLimits = Pick<Limits, "keyMaxBytes">;

/** The key of a request. @throws KvdError FIELD_MISSING, KEY_EMPTY, KEY_TOO_LONG. */
export function keyFromForm(form: KeyForm, limits: KeyLimits): Uint8Array {
  if (form === undefined) {
    throw new KvdError("FIELD_MISSING", "the request has no key: set key or raw_key");
  }
  return checkedKey(bytesOfForm(form.value), limits);
}

/** @throws KvdError SELECTOR_MISSING, PREFIX_EMPTY, KEY_EMPTY, KEY_TOO_LONG. */
export function selectorFromForm(form: SelectorForm, limits: KeyLimits): Selector {
  switch (form?.$case) {
    case "key":
    case "rawKey":
      return { kind: "key", key: checkedKey(bytesOfForm(form.value), limits) };
    case "prefix":
    case "rawPrefix":
      return { kind: "prefix", prefix: checkedPrefix(bytesOfForm(form.value), limits) };
    case "interval":
      return {
        kind: "interval",
        start: boundFromKey(form.value.start, limits),
        end: boundFromKey(form.value.end, limits),
      };
    case "all":
      if (form.value) return { kind: "all" };
  }
  const text = "nothing is selected: set key, raw_key, prefix, raw_prefix, interval or all";
  throw new KvdError("SELECTOR_MISSING", text);
}

/** A value within its limit. @throws KvdError VALUE_TOO_LARGE. */
export function checkedValue(
  value: Uint8Array,
  key: Uint8Array,
  limits: Pick<Limits, "valueMaxBytes">,
): Uint8Array {
  if (value.length <= limits.valueMaxBytes) return value;
  const text = `the value of key ${showKey(key)} has ${value.length} bytes, more than`;
  throw new KvdError("VALUE_TOO_LARGE", `${text} ${limits.valueMaxBytes} (--value-max-bytes)`);
}

/** 2^53 - 1: what a number holds exactly. */
const COUNT_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** A revision, a count or a limit. @throws KvdError NUMBER_OUT_OF_RANGE. */
export function numberFromInt64(value: bigint, field: string): number {
  if (value >= 0n && value <= COUNT_MAX) return Number(value);
  const text = `${field} is ${value}, not between 0 and ${COUNT_MAX}`;
  throw new KvdError("NUMBER_OUT_OF_RANGE", text);
}

const TTL_MIN_MS = 1000;
/** Ten years of 365 days. */
const TTL_MAX_MS = 10 * 365 * 24 * 3600 * 1000;
const SECONDS_MAX = BigInt(TTL_MAX_MS);

/** A time to live in milliseconds, rounded up. @throws KvdError TTL_OUT_OF_RANGE. */
export function ttlMsFromDuration(ttl: Duration): number {
  const ms = msFromDuration(ttl);
  if (ms !== undefined && ms >= TTL_MIN_MS && ms <= TTL_MAX_MS) return ms;
  const given = ms === undefined ? `${ttl.seconds} s and ${ttl.nanos} ns` : `${ms} ms`;
  throw new KvdError("TTL_OUT_OF_RANGE", `the ttl is ${given}, not between 1 s and 10 years`);
}

/** Whole milliseconds, rounded up; undefined when it is no valid duration or very long. */
export function msFromDuration(duration: Duration): number | undefined {
  const { seconds, nanos } = duration;
  if (seconds < -SECONDS_MAX || seconds > SECONDS_MAX) return undefined;
  if (Math.abs(nanos) > 999_999_999) return undefined;
  if ((seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0)) return undefined;
  return Number(seconds) * 1000 + Math.ceil(nanos / 1_000_000);
}

/** @throws KvdError FIELD_CONFLICT when more than one of the fields is set. */
export function refuseConflict(fields: { readonly [name: string]: boolean }): void {
  const set = Object.keys(fields).filter((name) => fields[name]);
  if (set.length < 2) return;
  const text = `these fields exclude each other: ${set.join(", ")}`;
  throw new KvdError("FIELD_CONFLICT", text, { fields: set });
}

/** An enum value that the server knows. @throws KvdError FIELD_UNKNOWN_VALUE. */
export function refuseUnknown(value: number, known: readonly number[], field: string): void {
  if (known.includes(value)) return;
  throw new KvdError("FIELD_UNKNOWN_VALUE", `${field} has a value that is not known`);
}

const utf8 = new TextEncoder();

function bytesOfForm(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? utf8.encode(value) : value;
}

function boundFromKey(bound: Key | undefined, limits: KeyLimits): Uint8Array | undefined {
  const form = bound?.keyForm;
  return form === undefined ? undefined : checkedKey(bytesOfForm(form.value), limits);
}

function checkedKey(key: Uint8Array, limits: KeyLimits): Uint8Array {
  if (key.length === 0) throw new KvdError("KEY_EMPTY", "the key is empty");
  return checkedLength(key, "key", limits);
}

function checkedPrefix(prefix: Uint8Array, limits: KeyLimits): Uint8Array {
  if (prefix.length === 0) {
    throw new KvdError("PREFIX_EMPTY", "the prefix is empty: set all to select every key");
  }
  return checkedLength(prefix, "prefix", limits);
}

function checkedLength(bytes: Uint8Array, what: string, limits: KeyLimits): Uint8Array {
  if (bytes.length <= limits.keyMaxBytes) return bytes;
  const text = `${what} ${showKey(bytes)} has ${bytes.length} bytes, more than`;
  throw new KvdError("KEY_TOO_LONG", `${text} ${limits.keyMaxBytes} (--key-max-bytes)`);
}
