// The command line of the suite.

import test from "ava";
import { readArguments } from "../../../bench/arguments.js";
import type { Case } from "../../../bench/case.js";
import { chosenCases } from "../../../bench/cases.js";

const caseOf = (name: string, big?: true): Case => ({
  name,
  about: "",
  goals: [],
  ...(big && { big }),
  run: async () => {},
});

const CASES = [caseOf("memory"), caseOf("batch-memory"), caseOf("memory-10m", true)];

const namesOf = (...argv: string[]) =>
  chosenCases(CASES, readArguments(argv)).map(({ name }) => name);

test("without names all but the big cases run, and with --big those too", (t) => {
  t.deepEqual(namesOf(), ["memory", "batch-memory"]);
  t.deepEqual(namesOf("--big"), ["memory", "batch-memory", "memory-10m"]);
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
