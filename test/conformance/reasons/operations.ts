// Operations that are refused, as every place can hold them. The store that they meet is that of
// fixture.ts.

import {
  DeleteRequest,
  GetRequest,
  PutRequest,
  type RangeOrder,
  RangeRequest,
} from "../../../gen/grpc/kvd/v1/kv.js";
import type { Reason } from "../../../server/kv/errors.js";
import type { Limits } from "../../../server/kv/limits.js";
import { FULL_LEASE, LEASE } from "./fixture.js";
import type { Step } from "./places.js";

export interface RefusedOperation {
  readonly reason: Reason;
  readonly what: string;
  readonly step: Step | undefined;
  readonly limits?: Partial<Limits>;
  /** Facts that the refusal tells. */
  readonly metadata?: { readonly [name: string]: string };
  /** A batch refuses it for another reason: it takes single keys only. */
  readonly notInBatch?: true;
  /** Alone it has the whole answer for itself. */
  readonly notAlone?: true;
}

type Partly<T> = T extends { create(base?: infer Base): unknown } ? NonNullable<Base> : never;

const get = (request: Partly<typeof GetRequest>): Step => ({
  $case: "get",
  value: GetRequest.create(request),
});
const put = (request: Partly<typeof PutRequest>): Step => ({
  $case: "put",
  value: PutRequest.create(request),
});
const del = (request: Partly<typeof DeleteRequest>): Step => ({
  $case: "delete",
  value: DeleteRequest.create(request),
});
const range = (request: Partly<typeof RangeRequest>): Step => ({
  $case: "range",
  value: RangeRequest.create(request),
});

const key = (value: string) => ({ $case: "key", value }) as const;
const rawKey = (value: Uint8Array) => ({ $case: "rawKey", value }) as const;
const prefix = (value: string) => ({ $case: "prefix", value }) as const;
const rawPrefix = (value: Uint8Array) => ({ $case: "rawPrefix", value }) as const;
const all = { $case: "all", value: true } as const;
const interval = (start?: string, end?: string) =>
  ({
    $case: "interval",
    value: {
      start: start === undefined ? undefined : { keyForm: key(start) },
      end: end === undefined ? undefined : { keyForm: key(end) },
    },
  }) as const;

const NOTHING = new Uint8Array(0);
const TOO_LONG = new Uint8Array(8193).fill(0x61);
const TOO_LONG_TEXT = "\u00e9".repeat(4097);
const HUGE = 2n ** 53n;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

const notInBatch = true;
const notAlone = true;

const FIELD_MISSING: readonly RefusedOperation[] = [
  { reason: "FIELD_MISSING", what: "a get without a key", step: get({}) },
  { reason: "FIELD_MISSING", what: "a put without a key", step: put({ value: Buffer.from("v") }) },
];

const CONFLICTS: readonly (readonly [what: string, step: Step, fields: string])[] = [
  [
    "ttl and lease_id",
    put({ keyForm: key("a"), ttl: { seconds: 5n }, leaseId: LEASE }),
    "ttl,lease_id",
  ],
  [
    "ttl and keep_lease",
    put({ keyForm: key("a"), ttl: { seconds: 5n }, keepLease: true }),
    "ttl,keep_lease",
  ],
  [
    "lease_id and keep_lease",
    put({ keyForm: key("a"), leaseId: LEASE, keepLease: true }),
    "lease_id,keep_lease",
  ],
  [
    "ttl, lease_id and keep_lease",
    put({ keyForm: key("a"), ttl: { seconds: 5n }, leaseId: LEASE, keepLease: true }),
    "ttl,lease_id,keep_lease",
  ],
  [
    "a prefix and an expected revision",
    del({ selector: prefix("a"), expectedModRevision: 0n }),
    "prefix,expected_mod_revision",
  ],
  [
    "all and an expected revision",
    del({ selector: all, expectedModRevision: 3n }),
    "all,expected_mod_revision",
  ],
  [
    "an interval and an expected revision",
    del({ selector: interval("a", "b"), expectedModRevision: 3n }),
    "interval,expected_mod_revision",
  ],
];

const FIELD_CONFLICT: readonly RefusedOperation[] = [
  ...CONFLICTS.map(([what, step, fields]) => ({
    reason: "FIELD_CONFLICT" as const,
    what,
    step,
    metadata: { fields },
  })),
  {
    reason: "FIELD_CONFLICT",
    what: "one key and a delimiter",
    step: range({ selector: key("a"), delimiter: "/" }),
    metadata: { fields: "key,delimiter" },
  },
];

