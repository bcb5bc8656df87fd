// The commands of the systems that kvd takes over from, as kvctl's, and what a shell adds to those.

import { CATALOG } from "../catalog.js";
import type { Candidate } from "../completion/candidates.js";

/** Words of kvctl in the place of the first word. */
const OLD: Readonly<Record<string, readonly string[]>> = {
  set: ["put"],
  addfile: ["import", "--format", "words"],
};

const ENDS: ReadonlySet<string> = new Set(["quit", "exit"]);

/** What the shell has besides the verbs of kvctl. */
export const SHELL_VERBS: readonly Candidate[] = [
  { text: "set", says: "put" },
  { text: "addfile", says: "import --format words: a word is a key, the next its value" },
  { text: "quit", says: "end the shell" },
  { text: "exit", says: "end the shell" },
];

export type Command =
  | { readonly kind: "nothing" }
  | { readonly kind: "end" }
  | { readonly kind: "run"; readonly verb: string; readonly argv: readonly string[] };

/** What a line asks for. Verbs count in any case, and `kvctl` before one does no harm. */
export function commandFromWords(words: readonly string[]): Command {
  const [first, ...rest] = words[0] === "kvctl" ? words.slice(1) : words;
  if (first === undefined) return { kind: "nothing" };
  if (first.startsWith("-")) return { kind: "run", verb: "", argv: [first, ...rest] };
  const lower = first.toLowerCase();
  if (ENDS.has(lower)) return { kind: "end" };
  const old = Object.hasOwn(OLD, lower) ? OLD[lower] : undefined;
  const verb = old?.[0] ?? (isVerb(lower) ? lower : first);
  return { kind: "run", verb, argv: [...(old ?? [verb]), ...rest] };
}

export function isVerb(word: string): boolean {
  return word === "help" || CATALOG.some(({ name, alias }) => name === word || alias === word);
}
