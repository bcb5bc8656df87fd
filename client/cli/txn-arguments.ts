// The words and flags of a compare's selector, or of an operation: first the words, then the flags.

import { UsageError } from "./failure.js";
import { Flags } from "./flags.js";
import { camelCase } from "./option.js";
import { mistake, type Source, type Token } from "./txn-words.js";

export type Word = Token & { readonly kind: "word" };

/** By name; true when a value follows. */
export type FlagNames = Readonly<Record<string, boolean>>;

export const SELECTOR_FLAGS: FlagNames = { prefix: true, start: true, end: true, all: false };

/** First the words, whatever they look like, then flags. A key that starts with -- needs quotes. */
export function wordsAndFlags(
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
    values[camelCase(name)] = value;
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
export function located<T>(source: Source, at: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw mistake(source, at, error.message);
  }
}