const FIELD_UNKNOWN_VALUE: readonly RefusedOperation[] = [3, -1, 2147483647].map((order) => ({
  reason: "FIELD_UNKNOWN_VALUE",
  what: `order ${order}`,
  step: range({ selector: all, order: order as RangeOrder }),
}));

const EMPTY_KEYS: readonly (readonly [what: string, step: Step])[] = [
  ["a get of an empty key", get({ keyForm: key("") })],
  ["a get of an empty raw key", get({ keyForm: rawKey(NOTHING) })],
  ["a put of an empty key", put({ keyForm: key("") })],
  ["a put of an empty raw key", put({ keyForm: rawKey(NOTHING) })],
  ["a delete of an empty key", del({ selector: key("") })],
  ["a range of an empty key", range({ selector: key("") })],
  ["a range from an empty key on", range({ selector: interval("", "b") })],
  ["a range up to an empty key", range({ selector: interval("a", "") })],
];

const LONG_KEYS: readonly (readonly [what: string, step: Step])[] = [
  ["a get of a key that is too long", get({ keyForm: rawKey(TOO_LONG) })],
  ["a get of a text that is too long in bytes", get({ keyForm: key(TOO_LONG_TEXT) })],
  ["a put of a key that is too long", put({ keyForm: rawKey(TOO_LONG) })],
  ["a delete of a key that is too long", del({ selector: rawKey(TOO_LONG) })],
  ["a range of a key that is too long", range({ selector: rawKey(TOO_LONG) })],
  ["a range of a prefix that is too long", range({ selector: rawPrefix(TOO_LONG) })],
  ["a range from a bound that is too long", range({ selector: interval(TOO_LONG_TEXT) })],
];

const VALUE_TOO_LARGE: readonly RefusedOperation[] = [
  {
    reason: "VALUE_TOO_LARGE",
    what: "one byte more than 1.5 MiB",
    step: put({ keyForm: key("a"), value: new Uint8Array(1.5 * 1024 * 1024 + 1) }),
  },
  {
    reason: "VALUE_TOO_LARGE",
    what: "one byte more than a limit of its own",
    limits: { valueMaxBytes: 10 },
    step: put({ keyForm: key("a"), value: new Uint8Array(11) }),
  },
];

const SELECTORS: readonly (readonly [Reason, string, Step])[] = [
  ["SELECTOR_MISSING", "a delete of nothing named", del({})],
  ["SELECTOR_MISSING", "a delete of all: false", del({ selector: { $case: "all", value: false } })],
  ["SELECTOR_MISSING", "a range of nothing named", range({})],
  [
    "SELECTOR_MISSING",
    "a range of all: false",
    range({ selector: { $case: "all", value: false } }),
  ],
  ["PREFIX_EMPTY", "a range of an empty prefix", range({ selector: prefix("") })],
  ["PREFIX_EMPTY", "a range of an empty raw prefix", range({ selector: rawPrefix(NOTHING) })],
  ["PREFIX_EMPTY", "a delete of an empty prefix", del({ selector: prefix("") })],
];

const TIMES: readonly (readonly [what: string, seconds: bigint, nanos: number])[] = [
  ["no time", 0n, 0],
  ["less than a second", 0n, 999_000_000],
  ["less than nothing", -5n, 0],
  ["more than ten years", 315_360_001n, 0],
  ["the longest duration", INT64_MAX, 999_999_999],
  ["the shortest duration", INT64_MIN, -999_999_999],
  ["signs that differ", 5n, -1],
  ["nanoseconds of more than a second", 5n, 1_000_000_000],
];

export const TTLS_OUT_OF_RANGE = TIMES;

const TTL_OUT_OF_RANGE: readonly RefusedOperation[] = TIMES.map(([what, seconds, nanos]) => ({
  reason: "TTL_OUT_OF_RANGE",
  what: `a ttl of ${what}`,
  step: put({ keyForm: key("a"), ttl: { seconds, nanos } }),
}));

const NUMBERS = [-1n, HUGE, INT64_MAX, INT64_MIN].flatMap((number): [string, Step][] => [
  [`a get at revision ${number}`, get({ keyForm: key("a"), revision: number })],
  [
    `a put that expects revision ${number}`,
    put({ keyForm: key("a"), expectedModRevision: number }),
  ],
  [
    `a delete that expects revision ${number}`,
    del({ selector: key("a"), expectedModRevision: number }),
  ],
  [`a delete with limit ${number}`, del({ selector: key("a"), limit: number })],
  [`a range at revision ${number}`, range({ selector: all, revision: number })],
  [`a range with limit ${number}`, range({ selector: all, limit: number })],
]);

