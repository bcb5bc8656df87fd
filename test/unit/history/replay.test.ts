// The replay checker, tried on histories that are known to be good or bad.
//
// The journal is written `revision put key value`, `revision delete key` or `revision expire key`,
// several changes after commas; what a watch saw likewise, or a revision alone for its progress.

import test from "ava";
import {
  ABSENT,
  type Answer,
  type Call,
  type Change,
  type Command,
  type Compare,
  type History,
  type Journal,
  type Operation,
  type Sighting,
  type WatchStart,
} from "../../support/history/history.js";
import { replayProblems } from "../../support/history/replay.js";

interface Case {
  readonly calls?: readonly Call[];
  readonly watches?: readonly WatchStart[];
  readonly sightings?: readonly Sighting[];
  readonly journal: readonly string[];
  /** The newest revision, if it is not that of the last commit. */
  readonly newest?: number;
}

type Times = readonly [called: number, returned?: number];

const put = (key: string, value: string): Operation => ({ kind: "put", key, value });
const leased = (key: string, value: string): Operation => ({ ...putOf(key, value), leased: true });
const putOf = (key: string, value: string) => ({ kind: "put", key, value }) as const;
const read = (key: string): Operation => ({ kind: "read", keys: { key } });
const list = (prefix: string): Operation => ({ kind: "read", keys: { prefix } });
const del = (key: string): Operation => ({ kind: "delete", keys: { key } });
const clear = (prefix: string): Operation => ({ kind: "delete", keys: { prefix } });

/** An entry as `key value revision`. */
const found = (...entries: string[]): Answer => ({
  kind: "read",
  entries: entries.map((entry) => {
    const [key = "", value = "", revision] = entry.split(" ");
    return { key, value, revision: Number(revision) };
  }),
});
const done: Answer = { kind: "put" };
const deleted = (count: number): Answer => ({ kind: "delete", deleted: count });

function command(operations: readonly Operation[], rest: Partial<Command> = {}): Command {
  return { compares: [], success: operations, failure: [], ...rest };
}

interface Told {
  readonly revision?: number | undefined;
  readonly answers?: readonly Answer[];
  readonly succeeded?: boolean;
  readonly client?: string;
}

function called([tick, returned]: Times, what: Command | Operation, told?: Told): Call {
  const whole = "kind" in what ? command([what]) : what;
  const { revision, answers = [done], succeeded = true, client = `c${tick}` } = told ?? {};
  if (returned === undefined) {
    return { client, tick, command: whole, outcome: { kind: "unknown" } };
  }
  if (told === undefined) {
    return { client, tick, command: whole, outcome: { kind: "refused", tick: returned } };
  }
  const outcome = { kind: "answered", tick: returned, revision, succeeded, answers } as const;
  return { client, tick, command: whole, outcome };
}

const ifIs = (key: string, is: string): { compares: Compare[] } => ({ compares: [{ key, is }] });

function changesFromText(text: string): { revision: number; changes: Change[] } {
  const [revision = "", ...rest] = text.split(" ");
  const changes = rest
    .join(" ")
    .split(", ")
    .map((part): Change => {
      const [what, key = "", value = ABSENT] = part.split(" ");
      const change = { key, value: what === "put" ? value : ABSENT };
      return what === "expire" ? { ...change, expired: true } : change;
    });
  return { revision: Number(revision), changes };
}

const saw = (tick: number, text: string, watch = "w"): Sighting => ({
  ...{ watch, tick },
  ...(text.includes(" ") ? changesFromText(text) : { revision: Number(text), changes: [] }),
});

const X1 = called([1, 2], put("x", "a"), { revision: 2 });
const X2 = called([3, 4], put("x", "b"), { revision: 3 });
const JOURNAL = ["2 put x a", "3 put x b"];

