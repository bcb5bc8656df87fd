// The builders of operations and compares, for txn() and batch().
//
// They only note what is wanted: nothing is checked or sent before the txn or the batch is. What
// they make is plain data and may be kept, shared and sent again.

import type { Compare, Operation, Relation, TxnSpec } from "./txn-types.js";
import type {
  CallOptions,
  DeleteOptions,
  GetOptions,
  KeyLike,
  PutOptions,
  RangeOptions,
  SelectorLike,
  ValueLike,
} from "./types.js";

type OperationOf<K extends Operation["kind"]> = Extract<Operation, { kind: K }>;

/** Reads one key; its result has `entry`, undefined when the key is absent. */
export function get(
  key: KeyLike,
  options: Omit<GetOptions, keyof CallOptions> = {},
): OperationOf<"get"> {
  return { kind: "get", key, options };
}

/** Lists keys, in a txn only. Without a limit it must fit one answer, else RESULT_TOO_LARGE. */
export function range(
  selector: SelectorLike,
  options: Omit<RangeOptions, keyof CallOptions | "pageToken"> = {},
): OperationOf<"range"> {
  return { kind: "range", selector, options };
}

/** Writes one key. */
export function put(
  key: KeyLike,
  value: ValueLike,
  options: Omit<PutOptions, keyof CallOptions> = {},
): OperationOf<"put"> {
  return { kind: "put", key, value, options };
}

/** Deletes keys; in a batch one key only. */
export function del(
  selector: SelectorLike,
  options: Omit<DeleteOptions, keyof CallOptions> = {},
): OperationOf<"delete"> {
  return { kind: "delete", selector, options };
}

/** A txn inside a txn. Its compares, too, see the state before the outermost one. */
export function txn(spec: TxnSpec): OperationOf<"txn"> {
  return { kind: "txn", txn: spec };
}

/**
 * What must hold for a txn's `success` branch: `compare.modRevision("config", "=", 41)`.
 *
 * With a selector of many keys it must hold for each of them. An absent key, and a selector that
 * matches nothing, count as 0 for version, revisions and lease, and fail every compare of a value.
 */
export const compare = {
  /** The value, byte by byte; "<" and ">" are in byte order. */
  value(selector: SelectorLike, relation: Relation, value: ValueLike): Compare {
    return { selector, relation, target: { kind: "value", value } };
  },
  /** The number of changes since the key was created. */
  version(selector: SelectorLike, relation: Relation, value: number): Compare {
    return { selector, relation, target: { kind: "version", value } };
  },
  /** The revision that last changed the key. */
  modRevision(selector: SelectorLike, relation: Relation, value: number): Compare {
    return { selector, relation, target: { kind: "modRevision", value } };
  },
  /** The revision that created the key. */
  createRevision(selector: SelectorLike, relation: Relation, value: number): Compare {
    return { selector, relation, target: { kind: "createRevision", value } };
  },
  /** The lease that the key is attached to, 0n for none. */
  leaseId(selector: SelectorLike, relation: Relation, value: bigint): Compare {
    return { selector, relation, target: { kind: "leaseId", value } };
  },
} as const;

/** Holds when no key of the selector exists. */
export function absent(selector: SelectorLike): Compare {
  return { selector, relation: "=", target: { kind: "exists", value: false } };
}

/** Holds when the key exists. */
export function exists(selector: SelectorLike): Compare {
  return { selector, relation: "=", target: { kind: "exists", value: true } };
}
