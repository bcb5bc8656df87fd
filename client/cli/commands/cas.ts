// kvctl cas: compare and swap. Writes a value only if the present one is what is expected.

import type { Compare, TxnResult } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { entryForm } from "../json-forms.js";
import { quotedKey } from "../key-argument.js";
import { LEASE_OPTIONS, leaseOptionsFrom } from "../lease-flags.js";
import { KEY_ENCODING, keyFromText } from "../selectors.js";
import { isJson, writeValue } from "../value-output.js";
import { INPUT_OPTION, readInput } from "../values.js";

export const casCommand: CommandDefinition = {
  usage: "KEY EXPECTED NEW | KEY --expected FILE NEW | KEY --absent NEW",
  details: [
    "Writes NEW only if the value is EXPECTED, byte by byte, or with --absent only if there is no such",
    "key. When that does not hold, nothing is written: it ends with 1, and prints the value that is",
    "there. NEW may be - for standard input, or -i FILE; EXPECTED may come from a file, too. To compare",
    "revisions instead of values: kvctl put --expect-rev. The key keeps its lease, unless --ttl or",
    "--lease is given.",
  ].join(" "),
  options: [
    { flags: "--absent", description: "expect that there is no such key" },
    { flags: "--expected <file>", description: "take EXPECTED from a file" },
    INPUT_OPTION,
    ...LEASE_OPTIONS,
    KEY_ENCODING,
  ],
  examples: [
    { run: "kvctl cas state open closed", says: "close it, unless somebody else did" },
    { run: 'kvctl cas leader --absent "$HOSTNAME" --ttl 30s', says: "or learn who leads" },
    { run: "kvctl cas app.conf --expected old.conf -i new.conf", says: "from files" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, output, signal } = invocation;
  const lease = leaseOptionsFrom(flags);
  const { key, compare, value } = await wantedFrom(invocation);
  const kv = await invocation.connect();
  const result = await kv.txn(
    {
      compare: [compare],
      success: [{ kind: "put", key, value, options: lease }],
      failure: [{ kind: "get", key, options: {} }],
    },
    { signal },
  );
  const present = presentOf(result);
  if (isJson(output)) {
    const told = present === undefined ? null : entryForm(present, { keysOnly: false });
    const { succeeded, revision } = result;
    await output.json({ succeeded, revision, ...(succeeded ? {} : { entry: told }) });
  } else if (result.succeeded) {
    const said = !output.quiet && output.format !== "raw";
    if (said) await output.line(`revision ${result.revision}`);
  } else if (present !== undefined) {
    await writeValue(output, present.bytes);
  }
  if (result.succeeded) return EXIT.ok;
  const why =
    present === undefined
      ? "it is absent"
      : `it has another value, of revision ${present.modRevision}`;
  const known = flags.on("absent") && present !== undefined ? "it is there already" : why;
  throw new Failure(EXIT.negative, `${quotedKey(key)} was not written: ${known}`);
}

async function wantedFrom({ words, tail, flags }: Invocation) {
  const absent = flags.on("absent");
  const expectedFile = flags.text("expected");
  const input = flags.text("input");
  if (absent && expectedFile !== undefined) {
    throw new UsageError("--absent and --expected exclude each other");
  }
  const names = [
    "KEY",
    ...(absent || expectedFile !== undefined ? [] : ["EXPECTED"]),
    ...(input === undefined ? ["NEW"] : []),
  ];
  if (words.length !== names.length) {
    throw new UsageError(`cas takes ${names.join(" ")} here, not ${words.length} words`);
  }
  const given = (name: string) => words[names.indexOf(name)] ?? "";
  const key = keyFromText(flags, given("KEY"));
  const last = given("NEW");
  const literal = tail !== undefined && tail.length > 0;
  if (expectedFile === "-" && (input === "-" || (last === "-" && !literal))) {
    throw new UsageError("standard input cannot be both EXPECTED and NEW");
  }
  const compare: Compare = absent
    ? { selector: { key }, relation: "=", target: { kind: "exists", value: false } }
    : {
        selector: { key },
        relation: "=",
        target: { kind: "value", value: await expectedOf(expectedFile, given("EXPECTED")) },
      };
  if (input !== undefined) return { key, compare, value: await readInput(input) };
  return { key, compare, value: last === "-" && !literal ? await readInput("-") : last };
}

function expectedOf(file: string | undefined, word: string): string | Promise<Uint8Array> {
  return file === undefined ? word : readInput(file);
}

function presentOf({ succeeded, results: [first] }: TxnResult) {
  return !succeeded && first?.kind === "get" ? first.entry : undefined;
}
