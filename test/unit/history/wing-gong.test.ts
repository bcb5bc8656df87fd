// The Wing & Gong checker, tried on histories that are known to be good or bad.
//
// An operation is written `called-returned what`; without `returned` it is unknown, with `~end`
// unknown, and over then. What: `put v`,
// `read v` and `gone` (read, nothing there), `delete`, `cas v w` (it was v, now w), `not v` (a
// compare with v that failed). An unknown `cas v w` has happened only if it was v.

import test from "ava";
import fc from "fast-check";
import {
  linearize,
  type RegisterOperation,
  type Step,
  type Verdict,
} from "../../support/history/wing-gong.js";

type Case = readonly [title: string, ...operations: string[]];

const GOOD: Case[] = [
  ["nothing at all"],
  ["a read of what never was", "1-2 gone"],
  ["a put, then a read of it", "1-2 put a", "3-4 read a"],
  ["a read during the put, before it", "1-4 put a", "2-3 gone"],
  ["a read during the put, after it", "1-4 put a", "2-3 read a"],
  ["two reads during the put, the change between them", "1-6 put a", "2-3 gone", "4-5 read a"],
  ["two puts at once, the second wins", "1-4 put a", "2-3 put b", "5-6 read b"],
  ["two puts at once, the first wins", "1-4 put a", "2-3 put b", "5-6 read a"],
  ["the second put is called after the first has returned", "1-2 put a", "3-4 put b", "5-6 read b"],
  ["an unknown put that has happened", "1- put a", "2-3 read a"],
  ["an unknown put that has not happened", "1- put a", "2-3 gone", "4-5 gone"],
  ["an unknown put that happens late", "1- put a", "2-3 gone", "4-5 put b", "6-7 read a"],
  ["an unknown put between two reads", "1-2 put a", "3- put b", "4-5 read a", "6-7 read b"],
  ["a delete takes it away", "1-2 put a", "3-4 delete", "5-6 gone"],
  ["a swap of what is there", "1-2 put a", "3-4 cas a b", "5-6 read b"],
  ["two swaps of one value, one of them fails", "1-2 put a", "3-6 cas a b", "4-5 not a"],
  ["a failed swap before the put, at once with it", "1-4 put a", "2-3 not a"],
  ["an unknown swap that has happened", "1-2 put a", "3- cas a b", "4-5 read b"],
  ["a chain of unknown swaps", "1- put a", "2- cas a b", "3- cas b c", "4-5 read c"],
  ["a failed swap shows that an unknown put has happened", "1-2 put a", "3- put b", "4-5 not a"],
  ["a chain of swaps, all at once", "1-9 cas b c", "2-8 cas a b", "3-7 put a", "10-11 read c"],
  [
    "a read whose put is called before it and returns long after",
    "1-9 put a",
    "2-3 read a",
    "4-5 read a",
    "10-11 read a",
  ],
  [
    "an unknown delete that happens after a read",
    "1-2 put a",
    "3- delete",
    "4-5 read a",
    "6-7 gone",
  ],
  ["an unknown put that has happened before it was over", "1-~3 put a", "2-4 gone", "5-6 read a"],
  [
    "many unknown puts that nobody has seen",
    ...Array.from({ length: 60 }, (_, index) => `${index + 1}- put u${index}`),
    "100-101 put a",
    "102-103 read a",
  ],
];

const BAD: Case[] = [
  ["a read of what nobody has put", "1-2 read a"],
  ["a read of nothing after the put", "1-2 put a", "3-4 gone"],
  ["a lost put", "1-2 put a", "3-4 put b", "5-6 read a"],
  ["a read before the put is called", "1-2 read a", "3-4 put a"],
  ["a read that goes back", "1-6 put a", "2-3 read a", "4-5 gone"],
  [
    "two readers disagree on the order",
    "1-9 put a",
    "2-8 put b",
    "3-4 read a",
    "5-6 read b",
    "7-8 read a",
  ],
  [
    "a value comes back after it was replaced",
    "1-2 put a",
    "3-4 put b",
    "5-6 read b",
    "7-8 read a",
  ],
  ["a value comes back after it was deleted", "1-2 put a", "3-4 delete", "5-6 read a"],
  ["a delete that has not happened", "1-2 put a", "3-4 delete", "5-6 gone", "7-8 read a"],
  ["two swaps of one value", "1-2 put a", "3-6 cas a b", "4-5 cas a c"],
  ["a swap of what is not there", "1-2 put a", "3-4 cas b c"],
  ["a swap fails although the value is there", "1-2 put a", "3-4 not a"],
  ["a swap of a value that is replaced before", "1-2 put a", "3-4 put b", "5-6 cas a c"],
  [
    "an unknown put happens twice",
    "1-2 put a",
    "3- put b",
    "4-5 read b",
    "6-7 put c",
    "8-9 read b",
  ],
  ["an unknown put is seen before its call", "1-2 read a", "3- put a"],
  ["an unknown put happens after it was over", "1-~3 put a", "4-5 gone", "6-7 read a"],
  ["an unknown put is undone", "1- put a", "2-3 read a", "4-5 gone"],
  ["an unknown swap of what was never there", "1- cas a b", "2-3 read b"],
  ["an unknown swap after the value is gone", "1-2 put a", "3-4 put b", "5- cas a c", "6-7 read c"],
  [
    "a failed swap, and nothing could have changed the value",
    "1-2 put a",
    "3- cas x b",
    "4-5 not a",
  ],
  ["the order of calls is turned round", "1-2 put a", "3-4 put b", "5-8 read b", "6-7 read a"],
  ["a chain of swaps with a gap", "1-2 put a", "3-4 cas a b", "5-6 cas c d"],
  ["a delete of what was deleted before", "1-2 put a", "3-4 delete", "5-6 delete", "7-8 read a"],
  [
    "a read is stale among many unknown puts",
    "1-2 put a",
    "3-4 put b",
    ...Array.from({ length: 12 }, (_, index) => `${index + 5}- put u${index}`),
    "100-101 read a",
  ],
];

