// What changed between two values, line by line; JSON is indented first, so that it has lines.

import { isUtf8 } from "node:buffer";
import { prettyJson } from "./json-pretty.js";

export interface DiffLine {
  readonly sign: "+" | "-" | " ";
  readonly text: string;
}

/** Above this the table of the comparison would cost more than the answer is worth. */
const MAX_LINES = 2_000;

/** Lines that are the same, before and after each change; the others are only counted. */
const CONTEXT_LINES = 3;

/** Undefined when one of them is no text, or too long to compare. */
export function diffOfValues(
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
): DiffLine[] | undefined {
  const old = linesOf(before);
  const now = linesOf(after);
  if (old === undefined || now === undefined) return undefined;
  if (old.length > MAX_LINES || now.length > MAX_LINES) return undefined;
  return withContext(diffOfLines(old, now));
}

function linesOf(bytes: Uint8Array | undefined): string[] | undefined {
  if (bytes === undefined) return [];
  if (!isUtf8(bytes)) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  try {
    return prettyJson(text).split("\n");
  } catch {
    return text.split("\n");
  }
}

/** The fewest lines out and in, by the longest common subsequence. */
export function diffOfLines(old: readonly string[], now: readonly string[]): DiffLine[] {
  const width = now.length + 1;
  const common = new Uint16Array((old.length + 1) * width);
  const at = (row: number, column: number) => common[row * width + column] ?? 0;
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = now.length - 1; column >= 0; column -= 1) {
      common[row * width + column] =
        old[row] === now[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: DiffLine[] = [];
  let row = 0;
  let column = 0;
  while (row < old.length || column < now.length) {
    if (row < old.length && column < now.length && old[row] === now[column]) {
      lines.push({ sign: " ", text: old[row] ?? "" });
      row += 1;
      column += 1;
    } else if (
      row < old.length &&
      (column >= now.length || at(row + 1, column) >= at(row, column + 1))
    ) {
      lines.push({ sign: "-", text: old[row] ?? "" });
      row += 1;
    } else {
      lines.push({ sign: "+", text: now[column] ?? "" });
      column += 1;
    }
  }
  return lines;
}

/** With "…" in place of lines that are the same and far from any change. */
export function withContext(lines: readonly DiffLine[]): DiffLine[] {
  const near = new Set<number>();
  for (const [index, { sign }] of lines.entries()) {
    if (sign === " ") continue;
    for (let at = index - CONTEXT_LINES; at <= index + CONTEXT_LINES; at += 1) near.add(at);
  }
  const shown: DiffLine[] = [];
  let far: DiffLine[] = [];
  const tell = () => {
    // One line takes no more room than that there is one.
    if (far.length <= 1) shown.push(...far);
    else shown.push({ sign: " ", text: `\u2026 ${far.length} lines` });
    far = [];
  };
  for (const [index, line] of lines.entries()) {
    if (!near.has(index)) far.push(line);
    else {
      tell();
      shown.push(line);
    }
  }
  tell();
  return shown;
}
