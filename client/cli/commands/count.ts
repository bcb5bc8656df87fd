// kvctl count: how many keys a selector has.

import type { CommandDefinition, Invocation } from "../command.js";
import { defined } from "../defined.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { AT_OPTION } from "../history/moment.js";
import { revisionFrom } from "../history/revision-at.js";
import { SELECTOR_OPTIONS, SELECTOR_USAGE, selectorFrom } from "../selectors.js";

export const countCommand: CommandDefinition = {
  usage: SELECTOR_USAGE,
  details: "Prints the number alone. 0 is an answer, and ends with 0.",
  options: [
    ...SELECTOR_OPTIONS,
    { flags: "--rev <revision>", description: "as it was at this revision" },
    AT_OPTION,
    { flags: "--limit <count>", description: "stop counting there; 0: count all" },
    { flags: "--delimiter <text>", description: "count what ls would fold as one" },
  ],
  examples: [
    { run: "kvctl count --all", says: "all keys" },
    { run: "kvctl count --prefix city/ --delimiter /", says: "how many countries" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { verb, words, flags, output, signal } = invocation;
  const selector = selectorFrom(verb, words, flags);
  const options = defined({
    revision: await revisionFrom(invocation),
    limit: flags.number("limit"),
    delimiter: flags.text("delimiter"),
    signal,
  });
  const kv = await invocation.connect();
  const { revision, count, more } = await kv.count(selector, options);
  if (output.format === "json" || output.format === "jsonl") {
    await output.json({ count, revision, more });
    return EXIT.ok;
  }
  await output.line(String(count));
  if (more) output.note("there are more; --limit ended the counting");
  return EXIT.ok;
}
