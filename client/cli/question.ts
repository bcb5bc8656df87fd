// A question to the person at the terminal, on standard error. Where there is nobody to be asked,
// the answer is no.

import { createInterface } from "node:readline/promises";
import type { Output } from "./output.js";

/** Can anybody be asked? */
export function canAsk(output: Output): boolean {
  return process.stdin.isTTY === true && output.notesToTerminal;
}

/** @param otherwise what an empty line means. */
export async function askYesNo(
  output: Output,
  question: string,
  { otherwise }: { readonly otherwise: boolean },
): Promise<boolean> {
  if (!canAsk(output)) return false;
  output.prompt(question);
  const terminal = createInterface({ input: process.stdin });
  try {
    for await (const line of terminal) {
      const text = line.trim();
      return text === "" ? otherwise : /^y(?:es)?$/i.test(text);
    }
    return false;
  } finally {
    terminal.close();
  }
}
