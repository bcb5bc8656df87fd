// `kvctl __complete SHELL …`: what the scripts of `kvctl completion` ask at a Tab.
//
// Records end with a NUL byte, because keys can hold anything else. The first one says what
// follows: "files" or "folders" (the shell completes those itself), or words. For bash, which wants
// the text of the line, it is "space" or "nospace", then what to write instead of its word; for zsh
// and fish it is "words", then three records each: "whole" or "partial", the word, what it is.
// Whatever goes wrong, the answer is nothing: a Tab must not print errors.

import { EXIT, type ExitCode } from "../exit-codes.js";
import { settingsOf } from "../line-settings.js";
import { camelCase } from "../option.js";
import type { Process } from "../process.js";
import { bashRecords, wordsOfBash } from "./bash-line.js";
import { type Candidates, candidatesFor, namesOfVerb, type Sources } from "./candidates.js";
import { keysBudgetMs, keysOf } from "./server-keys.js";

export async function run(process: Process): Promise<ExitCode> {
  const records = await answer(process).catch(() => []);
  const text = records.map((record) => `${record}\0`).join("");
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
  return EXIT.ok;
}

async function answer(process: Process): Promise<readonly string[]> {
  const [, shell, ...rest] = process.argv;
  const sources = sourcesOf(process);
  if (shell === "bash") {
    const line = wordsOfBash(rest[0] ?? "", rest[1] ?? "");
    if (line === undefined) return [];
    return bashRecords(line, await candidatesFor(line.words, line.current, sources));
  }
  return plainRecords(await candidatesFor(rest.slice(0, -1), rest.at(-1) ?? "", sources));
}

function plainRecords(candidates: Candidates): string[] {
  if (candidates.kind !== "words") return [candidates.kind, candidates.behind];
  const words = candidates.words.flatMap(({ text, says = "", partial }) => [
    partial === true ? "partial" : "whole",
    text,
    says,
  ]);
  return ["words", ...words];
}

function sourcesOf({ environment }: Process): Sources {
  return {
    verbs: [],
    names: (verb) => namesOfVerb(verb, environment),
    keys: async (prefix, given) => {
      const values = Object.fromEntries(
        Object.entries(given).map(([name, value]) => [camelCase(name), value]),
      );
      const { server } = await settingsOf({ verb: "get", values }, environment);
      const { connect } = await import("../../index.js");
      // Never more than this: what starts a daemon is not asked.
      const timeout = keysBudgetMs(environment);
      const kv = connect(server, { timeout, retry: false, batching: false });
      return keysOf(kv, prefix, timeout);
    },
  };
}
