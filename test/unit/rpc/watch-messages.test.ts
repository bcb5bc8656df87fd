// Watch requests as specs and back: every check, every step.

import test from "ava";
import { DeleteReason, EventType, WatchRequest } from "../../../gen/grpc/kvd/v1/watch.js";
import { KvdError, type Reason } from "../../../server/kv/errors.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import type { Entry, Event, WatchMessage } from "../../../server/kv/types.js";
import {
  endedResponse,
  stepResponse,
  watchResponse,
  watchSpecFromMessage,
  weightOfMessage,
} from "../../../server/rpc/watch-messages.js";

const LIMITS = defaultLimits();
const ALL = { $case: "all", value: true } as const;

function specOf(request: Partial<WatchRequest>) {
  return watchSpecFromMessage(WatchRequest.create(request), LIMITS, 1000);
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

const ENTRY: Entry = {
  key: bytes("kenya:capital"),
  value: bytes("Nairobi"),
  createRevision: 2,
  modRevision: 7,
  version: 3,
  leaseId: 9n,
};

test("a plain request is a watch from now on, without anything extra", (t) => {
  t.deepEqual(specOf({ selector: ALL }), {
    selector: { kind: "all" },
    startRevision: 0,
    storeId: undefined,
    includeCurrent: false,
    previous: false,
    excludePuts: false,
    excludeDeletes: false,
    progressIntervalMs: 0,
    maxBytes: 936,
    wholeRevisionMaxBytes: 0,
  });
});

test("every field of a request is in its spec", (t) => {
  const spec = specOf({
    selector: { $case: "prefix", value: "kenya:" },
    startRevision: 5n,
    storeId: "abc",
    previous: true,
    exclude: [EventType.PUT, EventType.DELETE, EventType.PUT],
    progressInterval: { seconds: 0n, nanos: 100_000_000 },
  });
  t.like(spec, {
    selector: { kind: "prefix", prefix: bytes("kenya:") },
    startRevision: 5,
    storeId: "abc",
    previous: true,
    excludePuts: true,
    excludeDeletes: true,
    progressIntervalMs: 100,
  });
  t.true(specOf({ selector: ALL, includeCurrent: true }).includeCurrent);
});

test("a message fits the largest answer", (t) => {
  const limits = defaultLimits({ responseMaxBytes: 500 });
  t.true(watchSpecFromMessage(WatchRequest.create({ selector: ALL }), limits, 1000).maxBytes < 500);
});

const refused = test.macro<[Partial<WatchRequest>, Reason]>({
  exec: (t, request, reason) => {
    const error = t.throws(() => specOf(request), { instanceOf: KvdError });
    t.is(error?.reason, reason);
  },
  title: (what, _request, reason) => `${what} is ${reason}`,
});

test("no selector", refused, {}, "SELECTOR_MISSING");
test("all: false", refused, { selector: { $case: "all", value: false } }, "SELECTOR_MISSING");
test("an empty key", refused, { selector: { $case: "key", value: "" } }, "KEY_EMPTY");
test("an empty prefix", refused, { selector: { $case: "prefix", value: "" } }, "PREFIX_EMPTY");
test(
  "a key that is too long",
  refused,
  { selector: { $case: "key", value: "x".repeat(8193) } },
  "KEY_TOO_LONG",
);
test(
  "a start with the present entries",
  refused,
  { selector: ALL, startRevision: 1n, includeCurrent: true },
  "FIELD_CONFLICT",
);
test("a negative start", refused, { selector: ALL, startRevision: -1n }, "NUMBER_OUT_OF_RANGE");
test(
  "a start above 2^53 - 1",
  refused,
  { selector: ALL, startRevision: 2n ** 53n },
  "NUMBER_OUT_OF_RANGE",
);
test(
  "an unspecified type of event",
  refused,
  { selector: ALL, exclude: [EventType.UNSPECIFIED] },
  "FIELD_UNKNOWN_VALUE",
);
test(
  "an unknown type of event",
  refused,
  { selector: ALL, exclude: [99 as EventType] },
  "FIELD_UNKNOWN_VALUE",
);

const interval = (seconds: bigint, nanos: number) => ({
  selector: ALL,
  progressInterval: { seconds, nanos },
});

test("progress below 100 ms", refused, interval(0n, 99_000_000), "NUMBER_OUT_OF_RANGE");
test("a negative interval", refused, interval(-1n, 0), "NUMBER_OUT_OF_RANGE");
test("an interval of 10,000 years", refused, interval(315_576_000_000n, 0), "NUMBER_OUT_OF_RANGE");
test("an interval of mixed signs", refused, interval(1n, -1), "NUMBER_OUT_OF_RANGE");

test("an interval of 0 is no progress", (t) => {
  t.is(specOf(interval(0n, 0)).progressIntervalMs, 0);
});

test("a put tells the entry, the one before, and when", (t) => {
  const event: Event = {
    type: "put",
    revision: 7,
    commitTimeMs: 1_500_000_000_123,
    entry: ENTRY,
    previous: { ...ENTRY, modRevision: 4 },
  };
  const { revision, kind } = watchResponse({
    kind: "events",
    revision: 7,
    events: [event],
    fragment: true,
  });
  t.is(revision, 7n);
  if (kind?.$case !== "events") return t.fail();
  t.true(kind.value.fragment);
  const [message] = kind.value.events;
  t.like(message, {
    type: EventType.PUT,
    kv: { keyForm: { $case: "key", value: "kenya:capital" }, modRevision: 7n, leaseId: 9n },
    previous: { modRevision: 4n },
    commitTime: { seconds: 1_500_000_000n, nanos: 123_000_000 },
    deleteReason: DeleteReason.UNSPECIFIED,
  });
});

const deletion = test.macro<["deleted" | "expired" | "revoked" | "unknown", DeleteReason]>({
  exec: (t, reason, expected) => {
    const event: Event = {
      type: "delete",
      revision: 8,
      commitTimeMs: 0,
      key: new Uint8Array([0xff]),
      reason,
      previous: undefined,
    };
    const message = { kind: "events", revision: 8, events: [event], fragment: false } as const;
    const { kind } = watchResponse(message);
    if (kind?.$case !== "events") return t.fail();
    t.like(kind.value.events[0], {
      type: EventType.DELETE,
      kv: { keyForm: { $case: "rawKey" }, modRevision: 8n, createRevision: 0n, version: 0n },
      previous: undefined,
      deleteReason: expected,
    });
  },
  title: (_, reason) => `a delete tells the key, its revision, and that it was ${reason}`,
});

test(deletion, "deleted", DeleteReason.DELETED);
test(deletion, "expired", DeleteReason.EXPIRED);
test(deletion, "revoked", DeleteReason.REVOKED);
test(deletion, "unknown", DeleteReason.UNSPECIFIED);

test("the other steps have a revision and what belongs to them", (t) => {
  t.deepEqual(watchResponse({ kind: "created", revision: 1, storeId: "abc" }), {
    revision: 1n,
    kind: { $case: "created", value: { storeId: "abc" } },
  });
  t.like(watchResponse({ kind: "current", revision: 2, entries: [ENTRY] }).kind, {
    $case: "current",
    value: { kvs: { 0: { version: 3n } } },
  });
  t.is(watchResponse({ kind: "synced", revision: 3 }).kind?.$case, "synced");
  t.is(watchResponse({ kind: "progress", revision: 4 }).kind?.$case, "progress");
});

test("a step of one of many watches carries its id", (t) => {
  const message: WatchMessage = { kind: "progress", revision: 4 };
  t.like(stepResponse(-3n, message), { id: -3n, step: { $case: "response" } });
});

test("the end of one of many watches tells why, and where to go on", (t) => {
  const details = { compactRevision: 5, resumeRevision: 3 };
  const { step } = endedResponse(1n, new KvdError("REVISION_COMPACTED", "gone", details));
  t.like(step?.value, {
    reason: 40,
    message: "gone",
    metadata: { compact_revision: "5", resume_revision: "3" },
  });
  t.deepEqual(endedResponse(1n, undefined).step?.value, { reason: 0, message: "", metadata: {} });
});

test("the weight of a message counts every key and value in it", (t) => {
  const put: Event = {
    type: "put",
    revision: 7,
    commitTimeMs: 0,
    entry: { ...ENTRY, value: new Uint8Array(1000) },
    previous: { ...ENTRY, value: new Uint8Array(2000) },
  };
  const events = { kind: "events", revision: 7, events: [put, put], fragment: false } as const;
  t.true(weightOfMessage(events) > 6000);
  t.true(weightOfMessage({ kind: "current", revision: 1, entries: [put.entry] }) > 1000);
  t.true(weightOfMessage({ kind: "progress", revision: 1 }) < 100);
});
