// kvctl put: writes one key.

import type { PutResult } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { roughText, secondsText } from "../duration.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { entryForm, leaseForm } from "../json-forms.js";
import type { Output } from "../output.js";
import { PUT_OPTIONS, putOptionsFrom } from "../put-options.js";
import { KEY_ENCODING, keyFromText } from "../selectors.js";
import { lineText } from "../terminal-text.js";
import { INPUT_OPTION, valueFrom } from "../values.js";

export const putCommand: CommandDefinition = {
  usage: "KEY VALUE | KEY - | KEY -i FILE",
  details: [
    "VALUE is text; - reads standard input to its end, -i a file, both byte by byte. After --, a",
    "value is taken as it is, also when it starts with a dash or is one. The answer, on standard",
    "output, is the revision of the write: `revision 42`; --quiet leaves it out.",
  ].join(" "),
  options: [
    INPUT_OPTION,
    ...PUT_OPTIONS,
    { flags: "--json", description: "refuse a value that is not JSON" },
    KEY_ENCODING,
  ],
  examples: [
    { run: "kvctl put kenya:capital Nairobi", says: "write text" },
    { run: "kvctl put offset -- -5", says: "a value that starts with a dash" },
    { run: "date | kvctl put last-run - --ttl 1h", says: "from standard input, for an hour" },
    { run: "kvctl put logo.png -i logo.png", says: "a file, byte by byte" },
    {
      run: 'kvctl put leader "$HOSTNAME" --if-absent',
      says: "the first one wins; others end with 1",
    },
    { run: "kvctl put config --json -i config.json --expect-rev 41", says: "unless it changed" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, output, signal } = invocation;
  const [key] = words;
  if (key === undefined) throw new UsageError("put needs a key and a value: put KEY VALUE");
  const options = putOptionsFrom(flags);
  const bytes = keyFromText(flags, key);
  const value = await valueFrom(invocation);
  if (flags.on("json")) checkJson(value);
  const kv = await invocation.connect();
  const result = await kv.put(bytes, value, { ...options, signal });
  await writeResult(output, result, { previous: flags.on("prev") });
  return EXIT.ok;
}

function checkJson(value: string | Uint8Array): void {
  try {
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    JSON.parse(typeof value === "string" ? value : utf8.decode(value));
  } catch (error) {
    const text = `the value is not JSON: ${(error as Error).message}; nothing was written`;
    throw new Failure(EXIT.invalid, text, { cause: error });
  }
}

async function writeResult(
  output: Output,
  result: PutResult,
  { previous }: { readonly previous: boolean },
): Promise<void> {
  const { revision, leaseId, ttlMs } = result;
  if (output.format === "json" || output.format === "jsonl") {
    const before = result.previous;
    await output.json({
      revision,
      ...leaseForm(leaseId),
      ...(ttlMs === undefined ? {} : { ttl: secondsText(ttlMs) }),
      ...(previous ? { previous: before ? entryForm(before, { keysOnly: false }) : null } : {}),
    });
    return;
  }
  if (output.format === "raw") {
    if (result.previous !== undefined) await output.write(result.previous.bytes);
    return;
  }
  const lease = leaseId === 0n ? "" : `, lease ${leaseId}, ttl ${roughText(ttlMs ?? 0)}`;
  if (!output.quiet) await output.line(`revision ${revision}${lease}`);
  if (!previous) return;
  const before = result.previous;
  await output.line(
    before === undefined
      ? "previous: none"
      : `previous: revision ${before.modRevision}\t${lineText(before.bytes)}`,
  );
}
