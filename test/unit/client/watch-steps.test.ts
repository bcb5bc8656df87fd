// The position of a watch: where to go on so that nothing is missing. Each row is a watch's steps
// and the start revision that follows from them.

import test from "ava";
import type { WatchEvent } from "../../../client/index.js";
import {
  newIn,
  type Position,
  positionAfter,
  type StreamedStep,
} from "../../../client/watch-steps.js";

type EventsStep = Extract<StreamedStep, { kind: "events" }>;

const created: StreamedStep = { kind: "created", revision: 10, storeId: "x" };
const events = (revision: number, fragment = false): StreamedStep => ({
  kind: "events",
  revision,
  events: [],
  fragment,
});

const stands = test.macro({
  exec(t, start: { startRevision?: number }, steps: StreamedStep[], next: number | undefined) {
    const begin: Position = { next: start.startRevision, seen: 0 };
    t.is(steps.reduce(positionAfter, begin).next, next);
  },
  title: (title) => `a watch goes on ${title}`,
});

test("after the revision at which it was opened", stands, {}, [created], 11);
test("from its start revision, as long as nothing came", stands, { startRevision: 4 }, [], 4);
test("from its start revision after created", stands, { startRevision: 4 }, [created], 4);
test("after the last whole revision", stands, {}, [created, events(12), events(15)], 16);
test("at the revision of a fragment", stands, {}, [created, events(12), events(15, true)], 15);
test("after the last fragment", stands, {}, [created, events(15, true), events(15)], 16);
test("nowhere before it was opened", stands, {}, [], undefined);
test("after its progress", stands, {}, [created, { kind: "progress", revision: 40 }], 41);
test(
  "from a start in the future, whatever its progress",
  stands,
  { startRevision: 100 },
  [created, { kind: "progress", revision: 40 }],
  100,
);

const putOf = (revision: number, key: string): WatchEvent => ({ revision, key }) as WatchEvent;
const stepOf = (revision: number, keys: string, fragment: boolean): EventsStep => ({
  kind: "events",
  revision,
  events: [...keys].map((key) => putOf(revision, key)),
  fragment,
});
const keysOf = (step: EventsStep | undefined) => step?.events.map(({ key }) => key).join("");

test("what has come of a revision in fragments is counted", (t) => {
  const steps = [created, stepOf(15, "abc", true), stepOf(15, "de", true)];
  t.deepEqual(steps.reduce(positionAfter, { next: 12, seen: 0 }), { next: 15, seen: 5 });
  const whole = [...steps, stepOf(15, "f", false)];
  t.deepEqual(whole.reduce(positionAfter, { next: 12, seen: 0 }), { next: 16, seen: 0 });
});

test("of a revision that comes again, only what is new is left", (t) => {
  const seen = newIn(stepOf(15, "abc", true), { next: 15, seen: 5 });
  t.deepEqual(seen, { step: undefined, skipped: 3 });
  const partly = newIn(stepOf(15, "def", true), { next: 15, seen: 2 });
  t.is(partly.skipped, 2);
  t.is(keysOf(partly.step), "f");
  t.is(keysOf(newIn(stepOf(15, "gh", false), { next: 15, seen: 0 }).step), "gh");
});

test("a revision whose rest was seen already ends with an empty step", (t) => {
  const { step } = newIn(stepOf(15, "ab", false), { next: 15, seen: 2 });
  t.deepEqual(step, { kind: "events", revision: 15, events: [], fragment: false });
});

test("a message that goes beyond the revision that comes again keeps what is beyond", (t) => {
  const step = { ...stepOf(15, "ab", false), revision: 16 };
  const both = { ...step, events: [...step.events, putOf(16, "z")] };
  t.is(keysOf(newIn(both, { next: 15, seen: 2 }).step), "z");
});
