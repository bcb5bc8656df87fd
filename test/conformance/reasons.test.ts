// Every reason that can arise already, in every place where it can: through the wire with generated
// stubs, with its status and its facts, and with the same store before and after.

import test, { type ExecutionContext } from "ava";
import { REASONS, type Reason } from "../../server/kv/errors.js";
import { put } from "../support/commands.js";
import { CLOSING_CALLS } from "./reasons/closing-calls.js";
import { type Fixture, serveFixture, stateOf } from "./reasons/fixture.js";
import { LEASE_CALLS, MAINTENANCE_CALLS } from "./reasons/lease-calls.js";
import { MALFORMED_CALLS } from "./reasons/malformed-calls.js";
import { REFUSED_OPERATIONS, type RefusedOperation } from "./reasons/operations.js";
import { PAGE_CALLS } from "./reasons/page-calls.js";
import {
  isBatchStep,
  OPERATION_PLACES,
  type OperationPlace,
  PATHS,
  refuseIn,
} from "./reasons/places.js";
import { expectFacts, expectRefusal, refusalOfCall } from "./reasons/refusal.js";
import type { CallPlace, RefusedCall } from "./reasons/refused-call.js";
import { openStalled } from "./reasons/streams.js";
import { TXN_CALLS } from "./reasons/txn-calls.js";
import { WATCH_CALLS } from "./reasons/watch-calls.js";

type Place = OperationPlace | CallPlace;

const OF_OPERATIONS = OPERATION_PLACES;
const OF_TXNS = ["txn", "failure of a txn", "nested txn"] as const;
const OF_WATCHES = ["watch", "multi-watch"] as const;
const EVERYWHERE = [...OF_OPERATIONS, ...OF_WATCHES] as const;

/** Where each reason can arise; what cannot arise yet says so. Complete by its type. */
const PLACES: { readonly [reason in Reason]: readonly Place[] | "not yet" } = {
  FIELD_MISSING: [...OF_OPERATIONS, "multi-watch"],
  FIELD_CONFLICT: EVERYWHERE,
  FIELD_UNKNOWN_VALUE: ["unary", ...OF_TXNS, ...OF_WATCHES],
  MALFORMED: ["unary", "txn", "nested txn", "batch", "pipeline", ...OF_WATCHES, "keep-alive"],
  KEY_EMPTY: EVERYWHERE,
  KEY_TOO_LONG: EVERYWHERE,
  VALUE_TOO_LARGE: OF_OPERATIONS,
  SELECTOR_MISSING: EVERYWHERE,
  PREFIX_EMPTY: EVERYWHERE,
  TOO_MANY_OPERATIONS: ["txn", "nested txn", "batch", "pipeline"],
  TOO_DEEP: ["txn", "nested txn"],
  DUPLICATE_KEY: ["txn", "nested txn"],
  PAGE_TOKEN_INVALID: ["unary"],
  TTL_OUT_OF_RANGE: OF_OPERATIONS,
  NUMBER_OUT_OF_RANGE: EVERYWHERE,
  OPERATION_EMPTY: [...OF_TXNS, "batch", "pipeline"],
  PRECONDITION_FAILED: OF_OPERATIONS,
  STORE_CHANGED: ["unary", ...OF_WATCHES],
  NOT_SUPPORTED: "not yet",
  LEASE_NOT_FOUND: OF_OPERATIONS,
  LEASE_EXISTS: ["unary"],
  REVISION_COMPACTED: EVERYWHERE,
  REVISION_FUTURE: OF_OPERATIONS,
  REQUEST_TOO_LARGE: ["unary", "txn", "nested txn", "batch", "pipeline", ...OF_WATCHES],
  RESULT_TOO_LARGE: OF_OPERATIONS,
  TOO_MANY_KEYS: ["unary", ...OF_TXNS],
  TOO_MANY_WATCHERS: OF_WATCHES,
  TOO_MANY_LEASES: ["unary"],
  LEASE_FULL: OF_OPERATIONS,
  WATCHER_TOO_SLOW: OF_WATCHES,
  STORE_FULL: OF_OPERATIONS,
  NO_SPACE: "not yet",
  SHUTTING_DOWN: ["unary", "txn", "nested txn", "batch", "pipeline", ...OF_WATCHES, "keep-alive"],
  LOG_FAILED: "not yet",
  CORRUPT: "not yet",
};

