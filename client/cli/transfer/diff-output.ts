// Differences in each of the output formats: "+" is on the right alone, "-" on the left alone, "~"
// has other values, whose lines are compared.

import { type DiffLine, diffOfValues } from "../diff.js";
import { bytesForm } from "../json-forms.js";
import { JsonList } from "../json-list.js";
import type { Output } from "../output.js";
import { tableText } from "../table.js";
import { blockText, lineText } from "../terminal-text.js";

export interface Difference {
  readonly key: Uint8Array;
  /** At least one of the two. */
  readonly left: Uint8Array | undefined;
  readonly right: Uint8Array | undefined;
}

export interface DiffTally {
  added: number;
  removed: number;
  changed: number;
  same: number;
}

export interface DiffWriter {
  difference(difference: Difference): Promise<void>;
  end(tally: DiffTally): Promise<void>;
}

export type DifferenceKind = "added" | "removed" | "changed";

export function kindOf({ left, right }: Pick<Difference, "left" | "right">): DifferenceKind {
  if (left === undefined) return "added";
  return right === undefined ? "removed" : "changed";
}

const SIGNS = {
  added: { sign: "+", style: "green" },
  removed: { sign: "-", style: "red" },
  changed: { sign: "~", style: "yellow" },
} as const;

export function diffWriter(
  output: Output,
  options: { readonly keysOnly: boolean; readonly summary: boolean },
): DiffWriter {
  if (options.summary) return summaryWriter(output);
  switch (output.format) {
    case "text":
      return textWriter(output, options.keysOnly);
    case "json":
    case "jsonl":
      return jsonWriter(output, options.keysOnly);
    case "table":
      return tableWriter(output, options.keysOnly);
    case "raw":
      return {
        async difference({ key }) {
          await output.write(key);
          await output.write("\0");
        },
        async end() {},
      };
  }
}

export function tallyText({ added, removed, changed, same }: DiffTally): string {
  return `${added} added, ${removed} removed, ${changed} changed, ${same} the same`;
}

function summaryWriter(output: Output): DiffWriter {
  return {
    async difference() {},
    async end(tally) {
      if (output.format === "json" || output.format === "jsonl") await output.json(tally);
      else await output.line(tallyText(tally));
    },
  };
}

function textWriter(output: Output, keysOnly: boolean): DiffWriter {
  return {
    async difference(difference) {
      const { key, left, right } = difference;
      const kind = kindOf(difference);
      const { sign, style } = SIGNS[kind];
      const value = right ?? left;
      const shown = keysOnly || kind === "changed" || value === undefined ? "" : lineText(value);
      const after = shown === "" ? "" : `\t${shown}`;
      await output.line(output.style(style, `${sign} ${lineText(key)}${after}`));
      if (keysOnly || left === undefined || right === undefined) return;
      for (const line of linesOf(left, right)) await output.line(lineOf(output, line));
    },
    async end(tally) {
      output.note(tallyText(tally));
    },
  };
}

function linesOf(left: Uint8Array, right: Uint8Array): DiffLine[] {
  const lines = diffOfValues(left, right);
  // The same JSON in another form has no line that differs.
  if (lines?.some(({ sign }) => sign !== " ")) return hunks(lines);
  return [
    { sign: "-", text: lineText(left) },
    { sign: "+", text: lineText(right) },
  ];
}

const CONTEXT_LINES = 3;

/** What changed, with a few lines around it. */
function hunks(lines: readonly DiffLine[]): DiffLine[] {
  const near = lines.map(() => false);
  for (const [at, { sign }] of lines.entries()) {
    if (sign !== " ") near.fill(true, Math.max(0, at - CONTEXT_LINES), at + CONTEXT_LINES + 1);
  }
  return lines.flatMap((line, at) => {
    if (near[at]) return [line];
    return at === 0 || near[at - 1] ? [{ sign: " ", text: "…" } as const] : [];
  });
}

function lineOf(output: Output, { sign, text }: DiffLine): string {
  const shown = `    ${sign} ${blockText(Buffer.from(text))}`;
  if (sign === " ") return output.style("dim", shown);
  return output.style(sign === "+" ? "green" : "red", shown);
}

function jsonWriter(output: Output, keysOnly: boolean): DiffWriter {
  const form = (difference: Difference) => {
    const { key, left, right } = difference;
    return {
      change: kindOf(difference),
      ...bytesForm("key", key),
      ...(keysOnly || left === undefined ? {} : bytesForm("left", left)),
      ...(keysOnly || right === undefined ? {} : bytesForm("right", right)),
    };
  };
  if (output.format === "jsonl") {
    return {
      difference: (one) => output.line(output.jsonText(JSON.stringify(form(one)))),
      async end() {},
    };
  }
  const list = new JsonList(output, "differences");
  return { difference: (one) => list.item(form(one)), end: (tally) => list.end(tally) };
}

function tableWriter(output: Output, keysOnly: boolean): DiffWriter {
  const rows: string[][] = [];
  const cell = (bytes: Uint8Array | undefined) => (bytes === undefined ? "" : lineText(bytes));
  return {
    async difference(difference) {
      const { key, left, right } = difference;
      const values = keysOnly ? [] : [cell(left), cell(right)];
      rows.push([SIGNS[kindOf(difference)].sign, lineText(key), ...values]);
    },
    async end(tally) {
      const head = ["", "key", ...(keysOnly ? [] : ["left", "right"])];
      if (rows.length > 0) await output.line(await tableText(head, rows));
      output.note(tallyText(tally));
    },
  };
}
