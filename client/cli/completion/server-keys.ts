// Keys for completion, from the server, folded at `/`: at most so many, within a moment, and
// silently none when the server does not answer.

import type { Kvd } from "../../index.js";
import { msFromText } from "../duration.js";
import type { Candidate } from "./candidates.js";

const KEYS_MAX = 100;
/** Nobody waits longer for a Tab, unless the server is far away. */
const BUDGET_MS = 300;
const DELIMITER = "/";

/** How long to wait: KVCTL_COMPLETION_TIMEOUT, if it is a duration. */
export function keysBudgetMs(environment: Readonly<Record<string, string | undefined>>): number {
  const { KVCTL_COMPLETION_TIMEOUT: text } = environment;
  return msFromText(text ?? "") || BUDGET_MS;
}

export async function keysOf(
  kv: Kvd,
  prefix: string,
  budgetMs: number,
): Promise<readonly Candidate[]> {
  try {
    const selector = prefix === "" ? ({ all: true } as const) : { prefix };
    const page = await kv.range(selector, {
      ...{ delimiter: DELIMITER, keysOnly: true, limit: KEYS_MAX, timeout: budgetMs },
    });
    const folded = page.commonPrefixBytes.map((bytes) => candidate(bytes, true));
    const whole = page.entries.map(({ keyBytes }) => candidate(keyBytes, false));
    return [...folded, ...whole].flat();
  } catch {
    return [];
  }
}

/** None for a key that is no text: no shell could take it as a word. */
function candidate(bytes: Uint8Array, partial: boolean): Candidate[] {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") ? [] : [{ text, partial }];
  } catch {
    return [];
  }
}
