// Txns and batches that are refused as a whole.

import {
  BatchRequest,
  CompareRelation,
  GetRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "../../../gen/grpc/kvd/v1/kv.js";
import type { Reason } from "../../../server/kv/errors.js";
import type { Fixture } from "./fixture.js";
import { refusalOf } from "./refusal.js";
import type { RefusedCall } from "./refused-call.js";
import { refuseMultiWatch, refuseStream, refuseWatch } from "./streams.js";

const ALL = { $case: "all", value: true } as const;
const A = { $case: "key", value: "a" } as const;
const EXISTS = { $case: "exists", value: true } as const;
const GET_A = { $case: "get", value: GetRequest.create({ keyForm: A }) } as const;
const HUGE = 2n ** 53n;

type TxnFields = Parameters<typeof TxnRequest.create>[0];

const txn =
  (fields: TxnFields) =>
  ({ clients }: Fixture) =>
    refusalOf((done) => clients.kv.txn(TxnRequest.create(fields), done));

/** The same txn alone, and inside of another. */
function inTxns(
  reason: Reason,
  what: string,
  fields: TxnFields,
  options: Pick<RefusedCall, "limits" | "metadata"> = {},
): RefusedCall[] {
  const outer = { success: [{ operation: { $case: "txn" as const, value: fields ?? {} } }] };
  return [
    { reason, place: "txn", what, refuse: txn(fields), ...options },
    { reason, place: "nested txn", what, refuse: txn(outer), ...options },
  ];
}

const operations = (count: number) => Array.from({ length: count }, () => ({ operation: GET_A }));
const compares = (count: number) =>
  Array.from({ length: count }, () => ({ selector: A, target: EXISTS }));

const putOf = (key: string) =>
  ({
    operation: {
      $case: "put",
      value: PutRequest.create({ keyForm: { $case: "key", value: key } }),
    },
  }) as const;

function nest(levels: number): NonNullable<TxnFields> {
  if (levels === 1) return { success: [putOf("deep")] };
  return { success: [{ operation: { $case: "txn", value: nest(levels - 1) } }] };
}

const TXNS: readonly RefusedCall[] = [
  ...inTxns("FIELD_MISSING", "a compare without a target", { compares: [{ selector: A }] }),
  ...inTxns("SELECTOR_MISSING", "a compare of nothing", { compares: [{ target: EXISTS }] }),
  ...inTxns("PREFIX_EMPTY", "a compare of an empty prefix", {
    compares: [{ selector: { $case: "prefix", value: "" }, target: EXISTS }],
  }),
  ...inTxns("KEY_EMPTY", "a compare of an empty key", {
    compares: [{ selector: { $case: "key", value: "" }, target: EXISTS }],
  }),
  ...inTxns("KEY_TOO_LONG", "a compare of a key that is too long", {
    compares: [{ selector: { $case: "key", value: "x".repeat(8193) }, target: EXISTS }],
  }),
  ...[CompareRelation.NOT_EQUAL, CompareRelation.LESS, CompareRelation.GREATER].flatMap(
    (relation) =>
      inTxns("FIELD_CONFLICT", `exists with relation ${relation}`, {
        compares: [{ selector: A, target: EXISTS, relation }],
      }),
  ),
  ...[5, -1, 2147483647].flatMap((relation) =>
    inTxns("FIELD_UNKNOWN_VALUE", `relation ${relation}`, {
      compares: [
        {
          selector: A,
          target: { $case: "version", value: 1n },
          relation: relation as CompareRelation,
        },
      ],
    }),
  ),
  ...(["version", "createRevision", "modRevision"] as const).flatMap(($case) =>
    [-1n, HUGE, -(2n ** 63n)].flatMap((value) =>
      inTxns("NUMBER_OUT_OF_RANGE", `a compare of ${$case} with ${value}`, {
        compares: [{ selector: A, target: { $case, value } }],
      }),
    ),
  ),
  ...inTxns("FIELD_CONFLICT", "a range with a page token", {
    success: [
      {
        operation: {
          $case: "range",
          value: RangeRequest.create({ selector: ALL, pageToken: Buffer.from("token") }),
        },
      },
    ],
  }),
  ...inTxns("TOO_MANY_OPERATIONS", "1,025 operations of one branch", {
    success: operations(1025),
  }),
  ...inTxns("TOO_MANY_OPERATIONS", "1,025 operations of both branches", {
    success: operations(513),
    failure: operations(512),
  }),
  ...inTxns("TOO_MANY_OPERATIONS", "1,025 compares", { compares: compares(1025) }),
  ...inTxns(
    "TOO_MANY_OPERATIONS",
    "more than a limit of its own, over levels",
    {
      success: [
        ...operations(2),
        { operation: { $case: "txn", value: { failure: operations(2) } } },
      ],
    },
    { limits: { txnMaxOperations: 4 } },
  ),
  ...inTxns("TOO_DEEP", "9 levels and more", nest(9)),
  ...inTxns("TOO_DEEP", "more levels than a limit of its own", nest(3), {
    limits: { txnMaxLevels: 2 },
  }),
  ...inTxns("DUPLICATE_KEY", "two puts of a key", { success: [putOf("new"), putOf("new")] }),
  ...inTxns("DUPLICATE_KEY", "a put and a delete that covers it", {
    success: [putOf("new"), { operation: { $case: "delete", value: { selector: ALL } } }],
  }),
  ...inTxns("DUPLICATE_KEY", "two puts of a key over levels", {
    success: [
      putOf("new"),
      { operation: { $case: "txn", value: { success: [], failure: [putOf("new")] } } },
    ],
  }),
];

const LARGE = new Uint8Array(80_000);
const SMALL_REQUESTS = { requestMaxBytes: 64 * 1024 };
const LARGE_PUT = PutRequest.create({ keyForm: A, value: LARGE });
const BATCH_OF_ONE = [{ operation: { $case: "put" as const, value: LARGE_PUT } }];

const TOO_LARGE: readonly RefusedCall[] = [
  {
    reason: "TOO_MANY_OPERATIONS",
    place: "batch",
    what: "16,385 operations",
    refuse: ({ clients }) =>
      refusalOf((done) =>
        clients.kv.batch(BatchRequest.create({ operations: operations(16_385) }), done),
      ),
  },
  {
    reason: "TOO_MANY_OPERATIONS",
    place: "pipeline",
    what: "16,385 operations of one request, which end the stream",
    refuse: ({ clients }) =>
      refuseStream(clients.kv.pipeline(), [{ id: 1n, operations: operations(16_385) }]),
  },
  {
    reason: "REQUEST_TOO_LARGE",
    place: "unary",
    what: "a put beyond the limit of requests",
    limits: SMALL_REQUESTS,
    refuse: ({ clients }) => refusalOf((done) => clients.kv.put(LARGE_PUT, done)),
  },
  ...inTxns(
    "REQUEST_TOO_LARGE",
    "a put beyond the limit of requests",
    { success: [{ operation: { $case: "put", value: LARGE_PUT } }] },
    { limits: SMALL_REQUESTS },
  ),
  {
    reason: "REQUEST_TOO_LARGE",
    place: "batch",
    what: "a put beyond the limit of requests, before anything of the batch is applied",
    limits: SMALL_REQUESTS,
    refuse: ({ clients }) =>
      refusalOf((done) =>
        clients.kv.batch(
          BatchRequest.create({ operations: [putOf("new"), ...BATCH_OF_ONE] }),
          done,
        ),
      ),
  },
  {
    reason: "REQUEST_TOO_LARGE",
    place: "pipeline",
    what: "a put beyond the limit of requests, which ends the stream",
    limits: SMALL_REQUESTS,
    refuse: ({ clients }) =>
      refuseStream(clients.kv.pipeline(), [
        { id: 1n, operations: BatchRequest.create({ operations: BATCH_OF_ONE }).operations },
      ]),
  },
  {
    reason: "REQUEST_TOO_LARGE",
    place: "watch",
    what: "a store_id beyond the limit of requests",
    limits: SMALL_REQUESTS,
    before: [],
    refuse: ({ clients }) => refuseWatch(clients, { selector: ALL, storeId: "x".repeat(80_000) }),
  },
  {
    reason: "REQUEST_TOO_LARGE",
    place: "multi-watch",
    what: "a store_id beyond the limit of requests, which ends the stream",
    limits: SMALL_REQUESTS,
    before: [],
    refuse: ({ clients }) =>
      refuseMultiWatch(clients, { selector: ALL, storeId: "x".repeat(80_000) }),
  },
];

export const TXN_CALLS: readonly RefusedCall[] = [...TXNS, ...TOO_LARGE];
