// Where kvd answers otherwise than etcd 3.4, all of it: each with its reason, and each recognised
// as narrowly as can be. docs/etcd.md has the same list for those who use it.

import type { WatchBeginning } from "./horizon.js";
import type { Operation } from "./operations.js";
import type { Outcome, Plain } from "./outcome.js";

export interface CallCase {
  readonly operation: Operation;
  readonly etcd: Outcome;
  readonly kvd: Outcome;
  readonly compactRevision: number;
}

/** What a watch has told since it was looked at last. */
export interface WatchCase extends WatchBeginning {
  readonly etcd: readonly Plain[];
  readonly kvd: readonly Plain[];
}

export interface Difference {
  readonly name: string;
  readonly reason: string;
  readonly isCall?: (found: CallCase) => boolean;
  readonly isWatch?: (found: WatchCase) => boolean;
}

export const DIFFERENCES: readonly Difference[] = [
  { name: "TEMP hash", reason: "", isCall: ({ operation }) => operation.kind === "hash" },
  {
    name: "order that there is none of",
    reason: "etcd 3.4 sorts by it in some way; kvd refuses it, as etcd does from 3.6 on",
    isCall: ({ operation, kvd }) =>
      operation.kind === "range" &&
      ![0, 1, 2].includes(operation.request.sortOrder) &&
      isError(kvd, "INVALID_ARGUMENT", "etcdserver: invalid sort option"),
  },
];

function isError({ error }: Outcome, code: string, text: string): boolean {
  return error?.code === code && error.text === text;
}
