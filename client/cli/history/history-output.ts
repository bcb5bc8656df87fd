// Versions in each of the output formats. In text, values are shortened to a line that is easy to
// read; as JSON they are whole.

import { diffText } from "../diff-output.js";
import { bytesForm, entryForm, type JsonObject, leaseForm } from "../json-forms.js";
import { JsonList } from "../json-list.js";
import type { Output } from "../output.js";
import { tableText } from "../table.js";
import { lineText } from "../terminal-text.js";
import { localTime } from "./moment.js";
import type { Version } from "./versions.js";

const SHOWN_CHARACTERS = 60;
/** Enough for as many characters, in any script. */
const SHOWN_BYTES = 4 * SHOWN_CHARACTERS;
const UNKNOWN_TIME = "before the history ".length;

export interface HistoryOptions {
  /** Of many keys. */
  readonly withKeys: boolean;
  readonly diff: boolean;
}

export interface HistoryFacts {
  readonly revision: number;
  readonly compactRevision: number;
}

export async function writeVersions(
  output: Output,
  versions: readonly Version[],
  { facts, ...options }: HistoryOptions & { readonly facts: HistoryFacts },
): Promise<void> {
  if (output.format === "json") {
    const list = new JsonList(output, "versions");
    for (const version of versions) await list.item(versionForm(version, options));
    await list.end(facts);
  } else if (output.format === "jsonl") {
    for (const version of versions) await output.json(versionForm(version, options));
  } else if (output.format === "table") {
    const head = ["revision", "time", "what", ...(options.withKeys ? ["key"] : []), "value"];
    const rows = versions.map((version) => cells(version, options));
    await output.line(await tableText(head, rows, { right: [0] }));
  } else {
    for (const version of versions) await writeText(output, version, options);
  }
}

function versionForm(version: Version, { diff }: HistoryOptions): JsonObject {
  const { revision, keyBytes, time, what, entry, previous } = version;
  return {
    revision,
    time: time?.toISOString() ?? null,
    type: what === "put" ? "put" : "delete",
    ...(what === "put" ? {} : { reason: what }),
    ...bytesForm("key", keyBytes),
    ...(entry === undefined
      ? {}
      : {
          ...bytesForm("value", entry.bytes),
          createRevision: entry.createRevision,
          version: entry.version,
          ...leaseForm(entry.leaseId),
        }),
    ...(diff && previous !== undefined
      ? { previous: entryForm(previous, { keysOnly: false }) }
      : {}),
  };
}

async function writeText(output: Output, version: Version, options: HistoryOptions) {
  const { revision, time, what, keyBytes, entry, previous } = version;
  const head = [
    String(revision).padStart(7),
    (time === undefined ? "before the history" : localTime(time)).padEnd(UNKNOWN_TIME),
    output.style(what === "put" ? "green" : "red", what.padEnd(7)),
    ...(options.withKeys ? [lineText(keyBytes)] : []),
  ].join(" ");
  const values = { before: previous?.bytes, after: entry?.bytes };
  const diff = options.diff ? diffText(output, values, "".padEnd(8)) : undefined;
  if (diff === undefined) {
    const separator = options.withKeys ? "\t" : " ";
    await output.line(
      entry === undefined ? head.trimEnd() : head + separator + shortened(entry.bytes),
    );
    return;
  }
  await output.line(head.trimEnd());
  if (diff !== "") await output.line(diff);
}

function cells({ revision, time, what, keyBytes, entry }: Version, options: HistoryOptions) {
  return [
    String(revision),
    time === undefined ? "" : localTime(time),
    what,
    ...(options.withKeys ? [lineText(keyBytes)] : []),
    entry === undefined ? "" : shortened(entry.bytes),
  ];
}

/** One line, with a mark where it was cut. */
export function shortened(bytes: Uint8Array): string {
  const cut = bytes.length > SHOWN_BYTES ? wholeCharacters(bytes) : bytes;
  const text = lineText(cut);
  const characters = [...text];
  if (characters.length <= SHOWN_CHARACTERS && cut.length === bytes.length) return text;
  return `${characters.slice(0, SHOWN_CHARACTERS).join("")}…`;
}

/** The beginning, without a character that was cut in two. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  let end = SHOWN_BYTES;
  while (end > SHOWN_BYTES - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