/** What was tested, as `reason in place`. */
const tested = new Set<string>();

function matrix(
  reason: Reason,
  place: Place,
  what: string,
  run: (t: ExecutionContext) => Promise<void>,
): void {
  tested.add(`${reason} in ${place}`);
  test(`${reason} in ${place}: ${what}`, run);
}

function placesOf(operation: RefusedOperation): readonly OperationPlace[] {
  const { step, notInBatch, notAlone } = operation;
  return OPERATION_PLACES.filter((place) => {
    if (place === "unary") return step !== undefined && notAlone !== true;
    if (place !== "batch" && place !== "pipeline") return true;
    return isBatchStep(step) && notInBatch !== true;
  });
}

for (const operation of REFUSED_OPERATIONS) {
  const { reason, what, step, limits = {}, metadata = {} } = operation;
  for (const place of placesOf(operation)) {
    matrix(reason, place, what, async (t) => {
      const fixture = await serveFixture(t, limits);
      const before = await stateOf(fixture, { closed: false });
      const refusal = await refuseIn(place, fixture.clients, step);
      expectRefusal(t, refusal, reason);
      t.is(refusal.metadata["operation"], PATHS[place]);
      const told = refusal.code === undefined ? only(metadata, "mod_revision") : metadata;
      expectFacts(t, refusal, told);
      t.is(await stateOf(fixture, { closed: false }), before);
    });
  }
}

/** A failure in an answer has a field for this fact alone. */
function only(metadata: { readonly [name: string]: string }, name: string) {
  const value = metadata[name];
  return value === undefined ? {} : { [name]: value };
}

const CALLS: readonly RefusedCall[] = [
  ...TXN_CALLS,
  ...PAGE_CALLS,
  ...WATCH_CALLS,
  ...LEASE_CALLS,
  ...MAINTENANCE_CALLS,
  ...MALFORMED_CALLS,
  ...CLOSING_CALLS,
];

for (const { reason, place, what, limits = {}, closed = false, ...expected } of CALLS) {
  matrix(reason, place, what, async (t) => {
    const fixture = await serveFixture(t, limits);
    if (closed) await fixture.engine.close();
    const before = await stateOf(fixture, { closed });
    const refusal = await expected.refuse(fixture, t);
    expectRefusal(t, refusal, reason);
    expectFacts(t, refusal, expected.metadata ?? {});
    if (expected.before !== undefined) t.deepEqual(refusal.before ?? [], expected.before);
    t.is(await stateOf(fixture, { closed }), before);
  });
}

const IDLE_MAX_MS = 300_000;

/** As much as no transport holds, for a stream that is not read. */
async function stall({ engine, clock }: Fixture): Promise<void> {
  const value = new Uint8Array(64 * 1024);
  for (let count = 0; count < 200; count += 1) await engine.put(put("a", value));
  await clock.settle(50);
}

for (const place of OF_WATCHES) {
  matrix("WATCHER_TOO_SLOW", place, "a peer that takes nothing for five minutes", async (t) => {
    const fixture = await serveFixture(t);
    const { stream, opened } = openStalled(fixture.clients.kv, place);
    await opened;
    await stall(fixture);
    const before = await stateOf(fixture, { closed: false });
    fixture.clock.advance(IDLE_MAX_MS * 1.2);
    const ended = new Promise<Parameters<typeof refusalOfCall>[0]>((resolve) => {
      stream.on("error", resolve);
    });
    stream.resume();
    expectRefusal(t, refusalOfCall(await ended), "WATCHER_TOO_SLOW");
    t.is(await stateOf(fixture, { closed: false }), before);
  });
}

test("every reason is tested in every place where it can arise, and in no other", (t) => {
  const due = REASONS.flatMap((reason) => {
    const places = PLACES[reason];
    return places === "not yet" ? [] : places.map((place) => `${reason} in ${place}`);
  });
  t.deepEqual([...tested].sort(), [...new Set(due)].sort());
});

test("the reasons that cannot arise before the log, the disk and other engines are these", (t) => {
  const later = REASONS.filter((reason) => PLACES[reason] === "not yet");
  t.deepEqual(later, ["NOT_SUPPORTED", "NO_SPACE", "LOG_FAILED", "CORRUPT"]);
});
