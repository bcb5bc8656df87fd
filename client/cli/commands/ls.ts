// kvctl ls: keys, one level at a time, as a file system shows them.

import type { CommandDefinition, Invocation } from "../command.js";
import { defined } from "../defined.js";
import type { ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { revisionFrom } from "../history/revision-at.js";
import { LISTING_OPTIONS, listingFrom } from "../listing.js";
import { runListing } from "../run-listing.js";
import { KEY_ENCODING, keyFromText } from "../selectors.js";

export const lsCommand: CommandDefinition = {
  usage: "[PREFIX]",
  details: [
    "Lists the keys that start with PREFIX, or all. Those that go on after the next / show as one row",
    "that ends with it. Keys and rows are in the order of their bytes, all of one revision. A key with",
    "control characters shows in double quotes. With --output raw, keys end with a NUL byte each.",
  ].join(" "),
  options: [
    { flags: "--delimiter <text>", description: "fold at this instead of /" },
    { flags: "--recursive", description: "do not fold: all keys" },
    { flags: "-l, --long", description: "with the revision and the size of the value" },
    ...LISTING_OPTIONS,
    KEY_ENCODING,
    { flags: "-o, --out <file>", description: "write to a file" },
  ],
  examples: [
    { run: "kvctl ls", says: "the top level" },
    { run: "kvctl ls city/KE/", says: "what is below city/KE/" },
    { run: "kvctl ls kenya: --delimiter :", says: "with another delimiter" },
    { run: "kvctl ls city/KE/ --recursive --output raw | xargs -0 -n1 echo", says: "keys, safely" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, output, signal } = invocation;
  const [prefix, excess] = words;
  if (excess !== undefined) throw new UsageError(`ls takes one PREFIX; "${excess}" is too much`);
  const recursive = flags.on("recursive");
  if (recursive && flags.given("delimiter")) {
    throw new UsageError("--recursive and --delimiter exclude each other");
  }
  const delimiter = recursive ? undefined : (flags.text("delimiter") ?? "/");
  if (delimiter === "") throw new UsageError("--delimiter is empty; --recursive folds nothing");
  const named = prefix !== undefined && prefix !== "";
  const selector = named ? { prefix: keyFromText(flags, prefix) } : ({ all: true } as const);
  const long = flags.on("long");
  const revision = await revisionFrom(invocation);
  const more = { ...defined({ delimiter }), keysOnly: !long, revision, signal };
  const listing = listingFrom(selector, flags, more);
  const file = flags.text("out");
  if (file !== undefined) await output.writeTo(file);
  return runListing(invocation, listing, { keysOnly: true, long });
}
