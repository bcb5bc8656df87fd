// kvctl watch: prints changes as they happen, or runs a command for each.

import type { Reason, SelectorLike, WatchOptions } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { defined } from "../defined.js";
import type { ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import type { Flags } from "../flags.js";
import { SELECTOR_OPTIONS, SELECTOR_USAGE, selectorFrom } from "../selectors.js";
import { Checkpoint } from "../watch-checkpoint.js";
import { WatchJob } from "../watch-job.js";

/** 25 days; who waits longer does not mind to. */
const TIMER_MAX_MS = 0x7fff_ffff;

export const watchCommand: CommandDefinition = {
  usage: `${SELECTOR_USAGE} [-- COMMAND…]`,
  details: [
    "Prints the changes from now on, or from --rev on, until it is interrupted: the revision, what",
    "happened, the key, the value. With --output jsonl (or json), an object a line. When the server",
    "goes away it says so, and goes on exactly where it stood when the server is back. After --, a",
    "command is run for each change instead, one after the other, with the value as its standard",
    "input and KVCTL_WATCH_TYPE (put or delete), _KEY, _VALUE, _REVISION, _TIME and _REASON in its",
    "environment (_KEY64, _VALUE64 in base64 where it is no text). If one of them fails the others",
    "run all the same, unless --stop-on-failure says otherwise, and the end is 8.",
    "--table shows what is there now, in place on a terminal (elsewhere line by line), the last",
    "changes marked: + new, * changed, - deleted.",
    "With --checkpoint, the next run goes on right after the last change that was printed, or whose",
    "command ended, however it ended. That is exact when kvctl ends by itself, by a signal or with",
    "the server; after a kill -9 or a power cut, the changes of the last moment (with a command, the",
    "last one) come again, and none is ever left out. The file holds the store and the selector, and",
    "serves one watch at a time. The change that --stop-on-failure stops at comes again. For another",
    "store, or when the history is compacted, the end is 7.",
  ].join(" "),
  options: [
    ...SELECTOR_OPTIONS,
    { flags: "--rev <revision>", description: "from this revision on, in the past or the future" },
    { flags: "--include-current", description: "first the entries that are there now" },
    { flags: "--prev", description: "show the entry before, too" },
    { flags: "--diff", description: "show what changed in a value, line by line" },
    { flags: "--only <type>", description: "put or delete: only such changes" },
    { flags: "--table", description: "what is there now, kept up to date in place" },
    { flags: "--max <count>", description: "end after so many changes" },
    {
      flags: "--for <duration>",
      description: "end after this time; with 1 if --max changes did not come",
    },
    { flags: "--no-reconnect", description: "end with 3 when the connection breaks" },
    { flags: "--stop-on-failure", description: "end, with 8, when the command fails" },
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
    { run: "kvctl watch leader --max 1 --for 30s", says: "wait for one change, or end with 1" },
    { run: "kvctl watch --prefix jobs/ --table", says: "the present state, live" },
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
  if (tail !== undefined && tail.length === 0) throw new UsageError("-- wants a command after it");
  if (flags.on("stop-on-failure") && tail === undefined) {
    throw new UsageError("--stop-on-failure wants a command: kvctl watch KEY -- COMMAND");
  }
  const selector = selectorFrom(verb, words.slice(0, words.length - (tail?.length ?? 0)), flags);
  const table = tableFrom(invocation);
  const late = lateness(flags.durationMs("for"));
  const ending = late === undefined ? signal : AbortSignal.any([signal, late]);
  const options = { ...watchOptions(invocation, { table }), signal: ending };
  const checkpoint = await checkpointFrom(invocation, selector);
  const kv = await invocation.connect();
  // Fails at once when there is no server; a watch that goes on by itself would wait for one.
  if (options.resume) await kv.maintenance.status({ signal });
  const open = (resumed: WatchOptions) => kv.watch(selector, resumed);
  const exitCode =
    table && canMoveCursor(invocation)
      ? await (await import("../live-table/table-job.js")).showTable(invocation, open, options)
      : await new WatchJob(invocation, options, { checkpoint, late }).run(open);
  return signal.aborted ? (signal.reason as ExitCode) : exitCode;
}

function watchOptions(
  { flags, output, settings }: Invocation,
  { table }: { readonly table: boolean },
): WatchOptions {
  const includeCurrent = flags.on("include-current") || table;
  if (includeCurrent && flags.given("rev")) {
    throw new UsageError(`--${table ? "table" : "include-current"} and --rev exclude each other`);
  }
  const only = onlyFrom(flags);
  const reconnects = flags.on("reconnect");
  const onBreak = ({ reason }: { readonly reason: Reason | undefined }) => {
    if (reason === "WATCHER_TOO_SLOW") return;
    output.note(`lost kvd at ${settings.server}; waiting for it to be back`);
  };
  return defined({
    startRevision: flags.number("rev") || undefined,
    includeCurrent: includeCurrent ? true : undefined,
    previous: flags.on("prev") || flags.on("diff") ? true : undefined,
    exclude: only === undefined ? undefined : ([only === "put" ? "delete" : "put"] as const),
    resume: reconnects ? true : undefined,
    onBreak,
  });
}

/** @throws UsageError */
function onlyFrom(flags: Flags): "put" | "delete" | undefined {
  const only = flags.text("only");
  if (only === undefined || only === "put" || only === "delete") return only;
  throw new UsageError(`--only is one of put, delete, not "${only}"`);
}

/** Whether the present state is wanted. @throws UsageError */
function tableFrom({ flags, tail, settings }: Invocation): boolean {
  const given = flags.text("output");
  if (!flags.on("table") && given !== "table") return false;
  const format = given ?? "text";
  if (format !== "text" && format !== "table") {
    throw new UsageError(`--table and --output ${settings.format} exclude each other`);
  }
  const other = ["only", "prev", "diff", "checkpoint"].find((name) => flags.given(name));
  if (other !== undefined) throw new UsageError(`--table and --${other} exclude each other`);
  if (tail !== undefined)
    throw new UsageError("--table runs no command; leave out what is after --");
  return true;
}

function canMoveCursor({ output }: Invocation): boolean {
  const { TERM: terminal } = process.env;
  return output.toTerminal && terminal !== "dumb";
}

function lateness(forMs: number | undefined): AbortSignal | undefined {
  if (forMs === undefined) return undefined;
  const late = new AbortController();
  setTimeout(() => late.abort(), Math.min(forMs, TIMER_MAX_MS)).unref();
  return late.signal;
}

async function checkpointFrom({ flags }: Invocation, selector: SelectorLike) {
  const path = flags.text("checkpoint");
  if (path === undefined) return undefined;
  return Checkpoint.open(path, selector, defined({ only: onlyFrom(flags) }));
}
