// Random grants: ids that are taken or negative, and times to live of every size. Leases that stay
// live for hours, so that none expires while the servers are compared; those that would not are
// revoked at once (see `isLasting`).

import { LeaseGrantRequest } from "../../../gen/grpc/etcd/rpc.js";
import type { Choices } from "./choices.js";

const LASTING_SECONDS = 10_000n;
const MAX_SECONDS = 9_000_000_000n;
const SHORT_ID = 1000n;

export function randomGrant(choices: Choices): LeaseGrantRequest {
  const TTL = choices.weighted([
    [6, () => LASTING_SECONDS * BigInt(1 + choices.random.below(9))],
    [1, () => MAX_SECONDS],
    [1, () => MAX_SECONDS + 1n],
    [1, () => (1n << 63n) - 1n],
  ]);
  return LeaseGrantRequest.create({ ID: choices.lease(), TTL });
}

/** One that is revoked in the same breath: with a time that is raised, or an id of the server's. */
export function passingGrant(choices: Choices): LeaseGrantRequest {
  return choices.oneIn(2)
    ? LeaseGrantRequest.create({ ID: 0n, TTL: LASTING_SECONDS })
    : LeaseGrantRequest.create({
        ID: SHORT_ID,
        TTL: choices.pick([-(1n << 63n), -1n, 0n, 1n, 2n, 3n]),
      });
}
