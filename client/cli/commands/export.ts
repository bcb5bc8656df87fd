// kvctl export: keys and values as JSON Lines, all of one revision, in the order of the keys'
// bytes.

import type { Entry, Kvd, SelectorLike } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { defined } from "../defined.js";
import { secondsText } from "../duration.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { AT_OPTION } from "../history/moment.js";
import { revisionFrom } from "../history/revision-at.js";
import { bytesForm } from "../json-forms.js";
import { LeaseTimes } from "../lease-times.js";
import { pages } from "../listing.js";
import { type Progress, startProgress } from "../progress.js";
import { SELECTOR_OPTIONS, SELECTOR_USAGE, selectorFrom } from "../selectors.js";

export const exportCommand: CommandDefinition = {
  usage: `[${SELECTOR_USAGE}]`,
  details: [
    'Writes a line for each key, {"key": …, "value": …}, which kvctl import takes again. Bytes that are',
    'not UTF-8 stand in base64, as "key64" and "value64". A key with a lease has what remains of it',
    'as "ttl"; that two keys share a lease is not kept. Without a selector it is the whole store. All',
    "is of one revision, also while others write. A file is complete, or it is not there.",
  ].join(" "),
  options: [
    ...SELECTOR_OPTIONS,
    { flags: "--rev <revision>", description: "as it was at this revision" },
    AT_OPTION,
    { flags: "-o, --out <file>", description: "write to a file" },
  ],
  examples: [
    { run: "kvctl export -o store.jsonl", says: "everything, into a file" },
    { run: "kvctl export --prefix city/ | gzip > cities.jsonl.gz", says: "a part, compressed" },
    {
      run: "kvctl export --rev 41 | kvctl import - --server other:7856",
      says: "into another server",
    },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { verb, words, flags, output } = invocation;
  const format = flags.text("output");
  if (format === "table" || format === "raw") {
    throw new UsageError(`export writes JSON Lines, not ${format}; see kvctl range`);
  }
  const selector = selectorFrom(verb, words, flags, { all: true });
  const revision = await revisionFrom(invocation);
  const kv = await invocation.connect();
  const file = flags.text("out");
  const toFile = file !== undefined && file !== "-";
  // Counting first makes the bar honest, and tells of a server that is not there before a file is.
  const total = toFile ? (await kv.count(selector, defined({ revision }))).count : undefined;
  if (file !== undefined) await output.writeTo(file);
  const progress = toFile ? await startProgress(output, { label: "exporting", total }) : undefined;
  try {
    const { keys, at } = await writeLines(invocation, { kv, selector, revision, progress });
    progress?.stop();
    if (toFile) output.note(`exported ${keys} keys of revision ${at} to ${file}`);
  } finally {
    progress?.stop();
  }
  return EXIT.ok;
}

interface Export {
  readonly kv: Kvd;
  readonly selector: SelectorLike;
  readonly revision: number | undefined;
  readonly progress: Progress | undefined;
}

async function writeLines(
  { output, signal }: Invocation,
  { kv, selector, revision, progress }: Export,
): Promise<{ keys: number; at: number }> {
  const leases = new LeaseTimes(kv.lease, { signal });
  const options = { ...defined({ revision }), signal };
  let keys = 0;
  let at = 0;
  for await (const page of pages(kv, { selector, options, limit: 0 })) {
    await leases.learn(page.entries);
    for (const entry of page.entries) {
      const text = lineOf(entry, leases.remainingMs(entry));
      await output.write(`${output.jsonText(text)}\n`);
    }
    keys += page.entries.length;
    at = page.revision;
    progress?.update(keys, keys);
  }
  return { keys, at };
}

function lineOf(entry: Entry, ttlMs: number | undefined): string {
  const form = {
    ...bytesForm("key", entry.keyBytes),
    ...bytesForm("value", entry.bytes),
    ...(ttlMs === undefined ? {} : { ttl: secondsText(ttlMs) }),
  };
  return JSON.stringify(form);
}
