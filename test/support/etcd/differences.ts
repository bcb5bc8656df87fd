// Where kvd answers otherwise than etcd 3.4, all of it: each with its reason, and each recognised
// as narrowly as can be. docs/etcd.md has the same list for those who use it.

import { type Event, Event_EventType } from "../../../gen/grpc/etcd/kv.js";
import type { WatchBeginning } from "./horizon.js";
import type { Operation } from "./operations.js";
import { type Outcome, type Plain, textOf } from "./outcome.js";

export interface CallCase {
  readonly operation: Operation;
  readonly etcd: Outcome;
  readonly kvd: Outcome;
  readonly compactRevision: number;
  /** On the stream. */
  readonly openWatches: number;
}

/** What a watch has told since it was looked at last. */
export interface WatchCase extends WatchBeginning {
  readonly etcd: readonly Event[];
  readonly kvd: readonly Event[];
}

/** Ends of watches that had ended before. */
export interface StrayCase {
  readonly etcd: readonly Plain[];
  readonly kvd: readonly Plain[];
}

export interface Difference {
  readonly name: string;
  readonly reason: string;
  readonly isCall?: (found: CallCase) => boolean;
  readonly isWatch?: (found: WatchCase) => boolean;
  readonly isStray?: (found: StrayCase) => boolean;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    name: "order that there is none of",
    reason: "etcd 3.4 sorts by it in some way; kvd refuses it, as etcd does from 3.6 on",
    isCall: ({ operation, kvd }) =>
      operation.kind === "range" &&
      ![0, 1, 2].includes(operation.request.sortOrder) &&
      isError(kvd, "INVALID_ARGUMENT", "etcdserver: invalid sort option"),
  },
  {
    name: "hash at the compact revision",
    reason: "etcd 3.4 refuses it; kvd gives it, as etcd does from 3.5 on",
    isCall: ({ operation, etcd, kvd, compactRevision }) =>
      operation.kind === "hash" &&
      Number(operation.request.revision) === compactRevision &&
      isError(etcd, "OUT_OF_RANGE", "etcdserver: mvcc: required revision has been compacted") &&
      kvd.reply !== undefined,
  },
  {
    name: "progress without a watch",
    reason: "etcd 3.4 answers it; kvd does not, as etcd from 3.5 on: there is nobody to tell",
    isCall: ({ operation, kvd, openWatches }) =>
      operation.kind === "progress" && openWatches === 0 && isNothing(kvd),
  },
  {
    name: "delete at the compact revision",
    reason: "etcd 3.4 loses it for a watch that begins there (#19179); kvd tells it, as 3.6 does",
    isWatch: ({ from, compactRevision, etcd, kvd }) =>
      from === compactRevision &&
      textOf(withoutDeletesAt(from, etcd)) === textOf(withoutDeletesAt(from, kvd)),
  },
  {
    name: "id of a watch that compaction has ended",
    reason: "etcd keeps it until the client cancels it, too, and answers that; in kvd it is free",
    isStray: ({ etcd, kvd }) => etcd.length === 1 && kvd.length === 0,
  },
];

function isError({ error }: Outcome, code: string, text: string): boolean {
  return error?.code === code && error.text === text;
}

function withoutDeletesAt(revision: number, events: readonly Event[]): readonly Event[] {
  return events.filter(
    ({ type, kv }) => type !== Event_EventType.DELETE || Number(kv?.modRevision) !== revision,
  );
}

function isNothing({ reply }: Outcome): boolean {
  return Array.isArray(reply) && reply.length === 0;
}
