// The operations of a txn: `put KEY VALUE`, `get KEY`, `del`, `range`, with `;` in between, and
// with the flags of the commands of these names.

import type { Operation } from "../index.js";
import { defined } from "./defined.js";
import { UsageError } from "./failure.js";
import type { Flags } from "./flags.js";
import { putOptionsFrom } from "./put-options.js";
import { selectorFrom } from "./selectors.js";
import {
  type FlagNames,
  located,
  SELECTOR_FLAGS,
  type Word,
  wordsAndFlags,
} from "./txn-arguments.js";
import { mistake, type Source, type Token } from "./txn-words.js";

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

/** @throws UsageError with a caret. */
export function operations(source: Source, tokens: readonly Token[]): Operation[] {
  const found: Operation[] = [];
  let words: Word[] = [];
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

function operation(source: Source, verb: Word, rest: readonly Word[]): Operation {
  const name = verb.text.toLowerCase() === "delete" ? "del" : verb.text.toLowerCase();
  const names = Object.hasOwn(FLAGS_OF, name) ? FLAGS_OF[name] : undefined;
  if (names === undefined || verb.quoted) {
    throw mistake(
      source,
      verb.at,
      `"${verb.text}" is no operation; there are put, get, del, range`,
    );
  }
  const wanted = name === "put" ? 2 : 1;
  const { words, flags } = wordsAndFlags(source, rest, { words: wanted, flags: names });
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
