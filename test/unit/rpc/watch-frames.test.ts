// Frames of events around shared bytes say what the generated codecs say, in both protocols.

import test from "ava";
import fc from "fast-check";
import { WatchResponse as EtcdResponse } from "../../../gen/grpc/etcd/rpc.js";
import { MultiWatchResponse, WatchResponse } from "../../../gen/grpc/kvd/v1/watch.js";
import { Identity } from "../../../server/etcd/identity.js";
import {
  WatchFrames as EtcdFrames,
  watchFrameOf as etcdFrameOf,
} from "../../../server/etcd/watch-frames.js";
import {
  watchResponse as etcdResponse,
  eventMessage,
} from "../../../server/etcd/watch-messages.js";
import { frameOfMessage } from "../../../server/grpc/frame.js";
import type { Entry, Event, WatchMessage } from "../../../server/kv/types.js";
import { multiWatchFrameOf, WatchFrames, watchFrameOf } from "../../../server/rpc/watch-frames.js";
import { stepResponse, watchResponse } from "../../../server/rpc/watch-messages.js";

type Events = Extract<WatchMessage, { kind: "events" }>;

const count = fc.nat(1e9);
const leaseId = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const entry: fc.Arbitrary<Entry> = fc.record({
  key: fc.uint8Array({ minLength: 1, maxLength: 20 }),
  value: fc.uint8Array({ maxLength: 200 }),
  createRevision: count,
  modRevision: fc.maxSafeNat(),
  version: count,
  leaseId,
});
const previous = fc.option(entry, { nil: undefined });
const seen = { revision: count, commitTimeMs: count, previous };
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ type: fc.constant("put" as const), entry, ...seen }),
  fc.record({
    type: fc.constant("delete" as const),
    key: fc.uint8Array({ minLength: 1, maxLength: 20 }),
    reason: fc.constantFrom("deleted" as const, "expired" as const, "unknown" as const),
    ...seen,
  }),
);

/** Of one list of events any two places, as watches that differ would take them. */
const messages: fc.Arbitrary<readonly Events[]> = fc
  .tuple(
    fc.array(event, { minLength: 1, maxLength: 6 }),
    fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.boolean()), { minLength: 1, maxLength: 8 }),
  )
  .map(([events, cuts]) =>
    cuts.map(([from, to, fragment]) => {
      const taken = events.slice(Math.min(from, events.length - 1), Math.max(from, to) + 1);
      return { kind: "events", revision: taken.at(-1)?.revision ?? 1, events: taken, fragment };
    }),
  );
const id = fc.oneof(leaseId, fc.constant(0n));

test("a frame of kvd.v1 has the bytes that the generated code makes", (t) => {
  const property = fc.property(messages, id, (all, watchId) => {
    const frames = new WatchFrames();
    for (const message of all) {
      const response = watchFrameOf(frames.response(message));
      t.deepEqual(response, frameOfMessage(WatchResponse, watchResponse(message)));
      t.deepEqual(response, frameOfMessage(WatchResponse, frames.response(message)));
      const step = multiWatchFrameOf(frames.step(watchId, message));
      t.deepEqual(step, frameOfMessage(MultiWatchResponse, stepResponse(watchId, message)));
      t.deepEqual(step, frameOfMessage(MultiWatchResponse, frames.step(watchId, message)));
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test("a frame of etcd's protocol has the bytes that the generated code makes", (t) => {
  const identity = new Identity("a store");
  const property = fc.property(messages, id, (all, watchId) => {
    const frames = new EtcdFrames(identity);
    for (const message of all) {
      const { events, fragment, revision } = message;
      const fields = { events: events.map(eventMessage), fragment };
      const wanted = etcdResponse(identity.header(revision), watchId, fields);
      const response = frames.response(watchId, message);
      t.deepEqual(etcdFrameOf(response), frameOfMessage(EtcdResponse, wanted));
      t.deepEqual(etcdFrameOf(response), frameOfMessage(EtcdResponse, response));
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test("watches that give the same events one after the other share one frame", (t) => {
  const put = { revision: 2, commitTimeMs: 5, previous: undefined };
  const key = new Uint8Array([97]);
  const gone: Event = { type: "delete", key, reason: "deleted", ...put };
  const frames = new WatchFrames();
  const message = () =>
    frames.response({ kind: "events", revision: 2, events: [gone], fragment: false });
  t.is(watchFrameOf(message()), watchFrameOf(message()));
});
