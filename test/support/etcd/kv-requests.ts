// Random puts, deletes and ranges, with every option, alone and in combinations that are refused.

import {
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  type RangeRequest_SortOrder,
  type RangeRequest_SortTarget,
} from "../../../gen/grpc/etcd/rpc.js";
import type { Choices } from "./choices.js";

export function randomPut(choices: Choices): PutRequest {
  const usual = { key: choices.key(), value: choices.value(), prevKv: choices.oneIn(3) };
  const options = choices.weighted<Partial<PutRequest>>([
    [6, () => ({})],
    [3, () => ({ lease: choices.lease() })],
    [1, () => ({ ignoreValue: true, value: Buffer.alloc(0) })],
    [1, () => ({ ignoreLease: true })],
    [1, () => ({ ignoreValue: true, ignoreLease: true, value: Buffer.alloc(0) })],
    [1, () => ({ ignoreValue: choices.oneIn(2), ignoreLease: true, lease: choices.lease() })],
    [1, () => ({ ignoreValue: true, lease: choices.lease() })],
  ]);
  return PutRequest.create({ ...usual, ...options });
}

export function randomDelete(choices: Choices): DeleteRangeRequest {
  return DeleteRangeRequest.create({ ...choices.range(), prevKv: choices.oneIn(2) });
}

export function randomRange(choices: Choices): RangeRequest {
  const usual = choices.oneIn(4) ? choices.everything() : choices.range();
  const bound = () => (choices.oneIn(4) ? choices.revision() : 0n);
  return RangeRequest.create({
    ...usual,
    limit: choices.numberOrNone(() => choices.limit()),
    revision: choices.numberOrNone(() => choices.revision()),
    sortOrder: choices.oneIn(2) ? 0 : choices.pick<RangeRequest_SortOrder>([0, 1, 2]),
    sortTarget: choices.oneIn(2) ? 0 : choices.pick<RangeRequest_SortTarget>([0, 1, 2, 3, 4]),
    serializable: choices.oneIn(4),
    keysOnly: choices.oneIn(5),
    countOnly: choices.oneIn(8),
    ...(choices.oneIn(3)
      ? {
          minModRevision: bound(),
          maxModRevision: bound(),
          minCreateRevision: bound(),
          maxCreateRevision: bound(),
        }
      : {}),
  });
}

/** With an order that no version knows. An unknown target ends the process of etcd 3.4. */
export function oddRange(choices: Choices): RangeRequest {
  const sortOrder = choices.pick([3, -1]) as RangeRequest_SortOrder;
  return { ...randomRange(choices), sortOrder };
}
