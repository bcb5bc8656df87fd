// The validators of watches are tested too: each bad history is rejected by the promise it breaks,
// and good ones are accepted by all.

import test from "ava";
import type { Entry, Event, WatchMessage, WatchSpec } from "../../server/kv/types.js";
import type { ModelEvent } from "../support/model.js";
import {
  brokenPromises,
  type ValidatorName,
  type WatchHistory,
} from "../support/watch-validators.js";

const SPEC: WatchSpec = {
  selector: { kind: "prefix", prefix: Buffer.from("a") },
  startRevision: 2,
  storeId: undefined,
  includeCurrent: false,
  previous: true,
  excludePuts: false,
  excludeDeletes: false,
  progressIntervalMs: 0,
  maxBytes: 1000,
  wholeRevisionMaxBytes: 0,
};

const hex = (text: string) => Buffer.from(text).toString("hex");

function entry(key: string, createRevision: number, modRevision: number, version: number): Entry {
  const value = Buffer.from(`v${modRevision}`);
  return { key: Buffer.from(key), value, createRevision, modRevision, version, leaseId: 0n };
}

const A2 = entry("a", 2, 2, 1);
const A3 = entry("a", 2, 3, 2);
const B3 = entry("ab", 3, 3, 1);
const X4 = entry("x", 4, 4, 1);
const A6 = entry("a", 6, 6, 1);

/** Puts of a at 2, of a and ab at 3, of x at 4; a deleted at 5; a put again at 6. */
const EVENTS: ModelEvent[] = [
  { revision: 2, key: hex("a"), entry: A2, previous: undefined, reason: undefined },
  { revision: 3, key: hex("a"), entry: A3, previous: A2, reason: undefined },
  { revision: 3, key: hex("ab"), entry: B3, previous: undefined, reason: undefined },
  { revision: 4, key: hex("x"), entry: X4, previous: undefined, reason: undefined },
  { revision: 5, key: hex("a"), entry: undefined, previous: A3, reason: "expired" },
  { revision: 6, key: hex("a"), entry: A6, previous: undefined, reason: undefined },
];

const STATES = [[], [], [A2], [A3, B3], [A3, B3, X4], [B3, X4], [A6, B3, X4]].map(
  (entries) => new Map(entries.map((each) => [Buffer.from(each.key).toString("hex"), each])),
);

const HISTORY: WatchHistory = { events: EVENTS, states: STATES, compactRevision: 0 };

const put = (each: Entry, previous?: Entry): Event => ({
  type: "put",
  revision: each.modRevision,
  commitTimeMs: each.modRevision,
  entry: each,
  previous,
});
const gone = (
  revision: number,
  previous: Entry | undefined,
  reason: "expired" | "deleted",
): Event => ({
  type: "delete",
  revision,
  commitTimeMs: revision,
  key: Buffer.from("a"),
  reason,
  previous,
});

const created = (revision: number): WatchMessage => ({ kind: "created", revision, storeId: "s" });
const synced = (revision: number): WatchMessage => ({ kind: "synced", revision });
const progress = (revision: number): WatchMessage => ({ kind: "progress", revision });
const current = (revision: number, entries: Entry[]): WatchMessage => ({
  kind: "current",
  revision,
  entries,
});
function events(list: Event[], fragment = false): WatchMessage {
  return { kind: "events", revision: list.at(-1)?.revision ?? 0, events: list, fragment };
}

const P2 = put(A2);
const P3A = put(A3, A2);
const P3B = put(B3);
const D5 = gone(5, A3, "expired");
const P6 = put(A6);

type Case = readonly [title: string, messages: WatchMessage[], spec?: Partial<WatchSpec>];

const GOOD: Case[] = [
  ["nothing yet", []],
  ["only created", [created(6)]],
  ["everything in one message", [created(6), events([P2, P3A, P3B, D5, P6])]],
  [
    "a message for each revision",
    [created(1), events([P2]), events([P3A, P3B]), events([D5]), events([P6])],
  ],
  ["a revision in fragments", [created(1), events([P2, P3A], true), events([P3B, D5, P6])]],
  ["a revision alone in fragments", [created(1), events([P2]), events([P3A], true), events([P3B])]],
  ["a fragment that still goes on", [created(1), events([P2]), events([P3A], true)]],
  [
    "progress after its events",
    [created(6), events([P2, P3A, P3B]), progress(4), events([D5, P6]), progress(6)],
  ],
  ["progress twice", [created(6), events([P2, P3A, P3B, D5, P6]), progress(6), progress(6)]],
  ["a start in the middle", [created(6), events([D5, P6])], { startRevision: 4 }],
  ["a start from now", [created(4), events([D5, P6])], { startRevision: 0 }],
  ["a start in the future", [created(1), events([P6])], { startRevision: 6 }],
  ["only deletes", [created(6), events([D5]), progress(6)], { excludePuts: true }],
  ["only puts", [created(6), events([P2, P3A, P3B, P6])], { excludeDeletes: true }],
  [
    "one key",
    [created(6), events([P3B]), progress(6)],
    { selector: { kind: "key", key: Buffer.from("ab") } },
  ],
  [
    "no previous",
    [created(6), events([P2, put(A3), P3B, gone(5, undefined, "expired"), P6])],
    { previous: false },
  ],
  [
    "present entries, then events",
    [created(3), current(3, [A3, B3]), synced(3), events([D5])],
    now(),
  ],
  ["present entries in pages", [created(3), current(3, [A3]), current(3, [B3]), synced(3)], now()],
  ["present entries that are not complete", [created(3), current(3, [A3])], now()],
  ["no present entries", [created(1), synced(1), events([P2])], now()],
];

