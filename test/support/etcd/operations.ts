// Random operations of etcd's clients: the same seed and the same answers give the same ones.

import type {
  CompactionRequest,
  DeleteRangeRequest,
  HashKVRequest,
  LeaseGrantRequest,
  LeaseTimeToLiveRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
  WatchCreateRequest,
} from "../../../gen/grpc/etcd/rpc.js";
import type { Choices } from "./choices.js";
import { oddRange, randomDelete, randomPut, randomRange } from "./kv-requests.js";
import { passingGrant, randomGrant } from "./lease-requests.js";
import { isJudgedAlike } from "./txn-overlaps.js";
import { largeTxn, randomTxn } from "./txn-requests.js";
import { randomWatch, randomWatchId } from "./watch-requests.js";

export type Operation =
  | { readonly kind: "range"; readonly request: RangeRequest }
  | { readonly kind: "put"; readonly request: PutRequest }
  | { readonly kind: "delete"; readonly request: DeleteRangeRequest }
  | { readonly kind: "txn"; readonly request: TxnRequest }
  | { readonly kind: "compact"; readonly request: CompactionRequest }
  | { readonly kind: "hash"; readonly request: HashKVRequest }
  | { readonly kind: "grant"; readonly request: LeaseGrantRequest }
  /** Granted, asked for, renewed, and revoked. */
  | { readonly kind: "grantAndRevoke"; readonly request: LeaseGrantRequest }
  | { readonly kind: "timeToLive"; readonly request: LeaseTimeToLiveRequest }
  | { readonly kind: "revoke" | "keepAlive"; readonly ID: bigint }
  | { readonly kind: "leases" }
  | { readonly kind: "watch"; readonly request: WatchCreateRequest }
  | { readonly kind: "cancel"; readonly id: bigint }
  | { readonly kind: "progress" }
  /** Another stream of watches, whose ids begin anew. */
  | { readonly kind: "reopen" };

const MAX_WATCHES = 12;

export function randomOperation(choices: Choices): Operation {
  return choices.weighted<Operation>([
    [300, () => ({ kind: "put", request: randomPut(choices) })],
    [220, () => ({ kind: "range", request: randomRange(choices) })],
    [3, () => ({ kind: "range", request: oddRange(choices) })],
    [90, () => ({ kind: "delete", request: randomDelete(choices) })],
    [200, () => ({ kind: "txn", request: possibleTxn(choices) })],
    [4, () => ({ kind: "txn", request: largeTxn(choices) })],
    [8, () => compact(choices)],
    [10, () => ({ kind: "hash", request: { revision: hashRevision(choices) } })],
    ...leaseOperations(choices),
    ...watchOperations(choices),
  ]);
}

type Weighted = readonly [weight: number, make: () => Operation];

function leaseOperations(choices: Choices): Weighted[] {
  const id = () => (choices.oneIn(6) ? 4711n : choices.lease());
  return [
    [30, () => ({ kind: "grant", request: randomGrant(choices) })],
    [5, () => ({ kind: "grantAndRevoke", request: passingGrant(choices) })],
    [15, () => ({ kind: "revoke", ID: id() })],
    [10, () => ({ kind: "keepAlive", ID: id() })],
    [15, () => ({ kind: "timeToLive", request: { ID: id(), keys: choices.oneIn(2) } })],
    [5, () => ({ kind: "leases" })],
  ];
}

function watchOperations(choices: Choices): Weighted[] {
  const full = choices.known.watchIds.length >= MAX_WATCHES;
  return [
    [full ? 0 : 20, () => ({ kind: "watch", request: randomWatch(choices) })],
    [full ? 30 : 12, () => ({ kind: "cancel", id: randomWatchId(choices) })],
    [4, () => ({ kind: "progress" })],
    [1, () => ({ kind: "reopen" })],
  ];
}

/** Without those that would leave the two stores different for good. */
function possibleTxn(choices: Choices): TxnRequest {
  for (;;) {
    const txn = randomTxn(choices);
    if (isJudgedAlike(txn)) return txn;
  }
}

function compact(choices: Choices): Operation {
  const chosen = choices.revision();
  // The first compaction of etcd may be at 0: nothing comes of it, but that a second one may not.
  const revision = chosen === 0n && choices.known.compactRevision === 0 ? 1n : chosen;
  // Otherwise etcd's hash of a revision at which no key is left changes until it has purged.
  return { kind: "compact", request: { revision, physical: true } };
}

function hashRevision(choices: Choices): bigint {
  return choices.oneIn(3) ? 0n : choices.revision();
}
