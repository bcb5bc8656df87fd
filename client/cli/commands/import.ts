// kvctl import: writes the keys of a file, as export makes them.

import type { CommandDefinition, Invocation } from "../command.js";
import type { ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { requireAnswer } from "../question.js";
import { KEY_ENCODING } from "../selectors.js";
import { CSV_OPTIONS, FORMAT_OPTION } from "../transfer/format.js";
import { KEY_CHANGE_OPTIONS } from "../transfer/key-change.js";
import { PRUNE_OPTIONS, pruneSelector } from "../transfer/pruning.js";

export const importCommand: CommandDefinition = {
  usage: "FILE | FOLDER | -",
  details: [
    'JSON Lines: each line is {"key": …, "value": …}, or "key64" and "value64" in base64, and perhaps',
    'a "ttl" such as "30s"; lines of kvctl range --output jsonl are taken too. CSV: the header names',
    "the columns, key and value or key64 and value64, and perhaps ttl. Words: a word is a key, the next",
    "its value. Files: the path of each file in a folder is a key, its content the value; links are not",
    "followed. Keys that are there get the new value; what is the same already is skipped, so that a",
    "second run goes on where the first one stopped, and one of the whole does no harm (a ttl is set",
    "anew, though). Rows go in batches of up to 1,000, each written as a whole or not at all; rows of",
    "one key in their order. The first row that is broken, or that the server refuses, ends it: it is",
    "named, nothing after a broken one is sent (of what follows a refused one, up to 4,000 rows may be",
    "written already), and the exit code is 8. A ttl below one second becomes one second. --prune comes",
    "last, and only when all was written.",
  ].join(" "),
  options: [
    FORMAT_OPTION,
    {
      flags: "--dry-run",
      description: "write nothing; count what would be new, changed, unchanged, each row alone",
    },
    { flags: "--keep-going", description: "name broken and refused rows, and go on after them" },
    ...KEY_CHANGE_OPTIONS,
    ...PRUNE_OPTIONS,
    ...CSV_OPTIONS,
    KEY_ENCODING,
  ],
  examples: [
    { run: "kvctl import store.jsonl", says: "from a file" },
    { run: "zcat cities.jsonl.gz | kvctl import -", says: "from standard input" },
    { run: "kvctl import cities.csv --key-column name --value-column country", says: "from CSV" },
    { run: "kvctl import ./settings --add-prefix app/", says: "the files of a folder" },
    { run: "kvctl import store.jsonl --prune --prefix app/ --dry-run", says: "what would happen" },
    { run: "kvctl import store.jsonl --keep-going 2> broken.txt", says: "all that can be written" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, output, signal } = invocation;
  const [file, excess] = words;
  if (file === undefined) throw new UsageError("import needs a FILE, or - for standard input");
  if (excess !== undefined) throw new UsageError(`import takes one FILE; "${excess}" is too much`);
  const prune = pruneSelector(flags);
  if (prune !== undefined && !flags.on("dry-run")) {
    requireAnswer(invocation, { what: "--prune deletes keys", inputTaken: file === "-" });
  }
  const { openRows } = await import("../transfer/row-source.js");
  const source = await openRows(flags, file, (text) => output.note(text));
  const kv = await invocation.connect();
  // Fails at once when there is no server, before any input is waited for.
  const { limits } = await kv.maintenance.status({ signal });
  const { ImportJob } = await import("../transfer/import-job.js");
  const job = new ImportJob(invocation, kv, {
    ...{ verb: "import", source, limits, prune },
    dryRun: flags.on("dry-run"),
    keepGoing: flags.on("keep-going"),
    guarded: false,
    renewsTtl: true,
    lists: false,
  });
  return job.run(source.rows());
}
