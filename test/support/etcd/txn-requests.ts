// Random txns: nested, with compares of every target, result and range, with members of the wrong
// kind, with nothing at all, and with too much.

import {
  Compare,
  type Compare_CompareResult,
  type Compare_CompareTarget,
  RangeRequest,
  type RequestOp,
  TxnRequest,
} from "../../../gen/grpc/etcd/rpc.js";
import type { Choices } from "./choices.js";
import { randomDelete, randomPut, randomRange } from "./kv-requests.js";

const MAX_DEPTH = 3;
const MAX_OPERATIONS = 128;

export function randomTxn(choices: Choices, depth = 1): TxnRequest {
  return {
    compare: choices.list(choices.oneIn(2) ? 1 : 3, () => randomCompare(choices)),
    success: choices.list(4, () => randomOperation(choices, depth)),
    failure: choices.list(3, () => randomOperation(choices, depth)),
  };
}

function randomOperation(choices: Choices, depth: number): RequestOp {
  return choices.weighted<RequestOp>([
    [40, () => ({ request: { $case: "requestPut", value: randomPut(choices) } })],
    [25, () => ({ request: { $case: "requestRange", value: randomRange(choices) } })],
    [15, () => ({ request: { $case: "requestDeleteRange", value: randomDelete(choices) } })],
    [depth < MAX_DEPTH ? 15 : 0, () => nested(randomTxn(choices, depth + 1))],
    [1, () => ({ request: undefined })],
  ]);
}

export function randomCompare(choices: Choices): Compare {
  const range = choices.oneIn(3) ? choices.range() : { key: choices.key() };
  const odd = choices.oneIn(100);
  const target = odd ? 5 : choices.pick<Compare_CompareTarget>([0, 1, 2, 3, 4]);
  return Compare.create({
    ...range,
    target: target as Compare_CompareTarget,
    result: choices.oneIn(100) ? -1 : choices.pick<Compare_CompareResult>([0, 1, 2, 3]),
    targetUnion: choices.oneIn(10) ? anyMember(choices) : memberOf(choices, target),
  });
}

function memberOf(choices: Choices, target: number): Compare["targetUnion"] {
  const value = choices.weighted([
    [2, () => 0n],
    [2, () => BigInt(1 + choices.random.below(4))],
    [2, () => choices.revision()],
    [1, () => choices.lease()],
  ]);
  if (target === 0) return { $case: "version", value };
  if (target === 1) return { $case: "createRevision", value };
  if (target === 2) return { $case: "modRevision", value };
  if (target === 3) return { $case: "value", value: choices.value() };
  return { $case: "lease", value: choices.oneIn(2) ? choices.lease() : value };
}

/** Often of another target than the compare's, or none. */
function anyMember(choices: Choices): Compare["targetUnion"] {
  if (choices.oneIn(3)) return undefined;
  return memberOf(choices, choices.pick<Compare_CompareTarget>([0, 1, 2, 3, 4]));
}

/** At the limit of operations, or above it, in one list or by nesting. */
export function largeTxn(choices: Choices): TxnRequest {
  const count = MAX_OPERATIONS - 2 + choices.random.below(4);
  const inner = fullTxn(choices, choices.random.below(4));
  const outer = fullTxn(choices, count);
  return choices.oneIn(2) ? outer : { ...outer, success: [...outer.success, nested(inner)] };
}

function fullTxn(choices: Choices, count: number): TxnRequest {
  const range = RangeRequest.create({ ...choices.range(), countOnly: true });
  const operations = Array.from({ length: count }, (): RequestOp => {
    return { request: { $case: "requestRange", value: range } };
  });
  const compare = Array.from({ length: count }, () => randomCompare(choices));
  return choices.weighted<TxnRequest>([
    [2, () => TxnRequest.create({ success: operations })],
    [1, () => TxnRequest.create({ failure: operations })],
    [1, () => TxnRequest.create({ compare })],
  ]);
}

function nested(value: TxnRequest): RequestOp {
  return { request: { $case: "requestTxn", value } };
}
