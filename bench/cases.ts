// The cases of the suite, in the order in which they run.

import type { Case } from "./case.js";
import { batchCase, durableBatchCase } from "./cases/batch.js";
import { bigMemoryCase, memoryCase } from "./cases/memory.js";
import { getCase, putCase } from "./cases/unary.js";

export const CASES: readonly Case[] = [
  getCase,
  putCase,
  batchCase,
  durableBatchCase,
  memoryCase,
  bigMemoryCase,
];

/** Those that a pattern names; without any the quick set, and the big ones if they are wanted. */
export function chosenCases(
  cases: readonly Case[],
  { patterns, big }: { readonly patterns: readonly RegExp[]; readonly big: boolean },
): readonly Case[] {
  if (patterns.length === 0) return cases.filter((one) => big || one.big !== true);
  return cases.filter(({ name }) =>
    patterns.some((pattern) =>
      // "memory" means the case of that name alone, not batch-memory as well.
      cases.some((one) => one.name === pattern.source)
        ? pattern.source === name
        : pattern.test(name),
    ),
  );
}
