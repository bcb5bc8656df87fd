// Gets and puts that are decoded and encoded by hand, and etcd's ranges and puts: what a request
// means, and what an answer is, is what the generated codec says.

import test from "ava";
import fc from "fast-check";
import { KV } from "../../../gen/es/etcd/rpc_pb.js";
import { KvService } from "../../../gen/es/kvd/v1/kv_pb.js";
import * as etcd from "../../../gen/grpc/etcd/rpc.js";
import { GetRequest, GetResponse, PutRequest, PutResponse } from "../../../gen/grpc/kvd/v1/kv.js";
import * as etcdPlain from "../../../server/etcd/plain-requests.js";
import { decodeRequest, encodeMessage, type MethodOptions } from "../../../server/grpc/codec.js";
import { KvdError } from "../../../server/kv/errors.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { getFromMessage, putFromMessage } from "../../../server/rpc/commands.js";
import { getResponse, putResponse } from "../../../server/rpc/messages.js";
import {
  encodeGetResult,
  encodePutResult,
  plainGet,
  plainPut,
} from "../../../server/rpc/plain-calls.js";

const LIMITS = defaultLimits();
const RUNS = { numRuns: 3000 };

type Options<Request> = Omit<MethodOptions<Request, unknown>, "response" | "requestMaxBytes">;

/** What becomes of a request: what is asked of the engine, or the reason why not. */
function meaning<Request>(
  bytes: Uint8Array,
  options: Options<Request>,
  use: (message: Request) => unknown,
): unknown {
  const decoded = decodeRequest(bytes, { ...options, requestMaxBytes: LIMITS.requestMaxBytes });
  try {
    if (!decoded.ok) throw decoded.error;
    return use(decoded.message);
  } catch (error) {
    if (error instanceof KvdError) return { reason: error.reason, message: error.message };
    throw error;
  }
}

const GET = { input: KvService.method.get.input, request: GetRequest };
const PUT = { input: KvService.method.put.input, request: PutRequest };
const RANGE = { input: KV.method.range.input, request: etcd.RangeRequest };
const ETCD_PUT = { input: KV.method.put.input, request: etcd.PutRequest };

const raw = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Without the difference between the views in which bytes are told. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_name, each) => {
    if (typeof each === "bigint") return `${each}n`;
    if (each?.type === "Buffer") return raw(Buffer.from(each.data));
    return each instanceof Uint8Array ? raw(each) : each;
  });
}

const asIs = (message: unknown) => message;
const CASES = [
  (bytes: Uint8Array, isPlain: boolean) =>
    meaning(bytes, { ...GET, ...(isPlain && { plain: plainGet }) }, (message) =>
      getFromMessage(message, LIMITS),
    ),
  (bytes: Uint8Array, isPlain: boolean) =>
    meaning(bytes, { ...PUT, ...(isPlain && { plain: plainPut }) }, (message) =>
      putFromMessage(message, LIMITS),
    ),
  (bytes: Uint8Array, isPlain: boolean) =>
    meaning(bytes, { ...RANGE, ...(isPlain && { plain: etcdPlain.plainRange }) }, asIs),
  (bytes: Uint8Array, isPlain: boolean) =>
    meaning(bytes, { ...ETCD_PUT, ...(isPlain && { plain: etcdPlain.plainPut }) }, asIs),
];

/** Pieces of which requests are made: fields as they are meant, and such as nobody should send. */
const piece = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 17 }), fc.uint8Array({ maxLength: 5 }))
    .map(([number, bytes]) => [(number << 3) | 2, bytes.length, ...bytes]),
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.string({ maxLength: 200, unit: "grapheme" }))
    .map(([number, text]) => {
      const bytes = Buffer.from(text);
      const length = bytes.length;
      const head = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
      return [(number << 3) | 2, ...head, ...bytes];
    }),
  fc.integer({ min: 0, max: 8 }).map((number) => [number << 3, 1]),
  fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 4 }),
);
const request = fc
  .tuple(fc.array(piece, { maxLength: 4 }), fc.integer({ min: 0, max: 3 }))
  .map(([pieces, cut]) => {
    const bytes = Buffer.from(pieces.flat());
    return bytes.subarray(0, Math.max(0, bytes.length - (cut === 3 ? 2 : 0)));
  });

test("a plain request means what its message would, whatever the bytes", (t) => {
  fc.assert(
    fc.property(request, (bytes) =>
      CASES.every((each) => shown(each(bytes, true)) === shown(each(bytes, false))),
    ),
    RUNS,
  );
  t.pass();
});

test("gets and puts of a key and a value are plain, in one length or another", (t) => {
  const value = Buffer.alloc(300, 1);
  const key = { $case: "key", value: "größe" } as const;
  t.truthy(plainGet(GetRequest.encode(GetRequest.create({ keyForm: key })).finish()));
  t.truthy(plainPut(PutRequest.encode(PutRequest.create({ keyForm: key, value })).finish()));
  const etcdPut = etcd.PutRequest.create({ key: Buffer.from("a"), value });
  t.truthy(etcdPlain.plainPut(etcd.PutRequest.encode(etcdPut).finish()));
  const range = etcd.RangeRequest.create({ key: Buffer.from("a") });
  t.truthy(etcdPlain.plainRange(etcd.RangeRequest.encode(range).finish()));
});

const revision = fc.oneof(
  fc.integer({ min: 0, max: 1000 }),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
);
const entry = fc.record({
  key: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 300 }),
    fc.string({ minLength: 1, unit: "grapheme" }).map((text) => Buffer.from(text)),
  ),
  value: fc.uint8Array({ maxLength: 20_000, size: "max" }),
  createRevision: revision,
  modRevision: revision,
  version: revision,
  leaseId: fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
});
const maybeEntry = fc.option(entry, { nil: undefined });

test("the answer of a get has the bytes of its message", (t) => {
  const result = fc.record({ revision, currentRevision: revision, entry: maybeEntry });
  fc.assert(
    fc.property(result, (each) =>
      encodeGetResult(each).equals(encodeMessage(GetResponse, getResponse(each))),
    ),
  );
  t.pass();
});

test("the answer of a put has the bytes of its message", (t) => {
  const result = fc.record({
    revision,
    previous: maybeEntry,
    leaseId: fc.bigInt({ min: 0n, max: 3n }),
    ttlMs: fc.integer({ min: 0, max: 3000 }),
  });
  fc.assert(
    fc.property(result, (each) =>
      encodePutResult(each).equals(encodeMessage(PutResponse, putResponse(each))),
    ),
  );
  t.pass();
});
