// A value as the editor shows it, and what was saved as a value again.
//
// A final newline is the editor's habit and not the person's wish: where the value had none, none
// is written. With --json the value is shown indented, and goes back on one line if it was on one.

import { isUtf8 } from "node:buffer";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { compactJson, prettyJson } from "../json-pretty.js";

export class NotJson extends Failure {
  override readonly name: string = "NotJson";

  constructor(message: string, cause: unknown) {
    super(EXIT.invalid, message, { cause });
  }
}

export interface EditForm {
  readonly shown: Uint8Array;
  /** Undefined when nothing has changed. @throws NotJson when it is none, but has to be. */
  valueOf(saved: Uint8Array): Uint8Array | undefined;
}

const NEWLINE = 0x0a;

/** Byte by byte, but for a final newline. */
export function plainForm(value: Uint8Array): EditForm {
  return {
    shown: value,
    valueOf(saved) {
      const taken = value.at(-1) === NEWLINE ? saved : withoutNewline(saved);
      return Buffer.compare(taken, value) === 0 ? undefined : taken;
    },
  };
}

/** @throws NotJson when the value is none. An empty one is none yet. */
export function jsonForm(value: Uint8Array): EditForm {
  const before = jsonTextOf(value, "the value is not JSON: leave --json out to edit it");
  const shown = value.length === 0 ? "" : `${prettyJson(before)}\n`;
  const oneLine = value.length > 0 && !before.trimEnd().includes("\n");
  const end = before.endsWith("\n") ? "\n" : "";
  return {
    shown: Buffer.from(shown),
    valueOf(saved) {
      const text = Buffer.from(saved).toString("utf8");
      if (isUtf8(saved) && text.trimEnd() === shown.trimEnd()) return undefined;
      const checked = jsonTextOf(saved, "what was saved is not JSON");
      const written = oneLine ? compactJson(checked) : checked.replace(/\n$/, "");
      return Buffer.from(written + end);
    },
  };
}

function withoutNewline(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === NEWLINE ? bytes.subarray(0, -1) : bytes;
}

function jsonTextOf(bytes: Uint8Array, what: string): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (text !== "") JSON.parse(text);
    return text;
  } catch (error) {
    throw new NotJson(`${what}: ${(error as Error).message}`, error);
  }
}
