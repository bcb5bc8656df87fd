// Random watches: ids of their own and of the server's, taken ones, beginnings in the past and in
// the future, filters, ranges of every form.

import {
  WatchCreateRequest,
  type WatchCreateRequest_FilterType,
} from "../../../gen/grpc/etcd/rpc.js";
import type { Choices } from "./choices.js";

type Filters = WatchCreateRequest_FilterType[];

export function randomWatch(choices: Choices): WatchCreateRequest {
  const range = choices.oneIn(3) ? choices.everything() : choices.range();
  return WatchCreateRequest.create({
    ...range,
    startRevision: choices.oneIn(2) ? startRevision(choices) : 0n,
    progressNotify: choices.oneIn(4),
    filters: choices.pick<Filters>([[], [], [], [0], [1], [1, 1], [0, 1]]),
    prevKv: choices.oneIn(2),
    watchId: choices.oneIn(3) ? choices.pick([1n, 2n, 5n, 100n, -5n, 1n << 62n]) : 0n,
    fragment: choices.oneIn(3),
  });
}

/** Below 0 the versions of etcd differ: some refuse, some begin at the first revision. */
function startRevision(choices: Choices): bigint {
  const revision = choices.revision();
  return revision < 0n ? 0n : revision;
}

/** Mostly one that is open. */
export function randomWatchId(choices: Choices): bigint {
  const { watchIds } = choices.known;
  return watchIds.length === 0 || choices.oneIn(6)
    ? choices.pick([0n, 3n, 77n, -1n])
    : choices.pick(watchIds);
}
