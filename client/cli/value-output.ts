// A value alone, as `get` prints it: its bytes and a newline; with --output raw nothing is added;
// on a terminal, control characters are escaped.

import type { Output } from "./output.js";
import { blockText } from "./terminal-text.js";

export async function writeValue(output: Output, bytes: Uint8Array): Promise<void> {
  if (output.format === "raw") {
    await output.write(bytes);
    return;
  }
  await output.write(output.toTerminal ? blockText(bytes) : bytes);
  await output.write("\n");
}

/** Are answers JSON documents? */
export function isJson(output: Output): boolean {
  return output.format === "json" || output.format === "jsonl";
}
