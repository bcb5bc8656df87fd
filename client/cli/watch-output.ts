// Events in each of the output formats.

import type { Entry, WatchEvent } from "../index.js";
import { type DiffLine, diffOfValues } from "./diff.js";
import { entryForm, eventForm } from "./json-forms.js";
import type { Output } from "./output.js";
import { blockText, lineText } from "./terminal-text.js";

export interface EventOptions {
  readonly diff: boolean;
  readonly previous: boolean;
}

/** json is one document a line, as jsonl: a stream has no end that a document could wait for. */
export async function writeEvent(
  output: Output,
  event: WatchEvent,
  options: EventOptions,
): Promise<void> {
  if (output.format === "raw") {
    if (event.type === "put") await output.write(event.entry.bytes);
    return;
  }
  if (isJson(output)) {
    await output.line(output.jsonText(JSON.stringify(eventForm(event))));
    return;
  }
  const value = event.type === "put" ? lineText(event.entry.bytes) : `(${event.reason})`;
  const shown = options.diff ? diffText(output, event) : undefined;
  const told = shown === undefined || event.type === "delete" ? `\t${value}` : "";
  await output.line(headText(output, event) + told);
  if (shown !== undefined) {
    if (shown !== "") await output.line(shown);
  } else if (options.previous && event.previous !== undefined) {
    const was = event.previous;
    await output.line(`${"".padStart(8)}was revision ${was.modRevision}\t${lineText(was.bytes)}`);
  }
}

/** A present entry, before the events. */
export async function writeCurrent(output: Output, entry: Entry): Promise<void> {
  if (output.format === "raw") await output.write(entry.bytes);
  else if (!isJson(output)) {
    const head = `${String(entry.modRevision).padStart(7)} current `;
    await output.line(`${head}${lineText(entry.keyBytes)}\t${lineText(entry.bytes)}`);
  } else {
    const form = { type: "current", ...entryForm(entry, { keysOnly: false }) };
    await output.line(output.jsonText(JSON.stringify(form)));
  }
}

/** The present entries are complete. */
export async function writeSynced(output: Output, revision: number): Promise<void> {
  if (isJson(output)) {
    await output.line(JSON.stringify({ type: "synced", revision }));
  } else if (output.format !== "raw") {
    output.note(`these are all entries of revision ${revision}; changes follow`);
  }
}

function headText(output: Output, event: WatchEvent): string {
  const type =
    event.type === "put" ? output.style("green", "put    ") : output.style("red", "delete ");
  return `${String(event.revision).padStart(7)} ${type} ${lineText(event.keyBytes)}`;
}

function diffText(output: Output, event: WatchEvent): string | undefined {
  const after = event.type === "put" ? event.entry.bytes : undefined;
  const lines = diffOfValues(event.previous?.bytes, after);
  if (lines === undefined) return undefined;
  return lines.map((line) => diffLineText(output, line)).join("\n");
}

function diffLineText(output: Output, { sign, text }: DiffLine): string {
  const shown = `${"".padStart(8)}${sign} ${blockText(Buffer.from(text))}`;
  if (sign === " ") return output.style("dim", shown);
  return output.style(sign === "+" ? "green" : "red", shown);
}

/** A table needs an end, so one that the environment asks for is text. */
function isJson(output: Output): boolean {
  return output.format === "json" || output.format === "jsonl";
}