function operationFromText(text: string): RegisterOperation {
  const [times = "", ...words] = text.split(" ");
  const [called, end = ""] = times.split("-");
  const operation = { called: Number(called), steps: [stepFromWords(words)] };
  if (end.startsWith("~"))
    return { ...operation, returned: undefined, until: Number(end.slice(1)) };
  return { ...operation, returned: end === "" ? undefined : Number(end) };
}

function stepFromWords([what, value = "", other = ""]: readonly string[]): Step {
  if (what === "put") return { becomes: value };
  if (what === "delete") return { becomes: "" };
  if (what === "cas") return { is: value, becomes: other };
  return what === "not" ? { isNot: value } : { is: value };
}

const judged = test.macro((t, operations: readonly string[], verdict: Verdict) => {
  t.is(linearize(operations.map(operationFromText)), verdict);
});

for (const [title, ...operations] of GOOD) {
  test(`accepted: ${title}`, judged, operations, "linearizable");
}
for (const [title, ...operations] of BAD) {
  test(`rejected: ${title}`, judged, operations, "not linearizable");
}

test("there are at least twenty of each", (t) => {
  t.true(GOOD.length >= 20 && BAD.length >= 20);
});

test("what takes too long is not decided, and never accepted", (t) => {
  const puts = Array.from({ length: 16 }, (_, index) => `${index + 1}-100 put v${index}`);
  const operations = [...puts, "101-102 read none"].map(operationFromText);
  t.is(linearize(operations, 1000), "undecided");
  t.is(linearize(operations.slice(0, -1), 1000), "linearizable");
});

test("unknown deletes and puts by the hundred are decided", (t) => {
  const operations: string[] = [];
  for (let round = 0; round < 200; round += 1) {
    const at = round * 10;
    operations.push(`${at + 1}- delete`, `${at + 2}- put u${round}`, `${at + 3}- cas a${round} s`);
    operations.push(`${at + 4}-${at + 5} put a${round}`, `${at + 6}-${at + 7} gone`);
  }
  const all = operations.map(operationFromText);
  t.is(linearize(all), "linearizable");
  const tooMany = [...operations, ...Array.from({ length: 3 }, () => "9998-9999 read a0")];
  t.is(linearize(tooMany.map(operationFromText)), "not linearizable");
});

/** Tries every order, with no thought. */
function anyOrder(operations: readonly RegisterOperation[], state: string): boolean {
  if (operations.every(({ returned }) => returned === undefined)) return true;
  return operations.some((operation, index) => {
    const others = operations.filter(({ until }, other) => {
      return other !== index && (until === undefined || until >= operation.called);
    });
    if (others.some(({ returned = 1000 }) => returned < operation.called)) return false;
    return operation.steps.some(({ is = state, isNot, becomes = state }) => {
      return is === state && isNot !== state && anyOrder(others, becomes);
    });
  });
}

const values = fc.constantFrom("", "a", "b", "c");
const steps: fc.Arbitrary<Step> = fc.oneof(
  values.map((becomes) => ({ becomes })),
  values.map((is) => ({ is })),
  values.map((isNot) => ({ isNot })),
  fc.record({ is: values, becomes: values }),
  fc.record({ isNot: values, becomes: values }),
);
const operation = fc
  .record({ called: fc.nat(8), lasts: fc.integer({ min: 1, max: 5 }), known: fc.nat(3), steps })
  .map(({ called, lasts, known, steps }): RegisterOperation => {
    if (known > 1) return { called, returned: called + lasts, steps: [steps] };
    const until = known === 1 ? { until: called + lasts } : {};
    return { called, returned: undefined, ...until, steps: [steps] };
  });

test("it decides as one who tries every order", (t) => {
  const verdicts = { linearizable: 0, "not linearizable": 0, undecided: 0 };
  const check = (operations: RegisterOperation[]) => {
    const verdict = linearize(operations);
    verdicts[verdict] += 1;
    return anyOrder(operations, "") === (verdict === "linearizable");
  };
  fc.assert(fc.property(fc.array(operation, { maxLength: 7 }), check), { numRuns: 5_000 });
  t.true(verdicts.linearizable > 500 && verdicts["not linearizable"] > 500);
});

test("ten thousand operations of twelve clients are decided", (t) => {
  const operations: RegisterOperation[] = [];
  for (let round = 0; round < 800; round += 1) {
    const from = round * 100;
    for (let client = 0; client < 12; client += 1) {
      const value = `${round}/${client}`;
      const step = client < 8 ? { becomes: value } : { is: `${round}/${client - 8}` };
      operations.push({ called: from + client, returned: from + 99 - client, steps: [step] });
    }
    operations.push({ called: from + 5, returned: undefined, steps: [{ becomes: `${round}/u` }] });
  }
  t.is(linearize(operations), "linearizable");
});
