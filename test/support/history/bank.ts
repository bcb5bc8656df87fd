// Accounts between which money only moves: whoever reads all of them in one revision finds the same
// sum, always. A value is the balance, a blank, and what makes it unlike all others.

import { type History, showCall } from "./history.js";

export interface Bank {
  readonly prefix: string;
  readonly total: number;
}

export function balanceOf(value: string): number {
  return Number.parseInt(value, 10);
}

/** Reads of the whole bank that have found another sum. */
export function bankProblems({ calls }: History, { prefix, total }: Bank): string[] {
  return calls.flatMap((call) => {
    const { command, outcome } = call;
    if (outcome.kind !== "answered") return [];
    const branch = outcome.succeeded ? command.success : command.failure;
    return branch.flatMap((operation, index) => {
      const answer = outcome.answers[index];
      if (operation.kind !== "read" || answer?.kind !== "read") return [];
      if (!("prefix" in operation.keys) || operation.keys.prefix !== prefix) return [];
      const sum = answer.entries.reduce((sum, { value }) => sum + balanceOf(value), 0);
      return sum === total ? [] : [`${showCall(call)}: finds ${sum}, not ${total}`];
    });
  });
}
