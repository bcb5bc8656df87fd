// Commands for property tests: few keys, so that they meet; keys and delimiters at the edges of
// bytes.

import fc from "fast-check";
import type { Selector } from "../../server/kv/selector.js";
import type {
  Compare,
  DeleteCommand,
  GetCommand,
  LeaseChoice,
  Operation,
  PutCommand,
  RangeQuery,
  TxnCommand,
} from "../../server/kv/types.js";

const KEYS = [
  "00",
  "61",
  "6100",
  "612f",
  "612f62",
  "612f62ff",
  "612f63",
  "612fff",
  "62",
  "ff",
  "ffff",
];

export const key: fc.Arbitrary<Uint8Array> = fc
  .constantFrom(...KEYS)
  .map((text) => Buffer.from(text, "hex"));

const value: fc.Arbitrary<Uint8Array> = fc
  .constantFrom("", "x", "y", "yy")
  .map((text) => Buffer.from(text));

export const selector: fc.Arbitrary<Selector> = fc.oneof(
  key.map((bytes): Selector => ({ kind: "key", key: bytes })),
  fc
    .constantFrom("61", "612f", "ff", "ffff")
    .map((text): Selector => ({ kind: "prefix", prefix: Buffer.from(text, "hex") })),
  fc
    .tuple(fc.option(key, { nil: undefined }), fc.option(key, { nil: undefined }))
    .map(([start, end]): Selector => ({ kind: "interval", start, end })),
  fc.constant<Selector>({ kind: "all" }),
);

/** A revision relative to the newest when the command runs: 0 now, 1 the one before, … */
const revision = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  fc.integer({ min: 1, max: 60 }),
);

export const leaseId = fc.constantFrom(7n, -8n, 9n);

/** Times to live that differ, so that the order of expiry is defined. */
const lease: fc.Arbitrary<LeaseChoice> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<LeaseChoice>({ kind: "none" }) },
  leaseId.map((id): LeaseChoice => ({ kind: "lease", id, maxKeys: 3 })),
  fc.constant<LeaseChoice>({ kind: "keep" }),
  fc.integer({ min: 1000, max: 90_000 }).map((ttlMs): LeaseChoice => ({ kind: "ttl", ttlMs })),
);

const expected = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  fc.integer({ min: 0, max: 40 }),
);

export const get: fc.Arbitrary<GetCommand> = fc.record({ key, revision });

export const put: fc.Arbitrary<PutCommand> = fc.record({
  key,
  value,
  lease,
  expectedModRevision: expected,
  returnPrevious: fc.boolean(),
});

export const remove: fc.Arbitrary<DeleteCommand> = fc.record({
  selector,
  limit: fc.constantFrom(0, 0, 1, 2),
  maxKeys: fc.constantFrom(100, 100, 100, 2),
  expectedModRevision: expected,
  returnPrevious: fc.boolean(),
  maxBytes: fc.constant(1_000_000),
});

export const range: fc.Arbitrary<RangeQuery> = fc.record({
  selector,
  revision,
  order: fc.constantFrom("ascending" as const, "descending" as const),
  limit: fc.constantFrom(0, 0, 1, 2, 3),
  keysOnly: fc.boolean(),
  count: fc.constantFrom("no" as const, "only" as const, "also" as const),
  delimiter: fc.constantFrom("", "2f", "62", "ff", "00").map((text) => Buffer.from(text, "hex")),
  resume: fc.constant(undefined),
  maxBytes: fc.constantFrom(1_000_000, 200),
});

const relation = fc.constantFrom(
  "equal" as const,
  "not-equal" as const,
  "less" as const,
  "greater" as const,
);

/** Whether something exists is only asked with "equal". */
export const compare: fc.Arbitrary<Compare> = fc.oneof(
  fc.record({
    selector,
    relation: fc.constant("equal" as const),
    target: fc.record({ kind: fc.constant("exists" as const), value: fc.boolean() }),
  }),
  fc.record({
    selector,
    relation,
    target: fc.oneof(
      fc.record({
        kind: fc.constantFrom(
          "version" as const,
          "createRevision" as const,
          "modRevision" as const,
        ),
        value: fc.integer({ min: 0, max: 10 }),
      }),
      fc.record({ kind: fc.constant("value" as const), value }),
      fc.record({ kind: fc.constant("leaseId" as const), value: fc.constantFrom(0n, 7n, -8n) }),
    ),
  }),
);

/** Inside a txn a range has no pages. */
const operation = (depth: number): fc.Arbitrary<Operation> =>
  fc.oneof(
    { weight: 3, arbitrary: put.map((command): Operation => ({ kind: "put", put: command })) },
    remove.map((command): Operation => ({ kind: "delete", delete: command })),
    get.map((command): Operation => ({ kind: "get", get: command })),
    range.map(
      (query): Operation => ({
        kind: "range",
        range: { ...query, limit: 0, count: "no", maxBytes: 1_000_000 },
      }),
    ),
    ...(depth > 0
      ? [txn(depth - 1).map((nested): Operation => ({ kind: "txn", txn: nested }))]
      : []),
  );

export function txn(depth: number): fc.Arbitrary<TxnCommand> {
  return fc.record({
    compares: fc.array(compare, { maxLength: 2 }),
    success: fc.array(operation(depth), { maxLength: 3 }),
    failure: fc.array(operation(depth), { maxLength: 2 }),
  });
}
