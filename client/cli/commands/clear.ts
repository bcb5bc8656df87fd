// kvctl clear: deletes all keys of a prefix, page by page, so that other calls go on meanwhile.

import type { Kvd, SelectorLike } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { errorText, exitCodeOf } from "../error-text.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { startProgress } from "../progress.js";
import { confirmed, requireAnswer } from "../question.js";
import { KEY_ENCODING, keyFromText } from "../selectors.js";
import { lineText } from "../terminal-text.js";

export const clearCommand: CommandDefinition = {
  usage: "PREFIX | --all",
  details: [
    "Goes from the lowest key on, 1,000 at a time, each page a revision of its own, so that others can",
    "read and write all the while; what is written below the prefix meanwhile goes too. kvctl delete",
    "--prefix does it in one revision. The answer is `cleared 3, revision 42`. Nothing to clear is",
    "fine. Interrupted, it tells how far it came; clearing again goes on.",
  ].join(" "),
  options: [
    { flags: "--all", description: "all keys" },
    { flags: "--yes", description: "do not ask" },
    KEY_ENCODING,
  ],
  examples: [
    { run: "kvctl clear session/", says: "asks, then deletes all keys that start so" },
    { run: "kvctl clear session/ --yes", says: "without being asked" },
    { run: "kvctl clear --all --yes", says: "everything" },
  ],
  run,
};

/** So few that nobody waits for them. */
const PAGE_KEYS = 1_000;

async function run(invocation: Invocation): Promise<ExitCode> {
  const { output, settings, signal } = invocation;
  const { selector, name } = selectorOf(invocation);
  requireAnswer(invocation, { what: `clear deletes ${name}` });
  const kv = await invocation.connect();
  const { count } = await kv.count(selector, { signal });
  const keys = count === 1 ? "1 key" : `${count} keys`;
  if (count > 0) {
    const question = `Delete ${keys} of ${settings.server}, ${name}?`;
    if (!(await confirmed(invocation, question))) {
      throw new Failure(EXIT.negative, `nothing was deleted on ${settings.server}`);
    }
  }
  const progress = await startProgress(output, { label: "clearing", total: count });
  const cleared: Cleared = { deleted: 0, revision: 0 };
  try {
    await clear(kv, { selector, signal, cleared, told: (done) => progress.update(done, done) });
  } catch (error) {
    progress.stop();
    throw withCount(invocation, error, cleared);
  } finally {
    progress.stop();
  }
  if (output.format === "json" || output.format === "jsonl") await output.json(cleared);
  else if (output.format !== "raw" && !output.quiet) {
    const where = cleared.deleted === 0 ? "there was nothing" : `revision ${cleared.revision}`;
    await output.line(`cleared ${cleared.deleted}, ${where}`);
  }
  return EXIT.ok;
}

interface Cleared {
  deleted: number;
  revision: number;
}

function selectorOf({ words, flags }: Invocation): { selector: SelectorLike; name: string } {
  const [prefix, excess] = words;
  if (excess !== undefined) throw new UsageError(`clear takes one PREFIX; "${excess}" is too much`);
  if (prefix !== undefined && flags.on("all")) {
    throw new UsageError("PREFIX and --all exclude each other; give one");
  }
  if (flags.on("all")) return { selector: { all: true }, name: "all keys" };
  if (prefix === undefined || prefix === "") {
    throw new UsageError("clear needs a PREFIX, or --all for everything");
  }
  const key = keyFromText(flags, prefix);
  return { selector: { prefix: key }, name: `all that start with ${lineText(Buffer.from(key))}` };
}

async function clear(
  kv: Pick<Kvd, "delete">,
  job: {
    readonly selector: SelectorLike;
    readonly signal: AbortSignal;
    readonly cleared: Cleared;
    readonly told: (deleted: number) => void;
  },
): Promise<void> {
  const { selector, signal, cleared, told } = job;
  for (let more = true; more; ) {
    signal.throwIfAborted();
    // Not ended by the signal: what it deleted has to be counted.
    const page = await kv.delete(selector, { limit: PAGE_KEYS });
    cleared.deleted += page.deleted;
    cleared.revision = page.revision;
    more = page.more;
    told(cleared.deleted);
  }
}

/** What was deleted before the error stays deleted, so it must be said. */
function withCount({ output, settings, signal }: Invocation, error: unknown, cleared: Cleared) {
  if (cleared.deleted === 0) return error;
  const done = `${cleared.deleted} keys were deleted, up to revision ${cleared.revision}`;
  const text = `${done}; clear again to go on`;
  if (signal.aborted) {
    output.note(`interrupted: ${text}`);
    return error;
  }
  const why = errorText(error, { settings, writes: true });
  return new Failure(exitCodeOf(error), `${why}; ${text}`, { cause: error });
}
