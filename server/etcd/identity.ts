// Who answers: the header in front of every answer of etcd's protocol.
//
// etcd's clients look for ids that are not 0 and stay the same. kvd's follow from the id of the
// store, so they are the same after a restart, and others for another store.

import { createHash } from "node:crypto";
import type { ResponseHeader } from "../../gen/grpc/etcd/rpc.js";
import type { Revision } from "../kv/types.js";

/** The version of etcd that clients are told: they look for what it can do. */
export const ETCD_VERSION = "3.6.11";

/** There is one server, so there is one term. etcd's first election ends in it. */
export const RAFT_TERM = 2n;

export class Identity {
  readonly clusterId: bigint;
  readonly memberId: bigint;

  constructor(storeId: string) {
    this.clusterId = idOf("cluster", storeId);
    this.memberId = idOf("member", storeId);
  }

  header(revision: Revision): ResponseHeader {
    return {
      clusterId: this.clusterId,
      memberId: this.memberId,
      revision: BigInt(revision),
      raftTerm: RAFT_TERM,
    };
  }
}

/** A uint64 that is not 0. */
function idOf(kind: string, storeId: string): bigint {
  const digest = createHash("sha256").update(`${kind} of ${storeId}`).digest();
  return digest.readBigUInt64BE(0) || 1n;
}
