// What of a command may stand in a file of history: not the values that look like secrets.

import { CATALOG } from "../catalog.js";
import { commandFromWords } from "./old-commands.js";

const SECRETS = [
  "pass(?:word|wd|phrase|code)",
  "secret|token|credential|bearer",
  "(?:api|access|private|auth)[-_. ]?key",
  "\\b(?:pw|pwd|pin)\\b",
];
const SECRET = new RegExp(SECRETS.join("|"), "i");
/** A key, or a flag; not JSON, not an assignment. */
const NAME = /^[\w./:@,+-]+$/;

/**
 * The words of a command that may be kept; all of them, in most commands. Where a word speaks of a
 * secret, what stands behind it goes, and the word itself unless it is a key or the name of a flag.
 */
export function rememberedWords(words: readonly string[]): readonly string[] {
  const command = commandFromWords(words);
  const first = command.kind === "run" ? command.verb : "";
  const entry = CATALOG.find(({ name, alias }) => name === first || alias === first);
  const kept: string[] = [];
  let names = 0;
  for (const [index, word] of words.entries()) {
    const flag = /^--?[a-z][a-z-]*/i.exec(word)?.[0];
    const secret = index > 0 && SECRET.test(word);
    if (index > 0 && flag === undefined) names += 1;
    if (!secret || (entry?.writes === false && flag === undefined)) {
      kept.push(word);
      continue;
    }
    if (flag !== undefined && SECRET.test(flag)) kept.push(flag);
    else if (names === 1 && flag === undefined && NAME.test(word)) kept.push(word);
    break;
  }
  return kept;
}
