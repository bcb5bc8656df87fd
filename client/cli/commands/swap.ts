// kvctl swap: writes a value and prints the one that it replaced, in one step.

import type { CommandDefinition, Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { entryForm, leaseForm } from "../json-forms.js";
import { quotedKey } from "../key-argument.js";
import { LEASE_OPTIONS, leaseOptionsFrom } from "../lease-flags.js";
import { KEY_ENCODING, keyFromText } from "../selectors.js";
import { isJson, writeValue } from "../value-output.js";
import { INPUT_OPTION, valueFrom } from "../values.js";

export const swapCommand: CommandDefinition = {
  usage: "KEY VALUE | KEY - | KEY -i FILE",
  details: [
    "Writes VALUE and prints the value that was there before, as kvctl get would: nobody can write in",
    "between. Where there was none, nothing is printed but a remark, and it ends with 0. VALUE is",
    "given as to kvctl put. The key keeps its lease, unless --ttl or --lease is given.",
  ].join(" "),
  options: [INPUT_OPTION, ...LEASE_OPTIONS, KEY_ENCODING],
  examples: [
    { run: 'kvctl swap owner "$HOSTNAME"', says: "take it over, and learn whose it was" },
    { run: "kvctl swap logo.png -i new.png --output raw > old.png", says: "exact bytes" },
    { run: "kvctl swap counter 0", says: "read and reset" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, output, signal } = invocation;
  const [word] = words;
  if (word === undefined) throw new UsageError("swap needs a key and a value: swap KEY VALUE");
  const key = keyFromText(flags, word);
  const lease = leaseOptionsFrom(flags);
  const value = await valueFrom(invocation);
  const kv = await invocation.connect();
  const result = await kv.put(key, value, { ...lease, returnPrevious: true, signal });
  const { revision, previous, leaseId } = result;
  if (isJson(output)) {
    const before = previous === undefined ? null : entryForm(previous, { keysOnly: false });
    await output.json({ revision, ...leaseForm(leaseId), previous: before });
  } else if (previous === undefined) {
    output.note(`there was no ${quotedKey(key)} before`);
  } else {
    await writeValue(output, previous.bytes);
  }
  return EXIT.ok;
}