const GOOD: Record<string, Case> = {
  "nothing at all": { journal: [] },
  "two puts, one after the other": { calls: [X1, X2], journal: JOURNAL },
  "a read at the revision of the put": {
    calls: [X1, called([3, 4], read("x"), { revision: 2, answers: [found("x a 2")] })],
    journal: ["2 put x a"],
  },
  "a read that began before the put was answered, of what was before": {
    calls: [
      called([1, 4], put("x", "a"), { revision: 2 }),
      called([2, 3], read("x"), { revision: 1, answers: [found()] }),
    ],
    journal: ["2 put x a"],
  },
  "two puts at once, in the other order than their answers": {
    calls: [
      called([1, 4], put("x", "a"), { revision: 3 }),
      called([2, 3], put("x", "b"), { revision: 2 }),
    ],
    journal: ["2 put x b", "3 put x a"],
  },
  "an unknown put that has happened": {
    calls: [called([1], put("x", "a"))],
    journal: ["2 put x a"],
  },
  "an unknown put that has not happened": { calls: [called([1], put("x", "a"))], journal: [] },
  "an unknown put that happened after a later call": {
    calls: [called([1], put("y", "u")), called([2, 3], put("x", "a"), { revision: 2 })],
    journal: ["2 put x a", "3 put y u"],
  },
  "a refused put that has not happened": {
    calls: [called([1, 2], put("x", "a"))],
    journal: [],
  },
  "a delete of what is there": {
    calls: [X1, called([3, 4], del("x"), { revision: 3, answers: [deleted(1)] })],
    journal: ["2 put x a", "3 delete x"],
  },
  "a delete of nothing has no revision of its own": {
    calls: [X1, called([3, 4], del("y"), { revision: 2, answers: [deleted(0)] })],
    journal: ["2 put x a"],
  },
  "an unknown delete that has happened": {
    calls: [X1, called([3], del("x"))],
    journal: ["2 put x a", "3 delete x"],
  },
  "a delete of a prefix": {
    calls: [
      X1,
      X2,
      called([5, 6], command([put("xy", "c"), clear("x")]), {
        revision: 4,
        answers: [done, deleted(2)],
      }),
    ],
    journal: [...JOURNAL, "4 put xy c, delete x, delete xy"],
  },
  "a txn that holds": {
    calls: [X1, called([3, 4], command([put("y", "b")], ifIs("x", "a")), { revision: 3 })],
    journal: ["2 put x a", "3 put y b"],
  },
  "a txn that does not hold, and reads": {
    calls: [
      X1,
      called([3, 4], command([put("y", "b")], { ...ifIs("x", "z"), failure: [read("x")] }), {
        ...{ revision: 2, succeeded: false, answers: [found("x a 2")] },
      }),
    ],
    journal: ["2 put x a"],
  },
  "a txn reads what it has put": {
    calls: [
      called([1, 2], command([put("x", "a"), list("x")]), {
        revision: 2,
        answers: [done, found("x a 2")],
      }),
    ],
    journal: ["2 put x a"],
  },
  "an unknown txn that did not hold, and put elsewhere": {
    calls: [
      X1,
      called([3], command([put("y", "b")], { ...ifIs("x", "z"), failure: [put("z", "c")] })),
    ],
    journal: ["2 put x a", "3 put z c"],
  },
  "a range": {
    calls: [
      X1,
      called([3, 4], put("xx", "b"), { revision: 3 }),
      called([5, 6], list("x"), { revision: 3, answers: [found("x a 2", "xx b 3")] }),
    ],
    journal: ["2 put x a", "3 put xx b"],
  },
  "a lease ends by itself": {
    calls: [called([1, 2], leased("l", "a"), { revision: 2 })],
    journal: ["2 put l a", "3 expire l"],
  },
  "a read without a revision, of what was there at once with it": {
    calls: [
      called([1, 8], put("x", "a"), { revision: 2 }),
      called([2, 7], put("x", "b"), { revision: 3 }),
      called([3, 6], read("x"), { revision: undefined, answers: [found("x a 2")] }),
    ],
    journal: JOURNAL,
  },
  "a read without a revision, of nothing": {
    calls: [
      called([1, 4], put("x", "a"), { revision: 2 }),
      called([2, 3], read("x"), { revision: undefined, answers: [found()] }),
    ],
    journal: ["2 put x a"],
  },
  "the calls of a batch": {
    calls: [
      called([1, 2], put("x", "a"), { revision: 2, client: "c" }),
      called([1, 2], put("x", "b"), { revision: 3, client: "c" }),
    ],
    journal: JOURNAL,
  },
  "a watch, with progress": {
    calls: [X1, X2],
    watches: [{ watch: "w", revision: 2 }],
    sightings: [saw(5, "2 put x a"), saw(6, "3 put x b"), saw(7, "3")],
    journal: JOURNAL,
  },
  "a watch from the middle": {
    calls: [X1, X2],
    watches: [{ watch: "w", revision: 3 }],
    sightings: [saw(5, "3 put x b")],
    journal: JOURNAL,
  },
};