function now(): Partial<WatchSpec> {
  return { startRevision: 0, includeCurrent: true };
}

for (const [title, messages, spec] of GOOD) {
  test(`accepted: ${title}`, (t) => {
    t.deepEqual([...brokenPromises({ spec: { ...SPEC, ...spec }, messages }, HISTORY)], []);
  });
}

const ALL = [P2, P3A, P3B, D5, P6];
type BadCase = readonly [
  title: string,
  broken: ValidatorName,
  ...rest: [WatchMessage[], Partial<WatchSpec>?],
];

const BAD: BadCase[] = [
  ["events before created", "createdFirst", [events([P2]), created(6)]],
  ["created twice", "createdFirst", [created(1), created(1)]],
  ["a revision before an earlier one", "ordered", [created(6), events([P2, D5, P3A, P3B, P6])]],
  ["a message before an earlier one", "ordered", [created(6), events([P3A, P3B]), events([P2])]],
  ["an event twice", "unique", [created(6), events([P2, P2, P3A, P3B, D5, P6])]],
  [
    "an event again in the next message",
    "unique",
    [created(6), events([P2]), events([P2, P3A, P3B])],
  ],
  [
    "a revision split without a mark",
    "atomic",
    [created(6), events([P2, P3A]), events([P3B, D5, P6])],
  ],
  [
    "a mark, and then another revision",
    "atomic",
    [created(6), events([P2], true), events([P3A, P3B])],
  ],
  ["the first event missing", "reliable", [created(6), events([P3A, P3B, D5, P6])]],
  ["a key of a revision missing", "reliable", [created(6), events([P2, P3A, D5, P6])]],
  ["the delete missing", "reliable", [created(6), events([P2, P3A, P3B, P6])]],
  [
    "the last event missing before progress",
    "reliable",
    [created(6), events([P2, P3A, P3B, D5]), progress(6)],
  ],
  ["the keys of a revision in another order", "reliable", [created(6), events([P2, P3B, P3A])]],
  [
    "the first event after the present entries missing",
    "reliable",
    [created(3), current(3, [A3, B3]), synced(3), events([P6])],
    now(),
  ],
  ["progress ahead of its events", "bookmarkable", [created(6), progress(6), events(ALL)]],
  ["progress behind what was told", "bookmarkable", [created(6), events(ALL), progress(4)]],
  ["a key that is not selected", "filtered", [created(6), events([P2, P3A, P3B, put(X4), D5, P6])]],
  [
    "a put although excluded",
    "filtered",
    [created(6), events([D5, P6])],
    { excludePuts: true, startRevision: 4 },
  ],
  [
    "an event before the start",
    "startsWhereAsked",
    [created(6), events([P3A, P3B, D5, P6])],
    { startRevision: 4 },
  ],
  [
    "an old event in a watch from now",
    "startsWhereAsked",
    [created(4), events([P3A, P3B, D5])],
    { startRevision: 0 },
  ],
  ["another value", "truthful", [created(6), events([put({ ...A2, value: Buffer.from("?") })])]],
  ["another lease", "truthful", [created(6), events([put({ ...A2, leaseId: 1n })])]],
  [
    "another reason of a delete",
    "truthful",
    [created(6), events([P2, P3A, P3B, gone(5, A3, "deleted")])],
  ],
  [
    "a delete that never was",
    "truthful",
    [created(6), events([P2, P3A, P3B, gone(6, A3, "expired")])],
  ],
  ["no previous entry", "rightPrevious", [created(6), events([P2, put(A3), P3B, D5, P6])]],
  [
    "the previous entry of another revision",
    "rightPrevious",
    [created(6), events([P2, P3A, P3B, gone(5, A2, "expired")])],
  ],
  [
    "a previous entry that was not asked for",
    "rightPrevious",
    [created(6), events([P2, P3A, P3B])],
    { previous: false },
  ],
  [
    "a creation not marked as such",
    "rightCreation",
    [created(6), events([P2, P3A, P3B, D5, put({ ...A6, version: 3, createRevision: 2 })])],
  ],
  ["a present entry missing", "rightCurrent", [created(3), current(3, [A3]), synced(3)], now()],
  [
    "present entries of another revision",
    "rightCurrent",
    [created(3), current(2, [A3, B3]), synced(3)],
    now(),
  ],
  [
    "events before synced",
    "rightCurrent",
    [created(3), events([D5]), current(3, [A3, B3]), synced(3)],
    now(),
  ],
  [
    "a time before the one before",
    "timely",
    [created(6), events([P2, { ...P3A, commitTimeMs: 1 }, P3B])],
  ],
];

for (const [title, broken, messages, spec] of BAD) {
  test(`rejected as not ${broken}: ${title}`, (t) => {
    const found = brokenPromises({ spec: { ...SPEC, ...spec }, messages }, HISTORY);
    t.true(found.has(broken), JSON.stringify([...found]));
  });
}

test("a previous entry that compaction has taken is no broken promise", (t) => {
  const messages = [created(6), events([P2, put(A3), P3B])];
  t.deepEqual(
    [...brokenPromises({ spec: SPEC, messages }, { ...HISTORY, compactRevision: 3 })],
    [],
  );
});
