// kvctl watch: prints changes as they happen, or runs a command for each.

import type { Watch, WatchEvent, WatchOptions } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { defined } from "../defined.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { SELECTOR_OPTIONS, SELECTOR_USAGE, selectorFrom } from "../selectors.js";
import { runForEvent } from "../watch-command.js";
import { writeCurrent, writeEvent, writeSynced } from "../watch-output.js";

export const watchCommand: CommandDefinition = {
  usage: `${SELECTOR_USAGE} [-- COMMAND…]`,
  details: [
    "Prints the changes from now on, or from --rev on, until it is interrupted: the revision, what",
    "happened, the key, the value. With --output jsonl (or json), an object a line. After --, a",
    "command is run for each change instead, one after the other, with the value as its standard",
    "input and KVCTL_WATCH_TYPE (put or delete), _KEY, _VALUE, _REVISION, _TIME and _REASON in its",
    "environment (_KEY64, _VALUE64 in base64 where it is no text). Ends with 8 if one of them failed.",
  ].join(" "),
  options: [
    ...SELECTOR_OPTIONS,
    { flags: "--rev <revision>", description: "from this revision on, in the past or the future" },
    { flags: "--include-current", description: "first the entries that are there now" },
    { flags: "--prev", description: "show the entry before, too" },
    { flags: "--diff", description: "show what changed in a value, line by line" },
    { flags: "--max <count>", description: "end after so many changes" },
  ],
  examples: [
    { run: "kvctl watch --prefix kenya:", says: "all keys that start so" },
    {
      run: "kvctl watch config --include-current --diff",
      says: "what it is, and what changes in it",
    },
    { run: "kvctl watch --all --rev 1 --output jsonl", says: "the whole history, for programs" },
    { run: "kvctl watch leader --max 1", says: "wait for one change" },
    { run: "kvctl watch config -- sh -c 'cat > config.json'", says: "keep a file up to date" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { verb, words, tail, flags, signal } = invocation;
  if (flags.text("output") === "table") {
    throw new UsageError("watch writes text, json, jsonl or raw: a table needs an end");
  }
  if (tail !== undefined && tail.length === 0) throw new UsageError("-- wants a command after it");
  const selector = selectorFrom(verb, words.slice(0, words.length - (tail?.length ?? 0)), flags);
  const options = watchOptions(invocation);
  const kv = await invocation.connect();
  const watch = kv.watch(selector, options);
  const exitCode = await printSteps(invocation, watch);
  return signal.aborted ? (signal.reason as ExitCode) : exitCode;
}

function watchOptions({ flags, signal }: Invocation): WatchOptions {
  const includeCurrent = flags.on("include-current");
  if (includeCurrent && flags.given("rev")) {
    throw new UsageError("--include-current and --rev exclude each other");
  }
  return defined({
    signal,
    startRevision: flags.number("rev"),
    includeCurrent: includeCurrent ? true : undefined,
    previous: flags.on("prev") || flags.on("diff") ? true : undefined,
  });
}

async function printSteps(invocation: Invocation, watch: Watch): Promise<ExitCode> {
  const { tail, flags, output } = invocation;
  const max = flags.number("max") ?? Number.POSITIVE_INFINITY;
  let left = max === 0 ? Number.POSITIVE_INFINITY : max;
  let exitCode: ExitCode = EXIT.ok;
  for await (const step of watch.steps()) {
    if (step.kind === "created") {
      output.note(`watching from revision ${flags.number("rev") || step.revision + 1} on`);
    } else if (step.kind === "current" && tail === undefined) {
      for (const entry of step.entries) await writeCurrent(output, entry);
    } else if (step.kind === "synced" && tail === undefined) {
      await writeSynced(output, step.revision);
    } else if (step.kind === "events") {
      for (const event of step.events) {
        if ((await handle(invocation, event)) !== EXIT.ok) exitCode = EXIT.partial;
        left -= 1;
        if (left === 0) return exitCode;
      }
    }
    await output.flush();
  }
  return exitCode;
}

async function handle(invocation: Invocation, event: WatchEvent): Promise<ExitCode> {
  const { tail, flags, output, signal } = invocation;
  if (tail === undefined) {
    await writeEvent(output, event, { diff: flags.on("diff"), previous: flags.on("prev") });
    return EXIT.ok;
  }
  const ended = await runForEvent(tail, event, signal);
  if (ended === 0 || signal.aborted) return EXIT.ok;
  output.note(`${tail[0]} ended with ${ended} for revision ${event.revision}`);
  return EXIT.partial;
}
