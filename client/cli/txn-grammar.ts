// A txn on one line:  compares -- operations when they hold -- operations otherwise
//
//   compare    mod(KEY) = 41   create(KEY) != 0   version(KEY) > 2   lease(KEY) = 0
//              value(KEY) = "text"   exists(KEY)   !exists(KEY)
//              KEY may be --prefix P, --start S --end E, --all: it must hold for each of them
//   operation  put KEY VALUE [flags]   get KEY   del KEY|selector   range selector [flags]
//              with the flags of the commands of these names, after the words; `;` in between
//
// On standard input the end of a line separates like `;`. Words: txn-words.ts. Makes plain data and
// sends nothing.

import type { Compare, Operation, Relation, TxnSpec } from "../index.js";
import { defined } from "./defined.js";
import { UsageError } from "./failure.js";
import { Flags, leaseIdFromText, numberFromText } from "./flags.js";
import { putOptionsFrom } from "./put-options.js";
import { selectorFrom } from "./selectors.js";
import {
  mistake,
  Scanner,
  type Source,
  type Token,
  tokensOfArguments,
  tokensOfText,
} from "./txn-words.js";

/** The txn of command line arguments, `--` among them. @throws UsageError with a caret. */
export function txnFromArguments(words: readonly string[]): TxnSpec {
  const source = words.join(" ");
  let at = 0;
  const parts = words.map((text) => {
    const part = { text, at };
    at += text.length + 1;
    return part;
  });
  const dashes = parts.findIndex(({ text }) => text === "--");
  const [compares, rest] =
    dashes < 0 ? [parts, []] : [parts.slice(0, dashes), parts.slice(dashes + 1)];
  const end = compares.length === 0 ? 0 : (parts[dashes]?.at ?? source.length);
  return txnFrom(source, { end, tokens: tokensOfArguments(source, rest), marked: dashes >= 0 });
}

/** The txn of a text of lines. @throws UsageError with a caret. */
export function txnFromText(source: Source): TxnSpec {
  const dashes = /(?<=^|\s|;)--(?=$|\s|;)/.exec(maskQuotes(source));
  const end = dashes?.index ?? source.length;
  const tokens = dashes === null ? [] : tokensOfText(source, end + 2, source.length);
  return txnFrom(source, { end, tokens, marked: dashes !== null });
}

/** The same length, without what stands in quotes and comments, where `--` means nothing. */
function maskQuotes(source: Source): string {
  return source.replace(/(?<=^|[\s;(=<>])"(?:[^"\\\n]|\\.)*"|^[ \t]*#.*$/gm, (part) =>
    "x".repeat(part.length),
  );
}

interface Pieces {
  /** Where the compares end. */
  readonly end: number;
  readonly tokens: readonly Token[];
  /** Was there a `--` at all? */
  readonly marked: boolean;
}

function txnFrom(source: Source, { end, tokens, marked }: Pieces): TxnSpec {
  const compare = compares(source, end);
  if (!marked) {
    throw mistake(source, source.length, "operations are missing: -- put KEY VALUE");
  }
  const second = tokens.findIndex(({ kind }) => kind === "dashes");
  const successTokens = second < 0 ? tokens : tokens.slice(0, second);
  const failureTokens = second < 0 ? [] : tokens.slice(second + 1);
  const third = failureTokens.find(({ kind }) => kind === "dashes");
  if (third !== undefined) {
    throw mistake(source, third.at, 'a third -- has no meaning; as a word, write "--"');
  }
  const success = operations(source, successTokens);
  const failure = operations(source, failureTokens);
  if (success.length + failure.length === 0) {
    throw mistake(source, source.length, "operations are missing: put, get, del, range");
  }
  return { compare, success, failure };
}

const COMPARE = /^(value|version|mod|create|lease|exists)$/;
const COMPARES = "value(KEY), version(KEY), mod(KEY), create(KEY), lease(KEY), exists(KEY)";

