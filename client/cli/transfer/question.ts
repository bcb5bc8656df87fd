// Asks before something is deleted; where nobody can be asked, --yes has to be given.

import { createInterface } from "node:readline/promises";
import type { Invocation } from "../command.js";
import { UsageError } from "../failure.js";
import { plainLine } from "../terminal-text.js";

/** Is there somebody to ask? Not where standard input is what is read. */
export function requireAnswer(
  { flags, output }: Pick<Invocation, "flags" | "output">,
  options: { readonly what: string; readonly inputTaken?: boolean },
): void {
  if (flags.on("yes")) return;
  const terminal = process.stdin.isTTY === true && output.notesToTerminal;
  if (terminal && options.inputTaken !== true) return;
  throw new UsageError(`${options.what}: add --yes if that is meant`);
}

/** Asks on the terminal, unless --yes was given. */
export async function confirmed(
  { flags, output }: Pick<Invocation, "flags" | "output">,
  question: string,
): Promise<boolean> {
  if (flags.on("yes")) return true;
  output.prompt(`${plainLine(question)} [y/N] `);
  return await answeredYes();
}

async function answeredYes(): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin });
  try {
    for await (const line of terminal) return /^y(?:es)?$/i.test(line.trim());
    return false;
  } finally {
    terminal.close();
  }
}
