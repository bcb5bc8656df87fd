// What callers pass, and the requests that it becomes; and what cannot be meant, which is a
// TypeError before anything is sent.

import test from "ava";
import {
  absent,
  compare,
  del,
  get,
  json,
  type Operation,
  put,
  range,
  type SelectorLike,
  txn,
} from "../../../client/index.js";
import {
  batchOperation,
  getRequest,
  putRequest,
  rangeRequest,
  selectorForm,
  txnRequest,
  watchRequest,
} from "../../../client/requests.js";
import { CompareRelation, RangeOrder } from "../../../gen/grpc/kvd/v1/kv.js";
import { EventType } from "../../../gen/grpc/kvd/v1/watch.js";

const LONE = "a\ud800b";
const bytes = (...values: number[]) => Uint8Array.from(values);

const selects = test.macro({
  exec(t, selector: SelectorLike, form: unknown) {
    t.deepEqual(selectorForm(selector) as unknown, form);
  },
  title: (title) => `the selector of ${title}`,
});

test("a text key", selects, "a", { $case: "key", value: "a" });
test("a key of bytes", selects, bytes(255), { $case: "rawKey", value: bytes(255) });
test("a key by name", selects, { key: "a" }, { $case: "key", value: "a" });
test("an empty key, which the server refuses", selects, "", { $case: "key", value: "" });
test("a prefix", selects, { prefix: "a/" }, { $case: "prefix", value: "a/" });
test(
  "a prefix of bytes",
  selects,
  { prefix: bytes(255) },
  { $case: "rawPrefix", value: bytes(255) },
);
test(
  "an interval",
  selects,
  { start: "a", end: bytes(255) },
  {
    $case: "interval",
    value: {
      start: { keyForm: { $case: "key", value: "a" } },
      end: { keyForm: { $case: "rawKey", value: bytes(255) } },
    },
  },
);
test(
  "an interval without a start",
  selects,
  { end: "b" },
  {
    $case: "interval",
    value: { start: undefined, end: { keyForm: { $case: "key", value: "b" } } },
  },
);
test("all", selects, { all: true }, { $case: "all", value: true });

const selectsNothing = test.macro({
  exec(t, selector: unknown) {
    t.throws(() => selectorForm(selector as SelectorLike), { instanceOf: TypeError });
  },
  title: (title) => `${title} is no selector`,
});

test("an object that came out empty", selectsNothing, {});
test("an interval without bounds", selectsNothing, { start: undefined, end: undefined });
test("all: false", selectsNothing, { all: false });
test("a key and a prefix at once", selectsNothing, { key: "a", prefix: "a" });
test("an interval and all at once", selectsNothing, { start: "a", all: true });
test("nothing", selectsNothing, undefined);
test("null", selectsNothing, null);
test("a number", selectsNothing, 7);
test("a prefix that is a number", selectsNothing, { prefix: 7 });

test("text with a lone surrogate is refused wherever text goes, never repaired", (t) => {
  const refused = (build: () => unknown) => {
    const error = t.throws(build, { instanceOf: TypeError });
    t.regex(error?.message ?? "", /lone surrogate/);
  };
  refused(() => getRequest(LONE, {}));
  refused(() => putRequest("a", LONE, {}));
  refused(() => selectorForm({ prefix: LONE }));
  refused(() => selectorForm({ start: LONE }));
  refused(() => selectorForm({ end: LONE }));
  refused(() => rangeRequest({ all: true }, { delimiter: LONE }));
  refused(() => watchRequest("a", { storeId: LONE }));
  refused(() => txnRequest({ compare: [compare.value("a", "=", LONE)] }));
});

test("a pair of surrogates is text like any other", (t) => {
  t.deepEqual(putRequest("😀", "😀", {}).value, bytes(0xf0, 0x9f, 0x98, 0x80));
});

