// kvctl watch: prints changes as they happen, or runs a command for each.

import type { SelectorLike, WatchOptions } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { defined } from "../defined.js";
import type { ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { SELECTOR_OPTIONS, SELECTOR_USAGE, selectorFrom } from "../selectors.js";
import { Checkpoint } from "../watch-checkpoint.js";
import { WatchJob } from "../watch-job.js";

export const watchCommand: CommandDefinition = {
  usage: `${SELECTOR_USAGE} [-- COMMAND…]`,
  details: [
    "Prints the changes from now on, or from --rev on, until it is interrupted: the revision, what",
    "happened, the key, the value. With --output jsonl (or json), an object a line. After --, a",
    "command is run for each change instead, one after the other, with the value as its standard",
    "input and KVCTL_WATCH_TYPE (put or delete), _KEY, _VALUE, _REVISION, _TIME and _REASON in its",
    "environment (_KEY64, _VALUE64 in base64 where it is no text). Ends with 8 if one of them failed.",
    "With --checkpoint, the next run goes on right after the last change that was printed, or whose",
    "command ended, however it ended. That is exact when kvctl ends by itself, by a signal or with",
    "the server; after a kill -9 or a power cut, the changes of the last moment (with a command, the",
    "last one) come again, and none is ever left out. The file holds the store and the selector, and",
    "serves one watch at a time. It ends with 7 for another store, or when the history is compacted.",
  ].join(" "),
  options: [
    ...SELECTOR_OPTIONS,
    { flags: "--rev <revision>", description: "from this revision on, in the past or the future" },
    { flags: "--include-current", description: "first the entries that are there now" },
    { flags: "--prev", description: "show the entry before, too" },
    { flags: "--diff", description: "show what changed in a value, line by line" },
    { flags: "--max <count>", description: "end after so many changes" },
    {
      flags: "--checkpoint <file>",
      description:
        "go on where the file says, and keep it up to date; " +
        "--rev and --include-current are for the first time",
    },
  ],
  examples: [
    { run: "kvctl watch --prefix kenya:", says: "all keys that start so" },
    {
      run: "kvctl watch config --include-current --diff",
      says: "what it is, and what changes in it",
    },
    { run: "kvctl watch --all --rev 1 --output jsonl", says: "the whole history, for programs" },
    { run: "kvctl watch leader --max 1", says: "wait for one change" },
    {
      run: "kvctl watch --all --checkpoint seen.json --output jsonl >> log.jsonl",
      says: "every change once, over restarts of kvctl and of the server",
    },
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
  const checkpoint = await checkpointFrom(invocation, selector);
  const kv = await invocation.connect();
  const job = new WatchJob(invocation, options, checkpoint);
  const exitCode = await job.run((resumed) => kv.watch(selector, resumed));
  return signal.aborted ? (signal.reason as ExitCode) : exitCode;
}

function watchOptions({ flags, signal }: Invocation): WatchOptions {
  const includeCurrent = flags.on("include-current");
  if (includeCurrent && flags.given("rev")) {
    throw new UsageError("--include-current and --rev exclude each other");
  }
  return defined({
    signal,
    startRevision: flags.number("rev") || undefined,
    includeCurrent: includeCurrent ? true : undefined,
    previous: flags.on("prev") || flags.on("diff") ? true : undefined,
  });
}

async function checkpointFrom({ flags }: Invocation, selector: SelectorLike) {
  const path = flags.text("checkpoint");
  return path === undefined ? undefined : Checkpoint.open(path, selector);
}
