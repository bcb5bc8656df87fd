// Varints of the numbers at which they become longer, as the generated codec writes them.

import { BinaryWriter } from "@bufbuild/protobuf/wire";
import test from "ava";
import { int64Bytes, varintBytes, writeInt64, writeVarint } from "../../../server/lib/varint.js";

const around = (value: bigint) => [value - 1n, value, value + 1n];
const EDGES = Array.from({ length: 63 }, (_, bits) => 2n ** BigInt(bits)).flatMap(around);
const NUMBERS = EDGES.filter((value) => value <= BigInt(Number.MAX_SAFE_INTEGER));
const INT64S = [...EDGES, 2n ** 63n - 1n, -(2n ** 63n), -1n, -128n];

test("a number is written as an int64, and takes as many bytes as it says", (t) => {
  for (const value of NUMBERS) {
    const out = Buffer.alloc(12);
    const end = writeVarint(out, 1, Number(value));
    const expected = Buffer.from(new BinaryWriter().int64(value).finish());
    t.deepEqual(out.subarray(1, end), expected, `${value}`);
    t.is(varintBytes(Number(value)), expected.length);
  }
});

test("any int64 is written, and takes as many bytes as it says", (t) => {
  for (const value of INT64S) {
    const out = Buffer.alloc(12);
    const end = writeInt64(out, 1, value);
    const expected = Buffer.from(new BinaryWriter().int64(value).finish());
    t.deepEqual(out.subarray(1, end), expected, `${value}`);
    t.is(int64Bytes(value), expected.length);
  }
});
