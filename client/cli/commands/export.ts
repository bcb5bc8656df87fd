// kvctl export: keys and values in a file that import takes, all of one revision, in the order of
// the keys' bytes.

import type { Entry, Kvd, SelectorLike } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { defined } from "../defined.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { AT_OPTION } from "../history/moment.js";
import { revisionFrom } from "../history/revision-at.js";
import { FormError } from "../json-forms.js";
import { LeaseTimes } from "../lease-times.js";
import { pages } from "../listing.js";
import { type Progress, startProgress } from "../progress.js";
import { SELECTOR_OPTIONS, SELECTOR_USAGE, selectorFrom } from "../selectors.js";
import type { CsvLayout } from "../transfer/csv-lines.js";
import { type ExportTarget, openTarget } from "../transfer/export-target.js";
import { FORMAT_OPTION, outputFormat } from "../transfer/format.js";
import { KEY_CHANGE_OPTIONS, type KeyChange, keyChangeFrom } from "../transfer/key-change.js";

export const exportCommand: CommandDefinition = {
  usage: `[${SELECTOR_USAGE}]`,
  details: [
    'Writes a line for each key, {"key": …, "value": …}, which kvctl import takes again. Bytes that are',
    'not UTF-8 stand in base64, as "key64" and "value64". A key with a lease has what remains of it',
    'as "ttl"; that two keys share a lease is not kept. CSV has the same as columns, after a first look',
    "at which are needed. Words, and files (a new folder, where each key is the path of a file), keep",
    "no ttl; words hold no white space, and files escape as %XX what no file can be called. Without a",
    "selector it is the whole store. All is of one revision, also while others write. A file, or a",
    "folder, is complete, or it is not there.",
  ].join(" "),
  options: [
    ...SELECTOR_OPTIONS,
    { flags: "--rev <revision>", description: "as it was at this revision" },
    AT_OPTION,
    { flags: "-o, --out <file>", description: "write to a file, or a new folder" },
    FORMAT_OPTION,
    ...KEY_CHANGE_OPTIONS,
  ],
  examples: [
    { run: "kvctl export -o store.jsonl", says: "everything, into a file" },
    { run: "kvctl export --prefix city/ | gzip > cities.jsonl.gz", says: "a part, compressed" },
    { run: "kvctl export --prefix city/ -o cities.csv", says: "a table" },
    {
      run: "kvctl export --prefix app/ --strip-prefix app/ --format files -o settings",
      says: "a folder with a file for each key",
    },
    {
      run: "kvctl export --rev 41 | kvctl import - --server other:7856",
      says: "into another server",
    },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { verb, words, flags, output, signal } = invocation;
  const given = flags.text("output");
  if (given === "table" || given === "raw") {
    throw new UsageError(`export writes JSON Lines, not ${given}; see --format, and kvctl range`);
  }
  const selector = selectorFrom(verb, words, flags, { all: true });
  const path = flags.text("out");
  const format = await outputFormat(flags, path);
  const change = keyChangeFrom(flags);
  const wanted = await revisionFrom(invocation);
  const kv = await invocation.connect();
  const toFile = path !== undefined && path !== "-";
  const asked = defined({ revision: wanted });
  // Counting first makes the bar honest, and tells of a server that is not there before a file is.
  const counted = toFile || format === "csv" ? await kv.count(selector, asked) : undefined;
  const revision = asked.revision ?? counted?.revision;
  const job = { kv, selector, options: { ...defined({ revision }), signal } };
  const layout = format === "csv" ? await layoutOf(job) : undefined;
  const target = await openTarget(output, { format, path, ...defined({ layout }) });
  const bar = { label: "exporting", total: counted?.count };
  const progress = toFile ? await startProgress(output, bar) : undefined;
  let complete = false;
  try {
    const { keys, at, ttls } = await writeRows(job, { target, change, progress });
    complete = true;
    await target.close({ complete });
    progress?.stop();
    if (toFile) output.note(`exported ${keys} keys of revision ${at} to ${path}`);
    if (ttls > 0 && target.dropsTtl) {
      output.note(`${ttls} of them had a ttl, which --format ${format} does not keep`);
    }
  } finally {
    progress?.stop();
    if (!complete) await target.close({ complete });
  }
  return EXIT.ok;
}

interface Export {
  readonly kv: Kvd;
  readonly selector: SelectorLike;
  readonly options: { readonly revision?: number; readonly signal: AbortSignal };
}

/** Which columns a CSV file needs is known only after a look at all that goes into it. */
async function layoutOf({ kv, selector, options }: Export): Promise<CsvLayout> {
  const { CsvLayout } = await import("../transfer/csv-lines.js");
  const layout = new CsvLayout();
  for await (const page of pages(kv, { selector, options, limit: 0 })) {
    for (const entry of page.entries) layout.see(entry);
    if (layout.complete) break;
  }
  return layout;
}

async function writeRows(
  { kv, selector, options }: Export,
  way: {
    readonly target: ExportTarget;
    readonly change: KeyChange;
    readonly progress: Progress | undefined;
  },
): Promise<{ keys: number; at: number; ttls: number }> {
  const leases = new LeaseTimes(kv.lease, options);
  const done = { keys: 0, at: 0, ttls: 0 };
  for await (const page of pages(kv, { selector, options, limit: 0 })) {
    if (!way.target.dropsTtl) await leases.learn(page.entries);
    for (const entry of page.entries) {
      const ttlMs = way.target.dropsTtl ? undefined : leases.remainingMs(entry);
      await way.target.write({ key: changed(entry, way.change), value: entry.bytes, ttlMs });
      if (entry.leaseId !== 0n) done.ttls += 1;
      done.keys += 1;
      if (done.keys % 1_000 === 0) way.progress?.update(done.keys, done.keys);
      options.signal.throwIfAborted();
    }
    done.at = page.revision;
    way.progress?.update(done.keys, done.keys);
  }
  return done;
}

function changed({ keyBytes }: Entry, change: KeyChange): Uint8Array {
  try {
    return change(keyBytes);
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    throw new Failure(EXIT.invalid, error.message, { cause: error });
  }
}
