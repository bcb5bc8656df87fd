// kvctl undo: takes back what one revision did.

import type { Kvd } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { numberFromText } from "../flags.js";
import { changedSince, type Inverse, inverseOf } from "../history/inverse.js";
import { localTime } from "../history/moment.js";
import { formOfTxn, textOfTxn } from "../txn-text.js";
import { isJson } from "../value-output.js";

export const undoCommand: CommandDefinition = {
  usage: "REVISION",
  details: [
    "Prints the inverse of a revision as a txn that kvctl txn - takes (with --output json, kvctl txn",
    "--json -): each key that it changed gets back what it had before, values and leases, or goes if it",
    "was new. With --yes the txn is applied instead of printed, in one new revision, and only if all of",
    "the keys are still as that revision left them; otherwise nothing is written, the first key that",
    "was changed since is named, and it ends with 1. A lease that is over does not come back.",
  ].join(" "),
  options: [{ flags: "--yes", description: "apply it" }],
  examples: [
    { run: "kvctl undo 41", says: "what would be done" },
    { run: "kvctl undo 41 --yes", says: "do it, unless somebody changed one of the keys since" },
    { run: "kvctl undo 41 | kvctl txn - --exit-code", says: "the same in two steps" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, output, signal } = invocation;
  const [word, excess] = words;
  if (word === undefined) throw new UsageError("undo needs a REVISION; kvctl history shows them");
  if (excess !== undefined)
    throw new UsageError(`undo takes one REVISION; "${excess}" is too much`);
  const revision = numberFromText("REVISION", word);
  if (output.format === "raw" || output.format === "table") {
    throw new UsageError(`undo writes text, json or jsonl, not ${output.format}`);
  }
  const kv = await invocation.connect();
  const inverse = await inverseOf(kv, revision, signal);
  for (const remark of inverse.remarks) output.note(remark);
  if (flags.on("yes")) return apply(invocation, { kv, revision, inverse });
  await print(invocation, { kv, revision, inverse });
  return EXIT.ok;
}

interface Undoing {
  readonly kv: Kvd;
  readonly revision: number;
  readonly inverse: Inverse;
}

async function apply(
  { output, signal }: Invocation,
  { kv, revision, inverse }: Undoing,
): Promise<ExitCode> {
  const result = await kv.txn(inverse.spec, { signal });
  if (!result.succeeded) {
    const why = (await changedSince(kv, inverse, signal)) ?? "one of its keys was changed since";
    throw new Failure(EXIT.negative, `revision ${revision} was not undone: ${why}`);
  }
  const { keys } = inverse;
  if (isJson(output)) await output.json({ undone: revision, keys, revision: result.revision });
  else if (!output.quiet) await output.line(`undone ${keys}, revision ${result.revision}`);
  return EXIT.ok;
}

async function print({ output, signal }: Invocation, { kv, revision, inverse }: Undoing) {
  const { spec, time } = inverse;
  if (isJson(output)) {
    await output.json(formOfTxn(spec));
  } else {
    const text = textOfTxn(spec);
    if (text === undefined) {
      const ways = `--output json prints it, kvctl undo ${revision} --yes applies it`;
      throw new Failure(EXIT.invalid, `revision ${revision} holds bytes that are no text; ${ways}`);
    }
    await output.line(`# The inverse of revision ${revision}, of ${localTime(time)}.`);
    await output.line(text);
  }
  const why = await changedSince(kv, inverse, signal);
  await output.flush();
  if (why !== undefined) output.note(`it does not hold any more: ${why}`);
}
