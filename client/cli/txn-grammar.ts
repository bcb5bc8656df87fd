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

import type { TxnSpec } from "../index.js";
import { compares } from "./txn-compares.js";
import { operations } from "./txn-operations.js";
import { mistake, type Source, type Token, tokensOfArguments, tokensOfText } from "./txn-words.js";

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