const BAD: Record<string, Case> = {
  "a write that was answered is not there": { calls: [X1, X2], journal: ["2 put x a"] },
  "a write that was answered has another revision": {
    calls: [X1],
    journal: ["3 put x a"],
    newest: 3,
  },
  "two writes have one revision": {
    calls: [
      called([1, 3], put("x", "a"), { revision: 2 }),
      called([2, 4], put("y", "b"), { revision: 2 }),
    ],
    journal: ["2 put x a, put y b"],
  },
  "a write has happened twice": {
    calls: [X1],
    journal: ["2 put x a", "3 put x a"],
  },
  "a revision comes twice in the journal": {
    calls: [X1],
    journal: ["2 put x a", "2 put x b"],
  },
  "a later call has an earlier revision": {
    calls: [
      called([1, 2], put("x", "a"), { revision: 3 }),
      called([3, 4], put("x", "b"), { revision: 2 }),
    ],
    journal: ["2 put x b", "3 put x a"],
  },
  "a read is behind what was answered before it": {
    calls: [X1, X2, called([5, 6], read("x"), { revision: 2, answers: [found("x a 2")] })],
    journal: JOURNAL,
  },
  "a read is behind what another read has shown": {
    calls: [
      called([1], put("x", "a")),
      called([2, 3], read("x"), { revision: 2, answers: [found("x a 2")] }),
      called([4, 5], read("x"), { revision: 1, answers: [found()] }),
    ],
    journal: ["2 put x a"],
  },
  "a read is behind what a watch has told": {
    calls: [
      called([1], put("x", "a")),
      called([4, 5], read("x"), { revision: 1, answers: [found()] }),
    ],
    watches: [{ watch: "w", revision: 2 }],
    sightings: [saw(3, "2 put x a")],
    journal: ["2 put x a"],
  },
  "a read shows what is not there at its revision": {
    calls: [X1, X2, called([5, 6], read("x"), { revision: 3, answers: [found("x a 2")] })],
    journal: JOURNAL,
  },
  "a read tells the wrong revision of an entry": {
    calls: [X1, called([3, 4], read("x"), { revision: 2, answers: [found("x a 1")] })],
    journal: ["2 put x a"],
  },
  "a range leaves something out": {
    calls: [
      X1,
      called([3, 4], put("xx", "b"), { revision: 3 }),
      called([5, 6], list("x"), { revision: 3, answers: [found("xx b 3")] }),
    ],
    journal: ["2 put x a", "3 put xx b"],
  },
  "a refused put has happened": { calls: [called([1, 2], put("x", "a"))], journal: ["2 put x a"] },
  "an unknown put has happened twice": {
    calls: [called([1], put("x", "a")), X2],
    journal: ["2 put x a", "3 put x b", "4 put x a"],
  },
  "an unknown put has happened before its call": {
    calls: [called([1, 2], put("x", "a"), { revision: 3 }), called([3], put("x", "b"))],
    journal: ["2 put x b", "3 put x a"],
  },
  "half of a txn has happened": {
    calls: [
      called([1, 2], command([put("x", "a"), put("y", "b")]), {
        revision: 2,
        answers: [done, done],
      }),
    ],
    journal: ["2 put x a"],
  },
  "half of an unknown txn has happened": {
    calls: [called([1], command([put("x", "a"), put("y", "b")]))],
    journal: ["2 put x a"],
  },
  "a txn has taken two revisions": {
    calls: [
      called([1, 2], command([put("x", "a"), put("y", "b")]), {
        revision: 3,
        answers: [done, done],
      }),
    ],
    journal: ["2 put x a", "3 put y b"],
  },
  "a txn has taken the wrong branch": {
    calls: [X1, called([3, 4], command([put("y", "b")], ifIs("x", "z")), { revision: 3 })],
    journal: ["2 put x a", "3 put y b"],
  },
  "an unknown txn has taken the wrong branch": {
    calls: [X1, called([3], command([put("y", "b")], ifIs("x", "z")))],
    journal: ["2 put x a", "3 put y b"],
  },
  "a delete says that it deleted what was not there": {
    calls: [X1, called([3, 4], del("y"), { revision: 2, answers: [deleted(1)] })],
    journal: ["2 put x a"],
  },
  "a delete says that there was nothing": {
    calls: [X1, called([3, 4], del("x"), { revision: 2, answers: [deleted(0)] })],
    journal: ["2 put x a"],
  },
  "a delete of a prefix leaves something": {
    calls: [
      X1,
      called([3, 4], put("xx", "b"), { revision: 3 }),
      called([5, 6], clear("x"), { revision: 4, answers: [deleted(1)] }),
    ],
    journal: ["2 put x a", "3 put xx b", "4 delete x"],
  },
  "something has happened that nobody did": { calls: [X1], journal: JOURNAL },
  "a key without a lease has ended": { calls: [X1], journal: ["2 put x a", "3 expire x"] },
  "a leased key was deleted by nobody": {
    calls: [called([1, 2], leased("l", "a"), { revision: 2 })],
    journal: ["2 put l a", "3 delete l"],
  },
  "a read without a revision shows what was replaced before it": {
    calls: [X1, X2, called([5, 6], read("x"), { revision: undefined, answers: [found("x a 2")] })],
    journal: JOURNAL,
  },
  "a read without a revision shows what comes later": {
    calls: [
      X1,
      called([3, 4], read("x"), { revision: undefined, answers: [found("x b 3")] }),
      called([5, 6], read("x"), { revision: 2, answers: [found("x a 2")] }),
      called([1], put("x", "b")),
    ],
    journal: JOURNAL,
  },
  "the calls of a batch are turned round": {
    calls: [
      called([1, 2], put("x", "a"), { revision: 3, client: "c" }),
      called([1, 2], put("y", "b"), { revision: 2, client: "c" }),
    ],
    journal: ["2 put y b", "3 put x a"],
  },
  "a watch leaves a revision out": {
    calls: [X1, X2],
    watches: [{ watch: "w", revision: 2 }],
    sightings: [saw(5, "3 put x b")],
    journal: JOURNAL,
  },
  "a watch tells a revision twice": {
    calls: [X1],
    watches: [{ watch: "w", revision: 2 }],
    sightings: [saw(3, "2 put x a"), saw(4, "2 put x a")],
    journal: ["2 put x a"],
  },
  "progress is ahead of its events": {
    calls: [X1],
    watches: [{ watch: "w", revision: 2 }],
    sightings: [saw(3, "2")],
    journal: ["2 put x a"],
  },
  "a watch tells another value": {
    calls: [X1],
    watches: [{ watch: "w", revision: 2 }],
    sightings: [saw(3, "2 put x b")],
    journal: ["2 put x a"],
  },
  "a revision was told that is not there": {
    calls: [X1, called([3, 4], read("y"), { revision: 5, answers: [found()] })],
    journal: ["2 put x a"],
  },
};

function problemsOf({ calls = [], watches = [], sightings = [], journal, newest }: Case): string[] {
  const history: History = { calls, watches, sightings };
  const commits = journal.map(changesFromText);
  const whole: Journal = { commits, revision: newest ?? commits.at(-1)?.revision ?? 1 };
  return replayProblems(history, whole);
}

for (const [title, each] of Object.entries(GOOD)) {
  test(`accepted: ${title}`, (t) => t.deepEqual(problemsOf(each), []));
}
for (const [title, each] of Object.entries(BAD)) {
  test(`rejected: ${title}`, (t) => t.not(problemsOf(each).length, 0));
}

test("there are at least twenty of each", (t) => {
  t.true(Object.keys(GOOD).length >= 20 && Object.keys(BAD).length >= 20);
});
