// 64-bit integers: bigint on the wire, number in the client's calls, checked in both directions;
// lease ids stay bigint.

import { KvdClientError } from "./errors.js";

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** @throws KvdClientError INTERNAL when the answer's number does not fit a number exactly. */
export function numberFromInt64(value: bigint, what: string): number {
  if (value <= MAX_SAFE && value >= -MAX_SAFE) return Number(value);
  throw new KvdClientError("INTERNAL", `the server answered ${value} for ${what}, beyond 2^53 - 1`);
}

/** Negative ones go as they are; the server refuses them. @throws TypeError for fractions etc. */
export function int64FromNumber(value: number | undefined, what: string): bigint {
  if (value === undefined) return 0n;
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new TypeError(`${what} must be a whole number up to 2^53 - 1, not ${String(value)}`);
}

/** @throws TypeError for what is not a 64-bit integer. */
export function leaseIdToMessage(id: bigint | undefined): bigint {
  if (id === undefined) return 0n;
  if (typeof id === "bigint" && BigInt.asIntN(64, id) === id) return id;
  throw new TypeError(`a lease id must be a bigint of 64 bits, not ${String(id)}`);
}
