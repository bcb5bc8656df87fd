// The position of a watch: where to go on so that nothing is missing. Each row is a watch's steps
// and the start revision that follows from them.

import test from "ava";
import type { WatchStep } from "../../../client/index.js";
import { positionAfter } from "../../../client/watch-steps.js";

const created: WatchStep = { kind: "created", revision: 10, storeId: "x" };
const events = (revision: number, fragment = false): WatchStep => ({
  kind: "events",
  revision,
  events: [],
  fragment,
});

const stands = test.macro({
  exec(
    t,
    start: { startRevision?: number; includeCurrent?: boolean },
    steps: WatchStep[],
    next: number | undefined,
  ) {
    const begin = { next: start.startRevision, incomplete: start.includeCurrent ?? false };
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
test(
  "nowhere while the present entries are incomplete",
  stands,
  { includeCurrent: true },
  [created, { kind: "current", revision: 10, entries: [] }],
  undefined,
);
test(
  "after the present entries",
  stands,
  { includeCurrent: true },
  [created, { kind: "synced", revision: 10 }],
  11,
);
test("after its progress", stands, {}, [created, { kind: "progress", revision: 40 }], 41);
test(
  "from a start in the future, whatever its progress",
  stands,
  { startRevision: 100 },
  [created, { kind: "progress", revision: 40 }],
  100,
);
