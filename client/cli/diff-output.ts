// The difference of two values as lines with a sign, in colours where they are wanted.

import { type DiffLine, diffOfValues } from "./diff.js";
import type { Output } from "./output.js";
import { blockText } from "./terminal-text.js";

const SIGN_STYLES = { "+": "green", "-": "red", " ": "dim" } as const;

/** Undefined where values cannot be compared line by line: no text, or too long. */
export function diffText(
  output: Output,
  values: { readonly before: Uint8Array | undefined; readonly after: Uint8Array | undefined },
  indent: string,
): string | undefined {
  const lines = diffOfValues(values.before, values.after);
  return lines?.map((line) => lineOf(output, line, indent)).join("\n");
}

function lineOf(output: Output, { sign, text }: DiffLine, indent: string): string {
  const shown = `${indent}${sign} ${blockText(Buffer.from(text))}`;
  return output.style(SIGN_STYLES[sign], shown);
}
