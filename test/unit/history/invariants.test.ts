// The checkers of banks, lists, losses and of keys within txns, tried on what is known to be good
// or bad.

import test from "ava";
import { bankProblems } from "../../support/history/bank.js";
import type {
  Answer,
  Call,
  Command,
  Held,
  History,
  Journal,
  Sighting,
} from "../../support/history/history.js";
import { listProblems } from "../../support/history/list-append.js";
import { lossesOf } from "../../support/history/losses.js";
import { registerVerdicts } from "../../support/history/registers.js";

const BANK = { prefix: "a", total: 100 };

type Times = readonly [called: number, returned?: number];

function call([tick, returned]: Times, command: Partial<Command>, answers: Answer[] = []): Call {
  const whole = { compares: [], success: [], failure: [], ...command };
  const outcome: Call["outcome"] =
    returned === undefined
      ? { kind: "unknown" }
      : { kind: "answered", tick: returned, revision: undefined, succeeded: true, answers };
  return { client: `c${tick}`, tick, command: whole, outcome };
}

const history = (calls: readonly Call[], sightings: readonly Sighting[] = []): History => ({
  ...{ calls, watches: [], sightings },
});

const held = (key: string, value: string, revision = 0): Held => ({ key, value, revision });

const readAll = (times: Times, prefix: string, ...entries: Held[]) =>
  call(times, { success: [{ kind: "read", keys: { prefix } }] }, [{ kind: "read", entries }]);

test("accepted: every read of the bank finds the same sum", (t) => {
  const calls = [
    readAll([1, 2], "a", held("a0", "50 x"), held("a1", "50 y")),
    readAll([3, 4], "a", held("a0", "20 z"), held("a1", "80 v")),
    readAll([5, 6], "b", held("b0", "1 z")),
  ];
  t.deepEqual(bankProblems(history(calls), BANK), []);
});

test("rejected: a read of the bank within a transfer", (t) => {
  const calls = [readAll([1, 2], "a", held("a0", "20 x"), held("a1", "50 y"))];
  t.is(bankProblems(history(calls), BANK).length, 1);
});

test("rejected: a read of the bank without one of its accounts", (t) => {
  t.is(bankProblems(history([readAll([1, 2], "a", held("a0", "50 x"))]), BANK).length, 1);
});

/** Appends to lists, each written as `key list-with-the-new-element`. */
function append(times: Times, ...lists: string[]): Call {
  const parts = lists.map((list) => list.split(" "));
  const compares = parts.map(([key = "", list = ""]) => {
    return { key, is: list.split(",").slice(0, -1).join(",") };
  });
  const success = parts.map(([key = "", value = ""]) => ({ kind: "put", key, value }) as const);
  return call(
    times,
    { compares, success },
    success.map((): Answer => ({ kind: "put" })),
  );
}

/** Reads of lists, each written as `key list`. */
function readLists(times: Times, ...lists: string[]): Call {
  const parts = lists.map((list) => list.split(" "));
  const success = parts.map(([key = ""]) => ({ kind: "read", keys: { key } }) as const);
  const answers = parts.map(([key = "", value = ""]): Answer => {
    return { kind: "read", entries: value === "" ? [] : [held(key, value)] };
  });
  return call(times, { success }, answers);
}

const lists = test.macro((t, calls: readonly Call[], isGood: boolean) => {
  const problems = listProblems(history(calls), "x");
  t.is(problems.length === 0, isGood, problems.join("\n"));
});

const GOOD: Record<string, Call[]> = {
  "lists that grow": [append([1, 2], "x 1"), append([3, 4], "x 1,2"), readLists([5, 6], "x 1,2")],
  "a read at once with an append, before it": [append([1, 4], "x 1"), readLists([2, 3], "x")],
  "an unknown append that was seen": [append([1], "x 1"), readLists([2, 3], "x 1")],
  "an append to two lists, seen whole": [
    append([1, 2], "x 1", "xx 2"),
    readLists([3, 4], "x 1", "xx 2"),
  ],
  "two appends at once to two lists, in one order": [
    append([1, 6], "x 1", "xx 2"),
    append([2, 5], "x 1,3", "xx 2,4"),
    readLists([7, 8], "x 1,3", "xx 2,4"),
  ],
};

