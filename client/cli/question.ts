// Questions to the person at the terminal, on standard error. Where nobody can be asked, --yes has
// to be given before something is deleted, and other answers are no.

import { createInterface } from "node:readline";
import type { Invocation } from "./command.js";
import { UsageError } from "./failure.js";
import type { Output } from "./output.js";
import { plainLine } from "./terminal-text.js";

/** Is there somebody to ask? */
export function canAsk(output: Output): boolean {
  return process.stdin.isTTY === true && output.notesToTerminal;
}

/** Refuses where there is nobody to ask; nor is there where standard input is what is read. */
export function requireAnswer(
  { flags, output }: Pick<Invocation, "flags" | "output">,
  options: { readonly what: string; readonly inputTaken?: boolean },
): void {
  if (flags.on("yes")) return;
  if (canAsk(output) && options.inputTaken !== true) return;
  throw new UsageError(`${options.what}: add --yes if that is meant`);
}

/** Asks on the terminal, unless --yes was given. @throws the signal's reason */
export async function confirmed(
  { flags, output, signal }: Pick<Invocation, "flags" | "output" | "signal">,
  question: string,
): Promise<boolean> {
  if (flags.on("yes")) return true;
  output.prompt(`${plainLine(question)} [y/N] `);
  const answer = await answerOf(signal);
  // The terminal shows no end of the line after Ctrl-C, or Ctrl-D.
  if (answer === undefined) output.prompt("\n");
  signal.throwIfAborted();
  return /^y(?:es)?$/i.test(answer?.trim() ?? "");
}

/** @param options `otherwise`: what an empty line means. */
export async function askYesNo(
  { output, signal }: Pick<Invocation, "output" | "signal">,
  question: string,
  { otherwise }: { readonly otherwise: boolean },
): Promise<boolean> {
  if (!canAsk(output)) return false;
  output.prompt(question);
  const answer = await answerOf(signal);
  if (answer === undefined) return false;
  return answer.trim() === "" ? otherwise : /^y(?:es)?$/i.test(answer.trim());
}

/** Undefined when there is none any more. */
function answerOf(signal: AbortSignal): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin });
  const answered = new Promise<string | undefined>((resolve) => {
    terminal.once("line", resolve);
    terminal.once("close", () => resolve(undefined));
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  return answered.finally(() => terminal.close());
}
