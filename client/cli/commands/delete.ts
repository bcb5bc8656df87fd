// kvctl delete: deletes a key, or the keys of a selector.

import { createInterface } from "node:readline/promises";
import type { DeleteOptions, DeleteResult, Entry, Kvd, SelectorLike } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { defined } from "../defined.js";
import { isClientError } from "../error-text.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { entryForm } from "../json-forms.js";
import type { Output } from "../output.js";
import { SELECTOR_OPTIONS, SELECTOR_USAGE, selectorFrom, singleKey } from "../selectors.js";
import { lineText } from "../terminal-text.js";

export const deleteCommand: CommandDefinition = {
  usage: SELECTOR_USAGE,
  details: [
    "All goes in one revision. Where that is more than the server deletes at once (100,000 keys), it",
    "goes in steps from the lowest key on, each a revision of its own, and what is written meanwhile",
    "goes too. The answer is `deleted 3, revision 42`. Nothing deleted ends with 1.",
  ].join(" "),
  options: [
    ...SELECTOR_OPTIONS,
    { flags: "--limit <count>", description: "at most this many, the lowest first; 0: all" },
    { flags: "--prev", description: "show what was deleted" },
    { flags: "--expect-rev <revision>", description: "only if the KEY's revision is this" },
    { flags: "--missing-ok", description: "nothing deleted is fine: end with 0" },
    { flags: "--yes", description: "do not ask, for --all" },
  ],
  examples: [
    { run: "kvctl delete kenya:capital", says: "one key" },
    {
      run: "kvctl delete --prefix kenya: --missing-ok",
      says: "all that start so, if there are any",
    },
    {
      run: "kvctl del --start 2024/ --end 2025/ --limit 1000",
      says: "the thousand lowest of a range",
    },
    { run: "kvctl delete lock --expect-rev 41", says: "unless it changed" },
    { run: "kvctl delete --all --yes", says: "everything, without being asked" },
  ],
  run,
};

/** One step of a large deletion, a millisecond of the server's; halved when it takes fewer. */
const STEP_KEYS = 1_000;

interface Deleted {
  readonly revision: number;
  readonly deleted: number;
  readonly steps: number;
  readonly more: boolean;
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { verb, words, flags, output, settings } = invocation;
  const selector = selectorFrom(verb, words, flags);
  if (flags.given("expect-rev") && !singleKey(selector)) {
    throw new UsageError("--expect-rev goes with one KEY");
  }
  const kv = await invocation.connect();
  if (flags.on("all") && !flags.on("yes") && !(await agreed(invocation, kv))) {
    throw new Failure(EXIT.negative, `nothing was deleted on ${settings.server}`);
  }
  const previous: Entry[] = [];
  const result = await deleteAll(invocation, kv, selector, (page) => {
    previous.push(...page.previous);
  });
  await writeResult(output, result, flags.on("prev") ? previous : undefined);
  if (result.deleted > 0 || flags.on("missing-ok")) return EXIT.ok;
  throw new Failure(EXIT.negative, "nothing was deleted: there is no such key");
}

async function agreed({ output, settings }: Invocation, kv: Kvd): Promise<boolean> {
  if (process.stdin.isTTY !== true || !output.notesToTerminal) {
    throw new UsageError("--all deletes everything: add --yes if that is meant");
  }
  const { count } = await kv.count({ all: true });
  output.prompt(`Delete all ${count} keys of ${settings.server}? [y/N] `);
  const terminal = createInterface({ input: process.stdin });
  try {
    for await (const line of terminal) return /^y(?:es)?$/i.test(line.trim());
    return false;
  } finally {
    terminal.close();
  }
}

/** In one call if the server takes it, else in steps. */
async function deleteAll(
  { flags, signal }: Invocation,
  kv: Kvd,
  selector: SelectorLike,
  take: (page: DeleteResult) => void,
): Promise<Deleted> {
  const wanted = flags.number("limit") ?? 0;
  const options: DeleteOptions = defined({
    expectedModRevision: flags.number("expect-rev"),
    returnPrevious: flags.on("prev") ? true : undefined,
    signal,
  });
  try {
    const page = await kv.delete(selector, {
      ...options,
      ...defined({ limit: wanted || undefined }),
    });
    take(page);
    return { revision: page.revision, deleted: page.deleted, steps: 1, more: page.more };
  } catch (error) {
    if (!isClientError(error) || error.reason !== "TOO_MANY_KEYS") throw error;
  }
  return deleteInSteps(kv, selector, { options, wanted, take });
}

async function deleteInSteps(
  kv: Kvd,
  selector: SelectorLike,
  job: {
    readonly options: DeleteOptions;
    readonly wanted: number;
    readonly take: (page: DeleteResult) => void;
  },
): Promise<Deleted> {
  let done: Deleted = { revision: 0, deleted: 0, steps: 0, more: true };
  let step = STEP_KEYS;
  while (done.more) {
    const left = job.wanted === 0 ? step : job.wanted - done.deleted;
    if (left <= 0) break;
    try {
      const page = await kv.delete(selector, { ...job.options, limit: Math.min(step, left) });
      job.take(page);
      const { revision, more } = page;
      done = { revision, more, deleted: done.deleted + page.deleted, steps: done.steps + 1 };
    } catch (error) {
      if (!isTooMuch(error) || step === 1) throw withProgress(error, done);
      step = Math.ceil(step / 2);
    }
  }
  return done;
}

function isTooMuch(error: unknown): boolean {
  if (!isClientError(error)) return false;
  return error.reason === "TOO_MANY_KEYS" || error.reason === "RESULT_TOO_LARGE";
}

/** What was deleted before the error stays deleted, so it must be said. */
function withProgress(error: unknown, done: Deleted): unknown {
  if (done.deleted === 0 || !(error instanceof Error)) return error;
  const text = `${error.message}; ${done.deleted} keys were deleted before that, up to revision ${done.revision}`;
  return new Failure(EXIT.partial, text, { cause: error });
}

async function writeResult(
  output: Output,
  result: Deleted,
  previous: readonly Entry[] | undefined,
): Promise<void> {
  const { revision, deleted, steps, more } = result;
  if (output.format === "json" || output.format === "jsonl") {
    const before = previous?.map((entry) => entryForm(entry, { keysOnly: false }));
    await output.json({ revision, deleted, more, ...(before ? { previous: before } : {}) });
    return;
  }
  if (output.format === "raw") {
    for (const entry of previous ?? []) await output.write(entry.bytes);
    return;
  }
  if (!output.quiet && deleted > 0) {
    const where =
      steps > 1 ? `in ${steps} revisions, the last ${revision}` : `revision ${revision}`;
    await output.line(`deleted ${deleted}, ${where}`);
  }
  for (const entry of previous ?? []) {
    await output.line(`${lineText(entry.keyBytes)}\t${lineText(entry.bytes)}`);
  }
}
