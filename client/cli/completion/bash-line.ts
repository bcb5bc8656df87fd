// Completion as bash has it. Bash hands over the text of the command up to the cursor, and which
// end of it it will replace: that begins behind a quote, a `:` or a `=`, wherever it takes these
// for breaks. So an answer goes on in the quote in which the replaced part begins.

import { closing, continuedWord } from "../shell/quoting.js";
import { lineFromText, type Quote } from "../shell/words.js";
import type { Candidate, Candidates } from "./candidates.js";

export interface BashLine {
  /** Behind the command's name, before the word that is being typed. */
  readonly words: readonly string[];
  readonly current: string;
  /** What of the current word stands before the replaced part, as text. */
  readonly kept: string;
  /** The replaced part as it was typed. */
  readonly replaced: string;
  /** The quote in which the replaced part begins. */
  readonly quote: Quote;
}

/**
 * @param typed the command up to the cursor.
 * @param replaced the end of it that an answer replaces.
 */
export function wordsOfBash(typed: string, replaced: string): BashLine | undefined {
  const { words } = lineFromText(typed);
  const last = words.at(-1);
  const within = last !== undefined && last.to === typed.length;
  const currentWord = within ? last : undefined;
  const before = within ? words.slice(0, -1) : words;
  // What a shell expands has a value that only the shell knows.
  if (words.some(({ expands }) => expands)) return undefined;
  const begin = replaced !== "" && typed.endsWith(replaced) ? -replaced.length : typed.length;
  const head = typed.slice(currentWord?.from ?? typed.length, begin);
  const kept = lineFromText(head);
  const name = before.findIndex(({ text }) => !/^[A-Za-z_]\w*=/.test(text));
  if (name < 0) return undefined;
  return {
    words: before.slice(name + 1).map(({ text }) => text),
    current: currentWord?.text ?? "",
    kept: kept.words.map(({ text }) => text).join(""),
    replaced: begin < 0 ? replaced : "",
    quote: kept.quote,
  };
}

/** The records for bash: how, then each replacement. */
export function bashRecords(line: BashLine, candidates: Candidates): string[] {
  if (candidates.kind !== "words") return [candidates.kind];
  const fitting = candidates.words.filter(({ text }) => text.startsWith(line.kept));
  const [only, second] = fitting;
  if (only === undefined) return [];
  const raw = ({ text }: { readonly text: string }) =>
    continuedWord(text.slice(line.kept.length), line.quote);
  if (second === undefined) return [only.partial === true ? "nospace" : "space", raw(only)];
  const common = commonPrefix(fitting);
  // One step forward, which bash cannot make in the middle of an escape.
  if (common.length > line.current.length) return ["nospace", raw({ text: common })];
  const replies = fitting.map(raw);
  // Nothing to write, only to show: what was typed stays.
  const moves = commonPrefix(replies.map((text) => ({ text }))) !== line.replaced;
  return ["nospace", ...replies, ...(moves && line.replaced !== "" ? [line.replaced] : [])];
}

/** The longest beginning that all have; never half a character. */
export function commonPrefix(candidates: readonly Pick<Candidate, "text">[]): string {
  const [first = { text: "" }, ...others] = candidates;
  let length = first.text.length;
  for (const { text } of others) {
    let same = 0;
    while (same < length && first.text[same] === text[same]) same += 1;
    length = same;
  }
  if (/[\ud800-\udbff]/.test(first.text[length - 1] ?? "")) length -= 1;
  return first.text.slice(0, length);
}

/** A word as it is typed, whole, in a quote that was open before it. */
export function completedWord(text: string, quote: Quote): string {
  return `${continuedWord(text, quote)}${closing(quote)}`;
}
