// kvctl incr: adds to a number that is stored as decimal text, atomically.

import type { Kvd } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { untilUnchanged } from "../conflicts.js";
import { defined } from "../defined.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { bytesForm, leaseForm } from "../json-forms.js";
import { keyBytesOf, quotedKey } from "../key-argument.js";
import { LEASE_OPTIONS, leaseOptionsFrom } from "../lease-flags.js";
import { KEY_ENCODING, keyFromText } from "../selectors.js";
import { lineText } from "../terminal-text.js";
import { isJson } from "../value-output.js";

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;
const RANGE = `${MIN} to ${MAX}`;

const NUMBER = /^\s*([+-]?\d{1,20})\s*$/;
const SHOWN_BYTES = 64;

export const incrCommand: CommandDefinition = {
  usage: "KEY [BY]",
  details: [
    "Adds BY, 1 without it, to the whole number that the value is as decimal text, and prints the",
    `sum. An absent key counts as 0. From ${RANGE}; what would leave that,`,
    "or is no number, ends with 6, and nothing is written. It is atomic: when others write the key",
    "meanwhile it reads again, so no increment is lost. The key keeps its lease, unless --ttl or",
    "--lease is given.",
  ].join(" "),
  options: [...LEASE_OPTIONS, KEY_ENCODING],
  examples: [
    { run: "kvctl incr visits", says: "count, and print how many there are now" },
    { run: "kvctl incr stock/42 -3", says: "take three away" },
    { run: "kvctl incr next-id", says: "a number that nobody else gets" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, output, settings, signal } = invocation;
  const [word, by = "1", excess] = words;
  if (word === undefined) throw new UsageError("incr needs a key: incr KEY [BY]");
  if (excess !== undefined) throw new UsageError(`incr takes KEY and BY; "${excess}" is too much`);
  const key = keyFromText(flags, word);
  const step = NUMBER.test(by) ? BigInt(by) : undefined;
  if (step === undefined || step < MIN || step > MAX) {
    throw new UsageError(`BY is a whole number from ${RANGE}, not "${by}"`);
  }
  const lease = leaseOptionsFrom(flags);
  const kv = await invocation.connect();
  const retry = { signal, timeoutMs: settings.timeoutMs };
  const { before, sum, revision, leaseId } = await untilUnchanged(quotedKey(key), retry, () =>
    add(kv, { key, step, lease, signal }),
  );
  if (isJson(output)) {
    const previous = before === undefined ? null : String(before);
    const value = { value: String(sum), previous, revision, ...leaseForm(leaseId) };
    await output.json({ ...bytesForm("key", keyBytesOf(key)), ...value });
  } else if (output.format === "raw") await output.write(String(sum));
  else await output.line(String(sum));
  return EXIT.ok;
}

interface Addition {
  readonly key: string | Uint8Array;
  readonly step: bigint;
  readonly lease: ReturnType<typeof leaseOptionsFrom>;
  readonly signal: AbortSignal;
}

/** @throws KvdClientError PRECONDITION_FAILED when somebody else was faster. */
async function add(kv: Kvd, { key, step, lease, signal }: Addition) {
  const entry = await kv.get(key, { signal });
  const before = entry === undefined ? undefined : numberOf(key, entry.bytes);
  const sum = (before ?? 0n) + step;
  if (sum < MIN || sum > MAX) {
    const text = `${quotedKey(key)} is ${before ?? 0n}, and ${sum} would leave ${RANGE}`;
    throw new Failure(EXIT.invalid, `${text}; nothing was written`);
  }
  const expectedModRevision = entry?.modRevision ?? 0;
  const options = { ...defined(lease), expectedModRevision, signal };
  const { revision, leaseId } = await kv.put(key, String(sum), options);
  return { before, sum, revision, leaseId };
}

/** A newline that `echo` left after it does no harm. */
function numberOf(key: string | Uint8Array, bytes: Uint8Array): bigint {
  const text = NUMBER.exec(Buffer.from(bytes).toString("latin1"))?.[1];
  const value = text === undefined ? undefined : BigInt(text);
  if (value !== undefined && value >= MIN && value <= MAX) return value;
  const shown = lineText(bytes.subarray(0, SHOWN_BYTES));
  const more = bytes.length > SHOWN_BYTES ? "…" : "";
  const wrong = `the value of ${quotedKey(key)} is not a whole number from ${RANGE}: ${shown}${more}`;
  throw new Failure(EXIT.invalid, `${wrong}; nothing was written`);
}
