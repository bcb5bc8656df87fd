// kvctl get: the value of a key; with a selector of many keys, a listing.

import type { Entry } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { defined } from "../defined.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import type { Flags } from "../flags.js";
import { revisionFrom } from "../history/revision-at.js";
import { bytesForm, entryForm } from "../json-forms.js";
import { prettyJson } from "../json-pretty.js";
import { KEYS_ONLY, LISTING_OPTIONS, listingFrom } from "../listing.js";
import { rowWriter } from "../rows.js";
import { runListing } from "../run-listing.js";
import { SELECTOR_OPTIONS, SELECTOR_USAGE, selectorFrom, singleKey } from "../selectors.js";
import { blockText, lineText, safeJson } from "../terminal-text.js";

export const getCommand: CommandDefinition = {
  usage: SELECTOR_USAGE,
  details: [
    "The value is written as it is stored, and a newline after it. With --output raw, or to a file,",
    "nothing is added. On a terminal, control characters show as escapes, unless the output is raw.",
    "An absent key prints nothing and ends with 1. With --prefix, --start, --end or --all it is the",
    "same as kvctl range.",
  ].join(" "),
  options: [
    ...SELECTOR_OPTIONS,
    ...LISTING_OPTIONS,
    KEYS_ONLY,
    { flags: "--json", description: "the value is JSON: print it indented" },
    { flags: "--default <value>", description: "what to print when the key is absent" },
    { flags: "-o, --out <file>", description: "write to a file" },
  ],
  examples: [
    { run: "kvctl get kenya:capital", says: "print a value" },
    { run: "kvctl get country:KE --json", says: "print a JSON value indented" },
    { run: "kvctl get logo.png -o logo.png", says: "the exact bytes, into a file" },
    { run: "kvctl get retries --default 3", says: "an answer for an absent key" },
    { run: "kvctl get config --rev 41", says: "as it was at revision 41" },
    { run: "kvctl get config --at '10m ago'", says: "as it was ten minutes ago" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { verb, words, flags, output, signal } = invocation;
  const selector = selectorFrom(verb, words, flags);
  const single = singleKey(selector);
  refuse(flags, single ? ["limit", "reverse"] : ["json", "default"], single);
  const revision = await revisionFrom(invocation);
  const listing = listingFrom(selector, flags, { revision, signal });
  const file = flags.text("out");
  if (!single) {
    if (file !== undefined) await output.writeTo(file);
    return runListing(invocation, listing, { keysOnly: flags.on("keys-only") });
  }
  const kv = await invocation.connect();
  const { key } = selector as { key: string | Uint8Array };
  const entry = await kv.get(key, { ...defined({ revision }), signal });
  const fallback = flags.text("default");
  if (entry === undefined && fallback === undefined) {
    const shown = typeof key === "string" ? Buffer.from(key) : key;
    const when = revision === undefined ? "" : ` at revision ${revision}`;
    throw new Failure(EXIT.negative, `there is no key "${lineText(shown)}"${when}`);
  }
  if (file !== undefined) await output.writeTo(file);
  if (entry === undefined) await writeDefault(invocation, key, Buffer.from(fallback ?? ""));
  else await writeEntry(invocation, entry);
  return EXIT.ok;
}

function refuse(flags: Flags, names: readonly string[], single: boolean): void {
  const given = names.find((name) => flags.given(name));
  if (given === undefined) return;
  const other = single ? "a listing: --prefix, --start, --end, --all" : "one KEY";
  throw new UsageError(`--${given} goes with ${other}`);
}

/** As JSON it is told apart from an entry. */
async function writeDefault(
  invocation: Invocation,
  key: string | Uint8Array,
  value: Uint8Array,
): Promise<void> {
  const { flags, output } = invocation;
  if (output.format !== "json" && output.format !== "jsonl") {
    await writeValue(invocation, value);
    return;
  }
  if (flags.on("json")) jsonOf(value);
  const named = bytesForm("key", typeof key === "string" ? Buffer.from(key) : key);
  await output.json({ ...named, ...bytesForm("value", value), default: true });
}

async function writeEntry(invocation: Invocation, entry: Entry): Promise<void> {
  const { flags, output } = invocation;
  const keysOnly = flags.on("keys-only");
  if (flags.on("json") && !keysOnly) jsonOf(entry.bytes);
  if (output.format === "json" || output.format === "jsonl") {
    await output.json(entryForm(entry, { keysOnly }));
    return;
  }
  if (output.format === "table" || keysOnly) {
    const writer = rowWriter(output, { keysOnly });
    await writer.row({ kind: "entry", entry });
    await writer.end({ revision: entry.modRevision, more: false });
    return;
  }
  await writeValue(invocation, entry.bytes);
}

async function writeValue({ flags, output }: Invocation, bytes: Uint8Array): Promise<void> {
  if (flags.on("json")) {
    const text = jsonOf(bytes);
    await output.line(output.toTerminal ? safeJson(text) : text);
    return;
  }
  if (output.format === "raw" || flags.given("out")) {
    await output.write(bytes);
    return;
  }
  await output.write(output.toTerminal ? blockText(bytes) : bytes);
  await output.write("\n");
}

function jsonOf(bytes: Uint8Array): string {
  try {
    return prettyJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    const text = `the value is not JSON: ${(error as Error).message}; leave --json out to see it`;
    throw new Failure(EXIT.invalid, text, { cause: error });
  }
}