test("numbers that are not whole, or too large to be exact, are refused", (t) => {
  for (const revision of [1.5, Number.NaN, 2 ** 53, "7" as unknown as number]) {
    t.throws(() => getRequest("a", { revision }), { instanceOf: TypeError });
    t.throws(() => rangeRequest("a", { limit: revision }), { instanceOf: TypeError });
    t.throws(() => putRequest("a", "", { expectedModRevision: revision }), {
      instanceOf: TypeError,
    });
  }
});

test("negative numbers go to the server, which refuses them with a reason", (t) => {
  t.is(getRequest("a", { revision: -1 }).revision, -1n);
});

test("an expected mod revision of 0 is not the same as none", (t) => {
  t.is(putRequest("a", "", { expectedModRevision: 0 }).expectedModRevision, 0n);
  t.is(putRequest("a", "", {}).expectedModRevision, undefined);
});

test("a lease id must be a bigint of 64 bits", (t) => {
  t.is(putRequest("a", "", { leaseId: -1n }).leaseId, -1n);
  t.throws(() => putRequest("a", "", { leaseId: 1n << 63n }), { instanceOf: TypeError });
  t.throws(() => putRequest("a", "", { leaseId: 7 as unknown as bigint }), {
    instanceOf: TypeError,
  });
});

test("keys and values that are neither text nor bytes are refused", (t) => {
  for (const wrong of [undefined, null, 7, {}, [1]] as unknown[]) {
    t.throws(() => getRequest(wrong as string, {}), { instanceOf: TypeError });
    t.throws(() => putRequest("a", wrong as string, {}), { instanceOf: TypeError });
  }
});

test("json() is the JSON text, and refuses what has none", (t) => {
  t.is(json({ capital: "Nairobi" }), '{"capital":"Nairobi"}');
  t.is(json(LONE), '"a\\ud800b"');
  for (const wrong of [undefined, () => 1, 5n]) {
    t.throws(() => json(wrong), { instanceOf: TypeError });
  }
});

test("a txn is translated with all that is nested", (t) => {
  const request = txnRequest({
    compare: [absent("a"), compare.modRevision({ prefix: "b/" }, "<", 7)],
    success: [put("a", "1"), txn({ failure: [del({ all: true }), get("c")] })],
    failure: [range({ prefix: "b/" }, { limit: 2, order: "descending", keysOnly: true })],
  });
  t.deepEqual(
    request.compares.map(({ relation, target }) => ({ relation, target })),
    [
      { relation: CompareRelation.EQUAL, target: { $case: "exists", value: false } },
      { relation: CompareRelation.LESS, target: { $case: "modRevision", value: 7n } },
    ],
  );
  t.deepEqual(
    request.success.map(({ operation }) => operation?.$case),
    ["put", "txn"],
  );
  const nested = request.success[1]?.operation;
  t.true(nested?.$case === "txn" && nested.value.failure.length === 2);
  const listing = request.failure[0]?.operation;
  t.true(listing?.$case === "range" && listing.value.order === RangeOrder.DESCENDING);
});

test("relations, orders, event types and operations that do not exist are refused", (t) => {
  const refused = (build: () => unknown) => t.throws(build, { instanceOf: TypeError });
  refused(() => txnRequest({ compare: [compare.version("a", "<=" as "<", 1)] }));
  refused(() => rangeRequest("a", { order: "up" as "ascending" }));
  refused(() => watchRequest("a", { exclude: ["expire" as "delete"] }));
  refused(() => txnRequest({ success: [{ kind: "incr" } as unknown as Operation] }));
  refused(() => batchOperation(range("a") as unknown as ReturnType<typeof get>));
});

test("a watch request carries what was asked for", (t) => {
  const request = watchRequest(
    { prefix: "a" },
    { startRevision: 5, storeId: "x", exclude: ["put"], progressInterval: "1s" },
  );
  t.is(request.startRevision, 5n);
  t.is(request.storeId, "x");
  t.deepEqual(request.exclude, [EventType.PUT]);
  t.deepEqual(request.progressInterval, { seconds: 1n, nanos: 0 });
});