const PRECONDITIONS: readonly (readonly [what: string, Step, modRevision: string])[] = [
  [
    "a put of a key that is there already",
    put({ keyForm: key("a"), expectedModRevision: 0n }),
    "3",
  ],
  ["a put over a newer revision", put({ keyForm: key("a"), expectedModRevision: 2n }), "3"],
  ["a put over a key that is not there", put({ keyForm: key("x"), expectedModRevision: 2n }), "0"],
  ["a delete of another revision", del({ selector: key("a"), expectedModRevision: 2n }), "3"],
  ["a delete that expects an entry", del({ selector: key("x"), expectedModRevision: 2n }), "0"],
  ["a delete that expects none", del({ selector: key("a"), expectedModRevision: 0n }), "3"],
];

const OF_THE_STORE: readonly RefusedOperation[] = [
  { reason: "OPERATION_EMPTY", what: "an operation without a member", step: undefined },
  ...PRECONDITIONS.map(([what, step, modRevision]) => ({
    reason: "PRECONDITION_FAILED" as const,
    what,
    step,
    metadata: { mod_revision: modRevision },
  })),
  ...[404n, -404n, INT64_MIN].map((leaseId) => ({
    reason: "LEASE_NOT_FOUND" as const,
    what: `lease ${leaseId}, which is not there`,
    step: put({ keyForm: key("a"), leaseId }),
  })),
  {
    reason: "LEASE_FULL",
    what: "one key more than a lease may have",
    limits: { leaseMaxKeys: 1 },
    step: put({ keyForm: key("a"), leaseId: FULL_LEASE }),
  },
  {
    reason: "REVISION_COMPACTED",
    what: "a get below the compact revision",
    step: get({ keyForm: key("a"), revision: 2n }),
    metadata: { compact_revision: "3" },
  },
  {
    reason: "REVISION_COMPACTED",
    what: "a range below the compact revision",
    step: range({ selector: all, revision: 1n }),
    metadata: { compact_revision: "3" },
  },
  {
    reason: "REVISION_FUTURE",
    what: "a get above the newest revision",
    step: get({ keyForm: key("a"), revision: 7n }),
    metadata: { revision: "6" },
  },
  {
    reason: "REVISION_FUTURE",
    what: "a range far above the newest revision",
    step: range({ selector: all, revision: HUGE - 1n }),
    metadata: { revision: "6" },
  },
  {
    reason: "TOO_MANY_KEYS",
    what: "a delete of more keys than one may remove",
    limits: { deleteMaxKeys: 2 },
    step: del({ selector: all }),
    notInBatch,
  },
  {
    reason: "RESULT_TOO_LARGE",
    what: "a delete whose entries do not fit the answer",
    limits: { responseMaxBytes: 2048 },
    step: del({ selector: key("large"), returnPrevious: true }),
  },
  {
    reason: "RESULT_TOO_LARGE",
    what: "a get of an entry that does not fit the answer",
    limits: { responseMaxBytes: 2048 },
    step: get({ keyForm: key("large") }),
    notAlone,
  },
  {
    reason: "RESULT_TOO_LARGE",
    what: "a put over an entry that does not fit the answer",
    limits: { responseMaxBytes: 2048 },
    step: put({ keyForm: key("large"), returnPrevious: true }),
    notAlone,
  },
  {
    reason: "STORE_FULL",
    what: "a put that grows a full store",
    limits: { storeMaxBytes: 20_000, historyMaxBytes: 0 },
    step: put({ keyForm: key("new"), value: new Uint8Array(20_000) }),
  },
];

const pairs = (
  reason: Reason,
  list: readonly (readonly [what: string, step: Step])[],
): RefusedOperation[] => list.map(([what, step]) => ({ reason, what, step }));

export const REFUSED_OPERATIONS: readonly RefusedOperation[] = [
  ...FIELD_MISSING,
  ...FIELD_CONFLICT,
  ...FIELD_UNKNOWN_VALUE,
  ...pairs("KEY_EMPTY", EMPTY_KEYS),
  ...pairs("KEY_TOO_LONG", LONG_KEYS),
  ...VALUE_TOO_LARGE,
  ...SELECTORS.map(([reason, what, step]) => ({ reason, what, step })),
  ...TTL_OUT_OF_RANGE,
  ...pairs("NUMBER_OUT_OF_RANGE", NUMBERS),
  ...OF_THE_STORE,
];
