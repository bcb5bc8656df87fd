// Answers of etcd's protocol that are encoded by hand have the bytes of the generated encoder.

import test from "ava";
import fc from "fast-check";
import { PutResponse, RangeResponse } from "../../../gen/grpc/etcd/rpc.js";
import { plainAnswers } from "../../../server/etcd/plain-answers.js";
import { encodeMessage } from "../../../server/grpc/codec.js";

const number = fc.oneof(
  fc.bigInt({ min: 0n, max: 300n }),
  fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) }),
);
const id = fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
const header = fc.option(
  fc.record({ clusterId: id, memberId: id, revision: number, raftTerm: number }),
  { nil: undefined },
);
const kv = fc.record({
  key: fc.uint8Array({ maxLength: 200 }),
  value: fc.uint8Array({ maxLength: 20_000, size: "max" }),
  createRevision: number,
  modRevision: number,
  version: number,
  lease: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0n) },
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ),
});

const encoders = plainAnswers();

test("the answer of a range has the bytes of its message", (t) => {
  const kvs = fc.array(kv, { maxLength: 4 });
  fc.assert(
    fc.property(fc.record({ header, kvs, more: fc.boolean(), count: number }), (answer) =>
      encoders.range(answer).equals(encodeMessage(RangeResponse, answer)),
    ),
  );
  t.pass();
});

test("the answer of a put has the bytes of its message", (t) => {
  const prevKv = fc.option(kv, { nil: undefined });
  fc.assert(
    fc.property(fc.record({ header, prevKv }), (answer) =>
      encoders.put(answer).equals(encodeMessage(PutResponse, answer)),
    ),
  );
  t.pass();
});
