// How far a watch has to come: the newest change that it must have told of. Taken from all changes
// of one server, as it told them when they were new.

import { type Event, Event_EventType } from "../../../gen/grpc/etcd/kv.js";
import type { WatchCreateRequest } from "../../../gen/grpc/etcd/rpc.js";

export interface WatchBeginning {
  readonly request: WatchCreateRequest;
  /** The first revision that it tells of. */
  readonly from: number;
  /** The compact revision when it began: what was deleted at it may be gone. */
  readonly compactRevision: number;
}

/** 0 if there is none. */
export function horizonOf(beginning: WatchBeginning, changes: readonly Event[]): number {
  const { from, compactRevision } = beginning;
  const last = changes.findLast((change) => {
    const revision = Number(change.kv?.modRevision);
    const isKept = revision > compactRevision || change.type === Event_EventType.PUT;
    return revision >= from && isKept && tells(beginning.request, change);
  });
  return Number(last?.kv?.modRevision ?? 0);
}

function tells({ key, rangeEnd, filters }: WatchCreateRequest, { type, kv }: Event): boolean {
  const filter = type === Event_EventType.PUT ? 0 : 1;
  if (kv === undefined || filters.includes(filter)) return false;
  const start = key.length === 0 ? Buffer.of(0) : key;
  if (rangeEnd.length === 0) return Buffer.compare(kv.key, start) === 0;
  if (Buffer.compare(kv.key, start) < 0) return false;
  const isOpen = rangeEnd.length === 1 && rangeEnd[0] === 0;
  return isOpen || Buffer.compare(kv.key, rangeEnd) < 0;
}
