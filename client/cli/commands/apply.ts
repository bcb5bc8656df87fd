// kvctl apply: makes the keys be as a file has them.

import type { CommandDefinition, Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { requireAnswer } from "../question.js";
import { KEY_ENCODING } from "../selectors.js";
import { lineText, plainLine } from "../terminal-text.js";
import { CSV_OPTIONS, FORMAT_OPTION } from "../transfer/format.js";
import { KEY_CHANGE_OPTIONS } from "../transfer/key-change.js";
import { PRUNE_OPTIONS, pruneSelector } from "../transfer/pruning.js";
import type { RowItem } from "../transfer/row-item.js";
import { lastOfEach, type SortedRows } from "../transfer/sorted-rows.js";

export const applyCommand: CommandDefinition = {
  usage: "FILE | FOLDER | -",
  details: [
    "Takes the files that kvctl import takes. The whole file is read first: when a row is broken, or a",
    "key stands there twice, nothing is written. Then what differs is written, in the order of the",
    "keys, in batches of up to 1,000 rows, each as a whole or not at all. A key that somebody changes",
    "between the look and the write is not overwritten: it is named, all else is written, and the exit",
    "code is 8; apply again to decide anew. What is the same already is left alone, so that a second",
    "run writes nothing; a key that has a lease where the file has a ttl counts as the same. --prune",
    "comes last, and deletes nothing that was written meanwhile.",
  ].join(" "),
  options: [
    FORMAT_OPTION,
    {
      flags: "--dry-run",
      description: "write nothing; list what would be added, changed, deleted",
    },
    ...PRUNE_OPTIONS,
    ...KEY_CHANGE_OPTIONS,
    ...CSV_OPTIONS,
    KEY_ENCODING,
  ],
  examples: [
    { run: "kvctl apply settings.jsonl --dry-run", says: "what would change" },
    { run: "kvctl apply settings.jsonl", says: "only what differs is written" },
    {
      run: "kvctl apply settings.jsonl --prune --prefix app/",
      says: "and no other keys under app/",
    },
    { run: "kvctl apply ./settings --add-prefix app/", says: "the files of a folder" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, output, signal } = invocation;
  const [file, excess] = words;
  if (file === undefined) throw new UsageError("apply needs a FILE, or - for standard input");
  if (excess !== undefined) throw new UsageError(`apply takes one FILE; "${excess}" is too much`);
  const prune = pruneSelector(flags);
  const dryRun = flags.on("dry-run");
  if (prune !== undefined && !dryRun) {
    requireAnswer(invocation, { what: "--prune deletes keys", inputTaken: file === "-" });
  }
  const { openRows } = await import("../transfer/row-source.js");
  const source = await openRows(flags, file, (text) => output.note(text));
  const kv = await invocation.connect();
  const { limits } = await kv.maintenance.status({ signal });
  const { ImportJob } = await import("../transfer/import-job.js");
  const { SortedRows } = await import("../transfer/sorted-rows.js");
  const sorted = new SortedRows();
  const position = { total: 0, done: 0 };
  try {
    position.total = await readAll(invocation, source.rows(), sorted);
    const job = new ImportJob(invocation, kv, {
      ...{ verb: "apply", source: position, limits, prune, dryRun },
      keepGoing: true,
      guarded: true,
      renewsTtl: false,
      lists: dryRun && (output.format === "text" || output.format === "table"),
    });
    return await job.run(itemsOf(sorted, position));
  } finally {
    await sorted.close();
  }
}

/** How many rows there are. @throws Failure when one is broken, or a key is there twice. */
async function readAll(
  { output, signal }: Invocation,
  rows: AsyncIterable<RowItem>,
  sorted: SortedRows,
): Promise<number> {
  let flaws = 0;
  let count = 0;
  const flaw = (place: string, why: string) => {
    flaws += 1;
    output.error(`${place}: ${plainLine(why)}`);
  };
  for await (const item of rows) {
    signal.throwIfAborted();
    if (item.kind === "broken") flaw(item.place, item.why);
    else if (flaws === 0) await sorted.add({ ...item.row, place: item.place });
  }
  signal.throwIfAborted();
  if (flaws === 0) {
    const unique = lastOfEach(sorted.rows(), ({ key, place }, next) => {
      flaw(next.place, `the key ${lineText(key)} stands already at ${place}`);
    });
    for await (const _ of unique) {
      signal.throwIfAborted();
      count += 1;
    }
  }
  if (flaws === 0) return count;
  const what = flaws === 1 ? "a flaw" : `${flaws} flaws`;
  throw new Failure(EXIT.invalid, `nothing was written, because the file has ${what}`);
}

async function* itemsOf(sorted: SortedRows, position: { done: number }): AsyncGenerator<RowItem> {
  for await (const { key, value, ttlMs, place } of sorted.rows()) {
    position.done += 1;
    yield { kind: "row", row: { key, value, ttlMs }, place };
  }
}
