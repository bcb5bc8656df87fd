// kvctl history: the versions that a key, or the keys of a selector, had.

import type { CommandDefinition, Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { writeVersions } from "../history/history-output.js";
import { type Version, versionsOf } from "../history/versions.js";
import { SELECTOR_OPTIONS, SELECTOR_USAGE, selectorFrom, singleKey } from "../selectors.js";

/** Held in memory, because the newest goes first. */
const DEFAULT_LIMIT = 1_000;

export const historyCommand: CommandDefinition = {
  usage: SELECTOR_USAGE,
  details: [
    "Prints what was written and deleted, the newest first: the revision, the time (of this machine's",
    "zone; with --output json in UTC), put, deleted, expired or revoked, and the value, shortened",
    "unless the output is JSON. History goes back to where the server has compacted it; what is older",
    "and was still there then has no time. Nothing at all ends with 1.",
  ].join(" "),
  options: [
    ...SELECTOR_OPTIONS,
    {
      flags: "--limit <count>",
      description: `at most so many, the newest; ${DEFAULT_LIMIT} by default, 0: all`,
    },
    { flags: "--reverse", description: "the oldest first" },
    { flags: "--diff", description: "show what changed in a value, line by line" },
  ],
  examples: [
    { run: "kvctl history config", says: "all the values that it had" },
    { run: "kvctl history config --diff --limit 3", says: "the last three changes" },
    { run: "kvctl history --prefix user/ --output jsonl", says: "of many keys, for programs" },
    { run: "kvctl undo 41", says: "how to take one of them back" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { verb, words, flags, output, signal } = invocation;
  if (output.format === "raw") {
    throw new UsageError("history writes text, json, jsonl or table, not raw; see kvctl get --rev");
  }
  const selector = selectorFrom(verb, words, flags);
  const limit = flags.number("limit") ?? DEFAULT_LIMIT;
  const kv = await invocation.connect();
  const { versions, ...facts } = await versionsOf(kv, selector, signal);
  const newest = new Newest(limit);
  for await (const version of versions) newest.add(version);
  if (newest.seen === 0) {
    const since = facts.compactRevision > 1 ? ` since revision ${facts.compactRevision}` : "";
    throw new Failure(EXIT.negative, `there is no history of that${since}`);
  }
  const list = newest.list();
  if (flags.on("reverse")) list.reverse();
  const options = { withKeys: !singleKey(selector), diff: flags.on("diff"), facts };
  await writeVersions(output, list, options);
  const left = newest.seen - list.length;
  if (left > 0) output.note(`there are ${left} older ones; --limit 0 shows all`);
  return EXIT.ok;
}

/** Those with the highest revisions. */
class Newest {
  readonly #limit: number;
  #kept: Version[] = [];
  seen = 0;

  constructor(limit: number) {
    this.#limit = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  }

  add(version: Version): void {
    this.seen += 1;
    this.#kept.push(version);
    if (this.#kept.length > 2 * this.#limit) this.#kept = this.list();
  }

  /** The newest first. */
  list(): Version[] {
    const sorted = this.#kept.sort((a, b) => b.revision - a.revision);
    return sorted.slice(0, Math.min(this.#limit, sorted.length));
  }
}