const BAD: Record<string, Call[]> = {
  "an element is lost": [append([1, 2], "x 1"), readLists([3, 4], "x")],
  "an element comes twice": [append([1, 2], "x 1"), readLists([3, 4], "x 1,1")],
  "two readers see two orders": [
    append([1], "x 1"),
    readLists([2, 3], "x 1,2"),
    readLists([4, 5], "x 2,1"),
  ],
  "half of an append to two lists is seen": [
    append([1], "x 1", "xx 2"),
    readLists([2, 3], "x 1", "xx"),
  ],
  "a read goes back": [append([1], "x 1"), readLists([2, 3], "x 1"), readLists([4, 5], "x")],
  "two reads that are torn between two writers": [
    append([1, 20], "x 1"),
    append([2, 19], "xx 2"),
    readLists([3, 18], "x 1", "xx"),
    readLists([4, 17], "x", "xx 2"),
  ],
  "a future element is seen": [readLists([1, 2], "x 1"), append([3, 4], "x 1")],
};

for (const [title, calls] of Object.entries(GOOD)) test(`accepted: ${title}`, lists, calls, true);
for (const [title, calls] of Object.entries(BAD)) test(`rejected: ${title}`, lists, calls, false);

const PUT: Call = {
  ...{ client: "c", tick: 1 },
  command: { compares: [], success: [{ kind: "put", key: "k", value: "v" }], failure: [] },
  outcome: {
    ...{ kind: "answered", tick: 2, revision: 2, succeeded: true },
    answers: [{ kind: "put" }],
  },
};
const READ = readAll([3, 4], "k", held("k", "v", 2));
const SIGHT: Sighting = { watch: "w", tick: 3, revision: 2, changes: [{ key: "k", value: "v" }] };
const PROGRESS: Sighting = { watch: "w", tick: 3, revision: 2, changes: [] };
const WHOLE: Journal = {
  commits: [{ revision: 2, changes: [{ key: "k", value: "v" }] }],
  revision: 2,
};
const EMPTY: Journal = { commits: [], revision: 1 };
const OTHER: Journal = {
  commits: [{ revision: 2, changes: [{ key: "k", value: "other" }] }],
  revision: 2,
};

for (const [title, each, acknowledgedLost, seenLost] of [
  ["an acknowledged write", history([PUT]), 1, 1],
  ["what a read has shown", history([READ]), 0, 1],
  ["what a watch has told", history([], [SIGHT]), 0, 2],
  ["what progress has told", history([], [PROGRESS]), 0, 1],
] as const) {
  test(`rejected: ${title} is gone`, (t) => {
    const whole = lossesOf(each, WHOLE);
    t.deepEqual([whole.acknowledgedLost, whole.seenLost], [[], []]);
    const lost = lossesOf(each, EMPTY);
    t.is(lost.acknowledgedLost.length, acknowledgedLost);
    t.is(lost.seenLost.length, seenLost);
  });
}

test("rejected: a revision that was acknowledged is of another write", (t) => {
  t.is(lossesOf(history([PUT]), OTHER).acknowledgedLost.length, 1);
});

const verdicts = (...calls: Call[]) => Object.fromEntries(registerVerdicts(history(calls)));

test("accepted: a txn, key by key", (t) => {
  const move = append([1, 2], "x 1", "y 2");
  const seen = readLists([3, 4], "x 1", "y 2");
  t.deepEqual(verdicts(move, seen), { x: "linearizable", y: "linearizable" });
});

test("rejected: a key of a txn is not what was written", (t) => {
  const move = append([1, 2], "x 1", "y 2");
  t.deepEqual(verdicts(move, readLists([3, 4], "x 1", "y")), {
    ...{ x: "linearizable", y: "not linearizable" },
  });
});

test("rejected: a range does not have what was put", (t) => {
  t.deepEqual(verdicts(PUT, readAll([3, 4], "k")), { k: "not linearizable" });
});

test("rejected: a deleted prefix still has what was put", (t) => {
  const clear: Call = call([3, 4], { success: [{ kind: "delete", keys: { prefix: "k" } }] }, [
    { kind: "delete", deleted: 1 },
  ]);
  t.deepEqual(verdicts(PUT, clear, readAll([5, 6], "k", held("k", "v", 2))), {
    k: "not linearizable",
  });
  t.deepEqual(verdicts(PUT, clear, readAll([5, 6], "k")), { k: "linearizable" });
});

test("accepted: a leased key is gone by itself; rejected: any other key is", (t) => {
  const leased: Call = {
    ...PUT,
    command: {
      ...PUT.command,
      success: [{ kind: "put", key: "k", value: "v", leased: true }],
    },
  };
  t.deepEqual(verdicts(leased, readLists([3, 4], "k")), { k: "linearizable" });
  t.deepEqual(verdicts(PUT, readLists([3, 4], "k")), { k: "not linearizable" });
});
