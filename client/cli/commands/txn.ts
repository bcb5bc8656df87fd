// kvctl txn: compares, then one list of operations or the other, in one revision.

import type { TxnSpec } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { FormError, objectFromJson } from "../json-forms.js";
import { canAsk } from "../question.js";
import { txnFromArguments, txnFromText } from "../txn-grammar.js";
import { txnFromForm } from "../txn-json.js";
import { writeTxnResult } from "../txn-results.js";
import { readInput } from "../values.js";

export const txnCommand: CommandDefinition = {
  usage: "[COMPARE…] -- OPERATION [';' OPERATION…] [-- OPERATION…] | - | --json FILE",
  details: [
    "When all compares hold, what follows the first -- is done, else what follows the second one:",
    "atomically, in one revision. Compares: mod(KEY), create(KEY), version(KEY), lease(KEY) and",
    "value(KEY) with =, !=, < or >; exists(KEY), !exists(KEY). An absent key counts as 0. KEY may be",
    "--prefix P, --start S --end E or --all. Operations: put KEY VALUE, get KEY, del, range, with",
    "the flags of those commands after the words. Words with blanks go in double quotes with JSON's",
    "escapes; on the command line the shell's quotes do it. With - the same comes from standard",
    "input, where lines end operations. Flags of kvctl itself go before the first --. Without any of",
    "this, on a terminal, it asks for each part, shows the whole, and asks before it sends it.",
  ].join(" "),
  options: [
    { flags: "--exit-code", description: "end with 1 when the compares do not hold" },
    { flags: "--json <file>", description: "the txn as JSON, from a file; - is standard input" },
  ],
  examples: [
    {
      run: "kvctl txn 'mod(a) = 0' 'value(b) = \"x\"' -- put a 1 ';' del b -- get a",
      says: "if a is absent and b is x, write a and delete b; else read a",
    },
    {
      run: "kvctl txn '!exists(leader)' -- put leader me --ttl 30s -- get leader",
      says: "become the leader, or learn who is",
    },
    {
      run: "printf 'version(n) = 3\\n--\\nput n 4\\n' | kvctl txn - --exit-code",
      says: "from standard input; 1 when it does not hold",
    },
    { run: "kvctl txn", says: "asked for at the terminal, part by part" },
    {
      run: `echo '{"success": [{"put": {"key": "a", "value": "1"}}]}' | kvctl txn --json -`,
      says: "as JSON, which can nest",
    },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, output, signal } = invocation;
  const format = flags.text("output");
  if (format === "raw" || format === "table") {
    throw new UsageError(`txn writes text, json or jsonl, not ${format}`);
  }
  const spec = await specFrom(invocation);
  const kv = await invocation.connect();
  const result = await kv.txn(spec, { signal });
  await writeTxnResult(output, spec, result);
  return result.succeeded || !flags.on("exit-code") ? EXIT.ok : EXIT.negative;
}

async function specFrom(invocation: Invocation): Promise<TxnSpec> {
  const { words, tail, flags, output, signal } = invocation;
  const file = flags.text("json");
  if (file !== undefined) {
    if (words.length > 0 || tail !== undefined) {
      throw new UsageError("--json and a txn on the command line exclude each other");
    }
    return specFromJson(await readInput(file));
  }
  if (words.length === 1 && words[0] === "-" && tail === undefined) {
    return txnFromText(textOf(await readInput("-")));
  }
  const compares = words.slice(0, words.length - (tail?.length ?? 0));
  if (compares.length === 0 && tail === undefined) {
    if (canAsk(output)) return (await import("../txn-dialog.js")).txnFromDialog(output, signal);
    throw new UsageError("txn needs operations: kvctl txn 'mod(a) = 0' -- put a 1 -- get a");
  }
  return txnFromArguments([...compares, ...(tail === undefined ? [] : ["--", ...tail])]);
}

function specFromJson(bytes: Uint8Array): TxnSpec {
  try {
    return txnFromForm(objectFromJson(bytes));
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    throw new Failure(EXIT.invalid, `the txn: ${error.message}`, { cause: error });
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r\n/g, "\n");
  } catch (error) {
    throw new Failure(EXIT.invalid, "the txn is not UTF-8", { cause: error });
  }
}
