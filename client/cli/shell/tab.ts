// What a Tab offers in the shell: the candidates of the command line, written as the line's quotes
// want it.

import { commonPrefix, completedWord } from "../completion/bash-line.js";
import { candidatesFor, type Sources } from "../completion/candidates.js";
import type { Completion } from "./line-editor.js";
import { isVerb, SHELL_VERBS } from "./old-commands.js";
import { continuedWord } from "./quoting.js";
import { lineFromText, type Quote } from "./words.js";

/** @param text the command up to the cursor; @param typed its last line. */
export async function completionOf(
  text: string,
  typed: string,
  sources: Pick<Sources, "keys" | "names">,
): Promise<Completion> {
  const { words, quote, comment } = lineFromText(text);
  const last = words.at(-1);
  const current = last !== undefined && last.to === text.length ? last : undefined;
  const raw = current === undefined ? "" : text.slice(current.from);
  // A word that began in a line above cannot be written anew.
  if (comment || raw.length > typed.length) return { choices: [], replaces: typed };
  const before = words.slice(0, current === undefined ? undefined : -1).map((word) => word.text);
  const found = await candidatesFor(verbsAsKnown(before), current?.text ?? "", {
    ...sources,
    verbs: SHELL_VERBS,
  });
  if (found.kind !== "words") {
    const { filesOf } = await import("../completion/files.js");
    const files = await filesOf(current?.text ?? "", found);
    return choices(files, { raw, quote, current: current?.text ?? "" });
  }
  return choices(found.words, { raw, quote, current: current?.text ?? "" });
}

interface Place {
  readonly raw: string;
  readonly quote: Quote;
  readonly current: string;
}

function choices(
  found: readonly { readonly text: string; readonly partial?: boolean }[],
  { raw, quote, current }: Place,
): Completion {
  // A word that began in a quote is written in that quote.
  const mark = /^(?:\$'|'|")/.exec(raw)?.[0] ?? "";
  const opened: Quote = quote === "none" || mark === "" ? "none" : quote;
  const begin = opened === "none" ? "" : mark;
  const [only, second] = found;
  if (only === undefined) return { choices: [], replaces: raw };
  if (second === undefined) {
    const whole = only.partial !== true;
    const word = whole ? completedWord(only.text, opened) : continuedWord(only.text, opened);
    return { choices: [`${begin}${word}${whole ? " " : ""}`], replaces: raw };
  }
  const common = commonPrefix(found);
  if (common.length > current.length) {
    return { choices: [begin + continuedWord(common, opened)], replaces: raw };
  }
  const shown = found.map(({ text }) => begin + continuedWord(text, opened));
  // What was typed is among them, so that nothing is written in the middle of an escape.
  const moves = commonPrefix(shown.map((text) => ({ text }))) !== raw;
  return { choices: moves && raw !== "" ? [raw, ...shown] : shown, replaces: raw };
}

/** The old systems' words as the verbs that they stand for. */
function verbsAsKnown([first, ...rest]: readonly string[]): string[] {
  if (first === undefined) return [];
  if (first === "kvctl") return verbsAsKnown(rest);
  const lower = first.toLowerCase();
  if (lower === "set") return ["put", ...rest];
  if (lower === "addfile") return ["import", ...rest];
  return [isVerb(lower) ? lower : first, ...rest];
}
