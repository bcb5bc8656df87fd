// What kvctl diff compares: the words of its command line as two sides.
//
//   app/          keys that start so, as they are now     @41   all keys, at a revision
//   app/@41       the same at a revision                  -     rows on standard input
//   store.jsonl   a file, which must be there: names that end in .jsonl, .ndjson, .csv or .words
//   file:PATH     any file or folder                      prefix:X   keys, whatever X looks like

import { stat } from "node:fs/promises";
import { UsageError } from "../failure.js";
import type { Flags } from "../flags.js";
import { keyFromText } from "../selectors.js";
import { formatFromName } from "./format.js";

export type DiffSide =
  | {
      readonly kind: "keys";
      /** Empty: all keys. */
      readonly prefix: Uint8Array;
      /** Undefined: now. */
      readonly revision: number | undefined;
    }
  | { readonly kind: "file"; readonly path: string };

export interface DiffSides {
  readonly left: DiffSide;
  readonly right: DiffSide;
}

const ALL: DiffSide = { kind: "keys", prefix: new Uint8Array(0), revision: undefined };

/** @throws UsageError that says what to give. */
export async function sidesFrom(words: readonly string[], flags: Flags): Promise<DiffSides> {
  const [first, second, excess] = words;
  if (excess !== undefined) {
    throw new UsageError(`diff takes LEFT and RIGHT; "${excess}" is too much (quote blanks)`);
  }
  const servers = flags.given("right-server");
  const left = first === undefined ? ALL : await sideFrom(first, flags);
  const right = second === undefined ? counterpart(left) : await sideFrom(second, flags);
  if (left.kind === "file" && right.kind === "file" && servers) {
    throw new UsageError("--right-server goes with keys on the right, not with two files");
  }
  if (right.kind === "file" && servers) {
    throw new UsageError("--right-server goes with keys on the right; give the file on the left");
  }
  if (first === "-" && second === "-") throw new UsageError("standard input can be one side only");
  const same = left.kind === "keys" && second === undefined && left.revision === undefined;
  if (!same || servers) return { left, right };
  const what = first === undefined ? "diff needs two sides" : `"${first}" is one side`;
  throw new UsageError(`${what}: kvctl diff LEFT RIGHT, such as app/ other/, or @41, or a FILE`);
}

/** Without a RIGHT, what is on the left is compared with how it is now. */
function counterpart(left: DiffSide): DiffSide {
  return left.kind === "file" ? ALL : { ...left, revision: undefined };
}

async function sideFrom(word: string, flags: Flags): Promise<DiffSide> {
  if (word === "-") return { kind: "file", path: word };
  if (word.startsWith("file:")) return { kind: "file", path: word.slice("file:".length) };
  if (!word.startsWith("prefix:") && formatFromName(word) !== undefined) {
    if (await isFile(word)) return { kind: "file", path: word };
    throw new UsageError(`there is no file "${word}"; prefix:${word} means keys that start so`);
  }
  const text = word.startsWith("prefix:") ? word.slice("prefix:".length) : word;
  const found = /^(.*)@(\d{1,16}|now)$/s.exec(text);
  const prefix = Buffer.from(keyFromText(flags, found?.[1] ?? text));
  const at = found?.[2];
  const revision = at === undefined || at === "now" ? undefined : Number(at);
  if (revision === 0) throw new UsageError(`"${word}": revisions begin at 1`);
  return { kind: "keys", prefix, revision };
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
