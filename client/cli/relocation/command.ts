// What `mv` and `cp` share: their words, their flags, their answers.

import type { KeyLike } from "../../index.js";
import type { Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { keyBytesOf, quotedKey } from "../key-argument.js";
import type { OptionDefinition } from "../option.js";
import { KEY_ENCODING, keyFromText } from "../selectors.js";
import { isJson } from "../value-output.js";
import { relocateKey } from "./single.js";
import { type Relocated, relocateTree } from "./tree.js";

export const RELOCATION_USAGE = "FROM TO | --prefix FROM TO";

export const RELOCATION_OPTIONS: readonly OptionDefinition[] = [
  { flags: "--prefix <prefix>", description: "all keys that start with this; TO takes its place" },
  { flags: "--force", description: "write over keys that are there already" },
  KEY_ENCODING,
];

export async function runRelocation(
  invocation: Invocation,
  { moves }: { readonly moves: boolean },
): Promise<ExitCode> {
  const { flags, output, settings, signal } = invocation;
  const { from, to, tree } = wordsOf(invocation);
  const kv = await invocation.connect();
  const options = { moves, force: flags.on("force"), signal, timeoutMs: settings.timeoutMs };
  const result: Relocated = tree
    ? await relocateTree(kv, { from, to }, options)
    : { keys: 1, revision: await relocateKey(kv, { from, to }, options) };
  if (result.keys === 0) {
    throw new Failure(EXIT.negative, `there are no keys that start with ${quotedKey(from)}`);
  }
  const done = moves ? "moved" : "copied";
  const { keys, revision } = result;
  if (isJson(output)) await output.json({ [done]: keys, revision });
  else if (!output.quiet && output.format !== "raw") {
    await output.line(`${done} ${keys}, revision ${revision}`);
  }
  return EXIT.ok;
}

function wordsOf({ verb, words, flags }: Invocation) {
  const prefix = flags.text("prefix");
  const all = prefix === undefined ? words : [prefix, ...words];
  const [first, second, excess] = all;
  if (first === undefined || second === undefined) {
    throw new UsageError(`${verb} takes FROM and TO: ${verb} ${RELOCATION_USAGE}`);
  }
  if (excess !== undefined) {
    throw new UsageError(`${verb} takes FROM and TO; "${excess}" is too much (quote blanks)`);
  }
  const from = keyFromText(flags, first);
  const to = keyFromText(flags, second);
  const tree = prefix !== undefined;
  refuseOverlap({ from, to, tree });
  return { from, to, tree };
}

/** Where the one is in the other, what is written would be among what is to be moved. */
function refuseOverlap(given: { from: KeyLike; to: KeyLike; tree: boolean }): void {
  const from = Buffer.from(keyBytesOf(given.from));
  const to = Buffer.from(keyBytesOf(given.to));
  if (from.equals(to)) throw new UsageError(`FROM and TO are the same: ${quotedKey(from)}`);
  if (!given.tree) return;
  const shorter = Math.min(from.length, to.length);
  if (!from.subarray(0, shorter).equals(to.subarray(0, shorter))) return;
  const text = `${quotedKey(from)} and ${quotedKey(to)} overlap: one starts with the other`;
  throw new UsageError(`${text}; go by a third prefix`);
}
