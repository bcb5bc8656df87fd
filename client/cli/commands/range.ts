// kvctl range: keys and values.

import type { CommandDefinition, Invocation } from "../command.js";
import type { ExitCode } from "../exit-codes.js";
import { revisionFrom } from "../history/revision-at.js";
import { KEYS_ONLY, LISTING_OPTIONS, listingFrom } from "../listing.js";
import { runListing } from "../run-listing.js";
import { SELECTOR_OPTIONS, SELECTOR_USAGE, selectorFrom } from "../selectors.js";

export const rangeCommand: CommandDefinition = {
  usage: SELECTOR_USAGE,
  details: [
    "Prints a line for each entry: the key, a tab, the value; in double quotes with escapes where they",
    "hold control characters. The order is that of the keys' bytes, and all is of one revision. For",
    "programs: --output jsonl. With --output raw, the values follow each other with nothing between.",
    "A selector without any key is an empty answer, and ends with 0.",
  ].join(" "),
  options: [
    ...SELECTOR_OPTIONS,
    ...LISTING_OPTIONS,
    KEYS_ONLY,
    { flags: "-o, --out <file>", description: "write to a file" },
  ],
  examples: [
    { run: "kvctl range --prefix country:", says: "all that start so" },
    { run: "kvctl range --start a --end b --limit 10 --output table", says: "a few of a range" },
    { run: "kvctl range --all --keys-only --reverse", says: "all keys, the highest first" },
    { run: "kvctl range --prefix country: --output jsonl | jq -r .key", says: "for programs" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { verb, words, flags, output, signal } = invocation;
  const selector = selectorFrom(verb, words, flags);
  const listing = listingFrom(selector, flags, {
    revision: await revisionFrom(invocation),
    signal,
  });
  const file = flags.text("out");
  if (file !== undefined) await output.writeTo(file);
  return runListing(invocation, listing, { keysOnly: flags.on("keys-only") });
}
