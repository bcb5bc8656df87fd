// How the items of a record lie; see docs/format.md, The log. A record is a head and items: what
// leases began, were renewed and ended, what changed, what was compacted.

import type { DeleteReason } from "../kv/types.js";
import { ALIGNMENT } from "./log-format.js";

export const PUT = 1;
/** By their place: 2, 3, 4. */
export const DELETES: readonly DeleteReason[] = ["deleted", "expired", "revoked"];
export const FIRST_DELETE = 2;
export const LAST_DELETE = 4;
export const LEASE_GRANTED = 5;
export const LEASE_RENEWED = 6;
export const LEASE_ENDED = 7;
export const COMPACTED = 8;

/** Of a put: it names a lease. Of a granted lease: it was granted with a put. */
export const FLAG = 1;

export const PUT_HEAD_BYTES = 32;
export const DELETE_HEAD_BYTES = 16;
export const GRANTED_BYTES = 24;
export const LEASE_ID_BYTES = 16;
export const COMPACTED_BYTES = 16;

/** What stands before the key of a change. */
export function headBytes(kind: number, leased: boolean): number {
  return (kind === PUT ? PUT_HEAD_BYTES : DELETE_HEAD_BYTES) + (leased ? ALIGNMENT : 0);
}

export function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}
