// Watches that are refused, by Watch and by MultiWatch.

import { EventType } from "../../../gen/grpc/kvd/v1/watch.js";
import type { Reason } from "../../../server/kv/errors.js";
import type { RefusedCall } from "./refused-call.js";
import {
  createAll,
  refuseMultiWatch,
  refuseOnMultiWatch,
  refuseStream,
  refuseWatch,
  type WatchFields,
} from "./streams.js";

const ALL = { $case: "all", value: true } as const;
const HUGE = 2n ** 53n;

/** The same watch by Watch and by MultiWatch. */
function inWatches(
  reason: Reason,
  what: string,
  fields: WatchFields,
  options: Pick<RefusedCall, "limits" | "metadata" | "before"> = {},
): RefusedCall[] {
  const before = options.before ?? [];
  return [
    {
      reason,
      place: "watch",
      what,
      ...options,
      before,
      refuse: ({ clients }) => refuseWatch(clients, fields),
    },
    {
      reason,
      place: "multi-watch",
      what,
      ...options,
      before,
      refuse: ({ clients }) => refuseMultiWatch(clients, fields),
    },
  ];
}

export const WATCH_CALLS: readonly RefusedCall[] = [
  ...inWatches("SELECTOR_MISSING", "a watch of nothing", {}),
  ...inWatches("SELECTOR_MISSING", "a watch of all: false", {
    selector: { $case: "all", value: false },
  }),
  ...inWatches("PREFIX_EMPTY", "an empty prefix", { selector: { $case: "prefix", value: "" } }),
  ...inWatches("KEY_EMPTY", "an empty key", { selector: { $case: "key", value: "" } }),
  ...inWatches("KEY_TOO_LONG", "a prefix that is too long", {
    selector: { $case: "prefix", value: "x".repeat(8193) },
  }),
  ...inWatches(
    "FIELD_CONFLICT",
    "start_revision and include_current",
    { selector: ALL, startRevision: 4n, includeCurrent: true },
    { metadata: { fields: "start_revision,include_current" } },
  ),
  ...[3, -1].flatMap((type) =>
    inWatches("FIELD_UNKNOWN_VALUE", `exclude ${type}`, {
      selector: ALL,
      exclude: [EventType.PUT, type as EventType],
    }),
  ),
  ...[-1n, HUGE, 2n ** 63n - 1n].flatMap((startRevision) =>
    inWatches("NUMBER_OUT_OF_RANGE", `start_revision ${startRevision}`, {
      selector: ALL,
      startRevision,
    }),
  ),
  ...(
    [
      [0n, 99_000_000],
      [0n, 1],
      [-1n, 0],
      [2n ** 63n - 1n, 0],
      [1n, -1],
    ] as const
  ).flatMap(([seconds, nanos]) =>
    inWatches("NUMBER_OUT_OF_RANGE", `progress every ${seconds} s and ${nanos} ns`, {
      selector: ALL,
      progressInterval: { seconds, nanos },
    }),
  ),
  ...inWatches(
    "REVISION_COMPACTED",
    "a start below the compact revision",
    { selector: ALL, startRevision: 2n },
    { before: ["created"], metadata: { compact_revision: "3" } },
  ),
  ...inWatches(
    "STORE_CHANGED",
    "the name of another store",
    { selector: ALL, storeId: "another", startRevision: 4n },
    { before: ["created"] },
  ),
  ...inWatches(
    "TOO_MANY_WATCHERS",
    "one watch more than there may be",
    { selector: ALL },
    { limits: { watchersMax: 0 } },
  ),
  {
    reason: "FIELD_MISSING",
    place: "multi-watch",
    what: "a request without a command, which ends the stream",
    refuse: ({ clients }) => refuseStream(clients.kv.multiWatch(), [{ command: undefined }]),
  },
  {
    reason: "FIELD_MISSING",
    place: "multi-watch",
    what: "a create without a watch",
    refuse: ({ clients }) =>
      refuseOnMultiWatch(clients.kv.multiWatch(), {
        $case: "create",
        value: { id: 3n, watch: undefined },
      }),
  },
  {
    reason: "FIELD_CONFLICT",
    place: "multi-watch",
    what: "an id that is in use, which ends the stream",
    refuse: ({ clients }) =>
      refuseStream(clients.kv.multiWatch(), [
        { command: createAll(3n) },
        { command: createAll(3n) },
      ]),
  },
];
