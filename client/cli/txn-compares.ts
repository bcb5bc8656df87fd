// The compares of a txn: `mod(KEY) = 41`, `value(KEY) = "text"`, `!exists(KEY)`, one after the
// other.

import type { Compare, Relation } from "../index.js";
import { leaseIdFromText, numberFromText } from "./flags.js";
import { selectorFrom } from "./selectors.js";
import { located, SELECTOR_FLAGS, type Word, wordsAndFlags } from "./txn-arguments.js";
import { mistake, Scanner, type Source } from "./txn-words.js";

const COMPARE = /^(value|version|mod|create|lease|exists)$/;
const COMPARES = "value(KEY), version(KEY), mod(KEY), create(KEY), lease(KEY), exists(KEY)";

/** The compares from the start of the source to `end`. @throws UsageError with a caret. */
export function compares(source: Source, end: number): Compare[] {
  const scanner = new Scanner(source, 0, end);
  const found: Compare[] = [];
  for (;;) {
    scanner.skip(/[\s;]/);
    if (scanner.done) return found;
    if (scanner.take("#")) scanner.skipLine();
    else found.push(compareAt(source, scanner));
  }
}

function compareAt(source: Source, scanner: Scanner): Compare {
  const { at } = scanner;
  const negated = scanner.take("!");
  const name = scanner.word(/[\s;(]/);
  scanner.skip(/[ \t]/);
  if (!COMPARE.test(name.text) || !scanner.take("(")) {
    const verb = /^(?:put|get|del|delete|range)$/.test(name.text);
    const what = verb ? `operations go after --: -- ${name.text} …` : `expected ${COMPARES}`;
    throw mistake(source, at, what);
  }
  const selector = selectorOfCompare(source, scanner);
  if (name.text === "exists") {
    return { selector, relation: "=", target: { kind: "exists", value: !negated } };
  }
  if (negated) throw mistake(source, at, "! goes with exists(KEY); elsewhere the relation is !=");
  const relation = relationAt(source, scanner);
  scanner.skip(/[ \t]/);
  const value = scanner.word(/[\s;]/);
  if (value.text === "" && !value.quoted) {
    throw mistake(source, value.at, `expected what ${name.text}(…) is compared with`);
  }
  return { selector, relation, target: targetOf(source, name.text, value) };
}

function selectorOfCompare(source: Source, scanner: Scanner): Compare["selector"] {
  const { at } = scanner;
  const tokens: Word[] = [];
  for (;;) {
    scanner.skip(/[ \t]/);
    if (scanner.take(")")) break;
    const word = scanner.done ? undefined : scanner.word(/[\s)]/);
    if (word === undefined || (word.text === "" && !word.quoted)) {
      throw mistake(source, at - 1, "this bracket is not closed");
    }
    tokens.push(word);
  }
  if (tokens.length === 0) throw mistake(source, at, "expected a KEY");
  const { words, flags } = wordsAndFlags(source, tokens, { words: 1, flags: SELECTOR_FLAGS });
  return located(source, at, () => selectorFrom("a compare", words, flags));
}

function relationAt(source: Source, scanner: Scanner): Relation {
  scanner.skip(/[ \t]/);
  const { at } = scanner;
  for (const wide of [">=", "<="]) {
    if (!scanner.take(wide)) continue;
    throw mistake(source, at, `${wide} is no relation; there are =, !=, < and >`);
  }
  for (const [text, relation] of RELATIONS) if (scanner.take(text)) return relation;
  throw mistake(source, at, "expected a relation: =, !=, < or >");
}

const RELATIONS: readonly (readonly [string, Relation])[] = [
  ["==", "="],
  ["=", "="],
  ["!=", "!="],
  ["<", "<"],
  [">", ">"],
];

function targetOf(source: Source, name: string, value: Word): Compare["target"] {
  const { text, at } = value;
  return located(source, at, () => {
    switch (name) {
      case "value":
        return { kind: "value", value: text };
      case "version":
        return { kind: "version", value: numberFromText("version(…)", text) };
      case "mod":
        return { kind: "modRevision", value: numberFromText("mod(…)", text) };
      case "create":
        return { kind: "createRevision", value: numberFromText("create(…)", text) };
      default:
        return { kind: "leaseId", value: leaseIdFromText("lease(…)", text) };
    }
  });
}