function compares(source: Source, end: number): Compare[] {
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
  const tokens: Token[] = [];
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
  const { words, flags } = arguments_(source, tokens, { words: 1, flags: SELECTOR_FLAGS });
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

function targetOf(
  source: Source,
  name: string,
  value: Token & { kind: "word" },
): Compare["target"] {
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

/** By name; true when a value follows. */
type FlagNames = Readonly<Record<string, boolean>>;

const SELECTOR_FLAGS: FlagNames = { prefix: true, start: true, end: true, all: false };

const FLAGS_OF: Readonly<Record<string, FlagNames>> = {
  get: { rev: true },
  put: {
    ttl: true,
    lease: true,
    "keep-lease": false,
    "expect-rev": true,
    "if-absent": false,
    prev: false,
  },
  del: { ...SELECTOR_FLAGS, limit: true, prev: false, "expect-rev": true },
  range: { ...SELECTOR_FLAGS, rev: true, limit: true, reverse: false, "keys-only": false },
};

function operations(source: Source, tokens: readonly Token[]): Operation[] {
  const found: Operation[] = [];
  let words: (Token & { kind: "word" })[] = [];
  const close = () => {
    const [verb, ...rest] = words;
    if (verb !== undefined) found.push(operation(source, verb, rest));
    words = [];
  };
  for (const token of tokens) {
    if (token.kind === "word") words.push(token);
    else close();
  }
  close();
  return found;
}

type Word = Token & { readonly kind: "word" };

function operation(source: Source, verb: Word, rest: readonly Word[]): Operation {
  const name = verb.text.toLowerCase() === "delete" ? "del" : verb.text.toLowerCase();
  const names = FLAGS_OF[name];
  if (names === undefined || verb.quoted) {
    throw mistake(
      source,
      verb.at,
      `"${verb.text}" is no operation; there are put, get, del, range`,
    );
  }
  const wanted = name === "put" ? 2 : 1;
  const { words, flags } = arguments_(source, rest, { words: wanted, flags: names });
  return located(source, verb.at, () => operationOf(name, words, flags));
}

function operationOf(name: string, words: readonly string[], flags: Flags): Operation {
  const [key, value] = words;
  switch (name) {
    case "put":
      if (key === undefined || value === undefined) throw new UsageError("put takes KEY VALUE");
      return { kind: "put", key, value, options: putOptionsFrom(flags) };
    case "get":
      if (key === undefined) throw new UsageError("get takes a KEY; for more keys there is range");
      return { kind: "get", key, options: defined({ revision: flags.number("rev") }) };
    case "del":
      return {
        kind: "delete",
        selector: selectorFrom("del", words, flags),
        options: defined({
          limit: flags.number("limit"),
          returnPrevious: flags.on("prev") ? true : undefined,
          expectedModRevision: flags.number("expect-rev"),
        }),
      };
    default:
      return {
        kind: "range",
        selector: selectorFrom("range", words, flags),
        options: defined({
          revision: flags.number("rev"),
          limit: flags.number("limit"),
          order: flags.on("reverse") ? ("descending" as const) : undefined,
          keysOnly: flags.on("keys-only") ? true : undefined,
        }),
      };
  }
}

/** First the words, whatever they look like, then flags. A key that starts with -- needs quotes. */
function arguments_(
  source: Source,
  tokens: readonly Token[],
  shape: { readonly words: number; readonly flags: FlagNames },
): { readonly words: string[]; readonly flags: Flags } {
  const all = tokens.filter((token): token is Word => token.kind === "word");
  const words: string[] = [];
  let next = 0;
  while (words.length < shape.words && next < all.length) {
    const word = all[next] as Word;
    if (words.length === 0 && isFlag(word)) break;
    words.push(word.text);
    next += 1;
  }
  const values: Record<string, unknown> = {};
  while (next < all.length) {
    const word = all[next] as Word;
    const name = word.text.slice(2);
    const takesValue =
      isFlag(word) && Object.hasOwn(shape.flags, name) ? shape.flags[name] : undefined;
    if (takesValue === undefined) throw mistake(source, word.at, excessText(word, shape.flags));
    const value = takesValue ? all[next + 1]?.text : true;
    if (value === undefined) throw mistake(source, word.at, `${word.text} needs a value`);
    values[name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())] = value;
    next += takesValue ? 2 : 1;
  }
  return { words, flags: new Flags(values) };
}

function isFlag(word: Word): boolean {
  return !word.quoted && word.text.startsWith("--");
}

function excessText(word: Word, flags: FlagNames): string {
  const known = Object.keys(flags)
    .map((name) => `--${name}`)
    .join(", ");
  if (isFlag(word)) return `${word.text} is not known here; there are ${known}`;
  return `"${word.text}" is too much; flags go last, blanks in double quotes, a ; between operations`;
}

/** Gives a mistake in an argument its place. */
function located<T>(source: Source, at: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw mistake(source, at, error.message);
  }
}
