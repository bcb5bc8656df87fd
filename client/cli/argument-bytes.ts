// Node gives arguments as text, and what was not UTF-8 as U+FFFD: a key would be written that
// nobody typed. Where the system tells the bytes of the command line (Linux), that is found out.

import { readFileSync } from "node:fs";

const REPLACEMENT = "\uFFFD";
const COMMAND_LINE = "/proc/self/cmdline";

/** Whether an argument holds bytes that are not UTF-8. */
export function hasForeignBytes(argv: readonly string[]): boolean {
  if (!argv.some((word) => word.includes(REPLACEMENT))) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(COMMAND_LINE));
    return false;
  } catch (error) {
    // Anything else: the system does not tell.
    return error instanceof TypeError;
  }
}
