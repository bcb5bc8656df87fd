// The command line of the suite.

import test from "ava";
import { readArguments } from "../../../bench/arguments.js";
import type { Case } from "../../../bench/case.js";
import { chosenCases } from "../../../bench/cases.js";

const caseOf = (name: string, set?: "all" | "big"): Case => ({
  name,
  about: "",
  goals: [],
  ...(set && { set }),
  run: async () => {},
});

const CASES = [
  caseOf("memory"),
  caseOf("batch-memory"),
  caseOf("gc", "all"),
  caseOf("memory-10m", "big"),
];

const namesOf = (...argv: string[]) =>
  chosenCases(CASES, readArguments(argv)).map(({ name }) => name);

test("without names the quick set runs, with --all more, with --big everything", (t) => {
  t.deepEqual(namesOf(), ["memory", "batch-memory"]);
  t.deepEqual(namesOf("--all"), ["memory", "batch-memory", "gc"]);
  t.deepEqual(namesOf("--big"), ["memory", "batch-memory", "gc", "memory-10m"]);
});

test("a name means its case alone, any other text is a pattern over the names", (t) => {
  t.deepEqual(namesOf("memory"), ["memory"]);
  t.deepEqual(namesOf("memory$"), ["memory", "batch-memory"]);
  t.deepEqual(namesOf("--profile", "batch"), ["batch-memory"]);
  t.deepEqual(namesOf("nothing"), []);
});

test("a profiled run has one round, unless it is told otherwise", (t) => {
  t.is(readArguments([]).rounds, 3);
  t.is(readArguments(["--profile", "get"]).rounds, 1);
  t.is(readArguments(["--profile", "get", "--rounds", "2"]).rounds, 2);
});

test("what is no number, no pattern or no flag is refused", (t) => {
  for (const argv of [
    ["--rounds", "1.5"],
    ["--seconds", "0"],
    ["--rounds", "x"],
    ["("],
    ["--what"],
  ]) {
    t.throws(() => readArguments(argv), { instanceOf: Error }, argv.join(" "));
  }
});
