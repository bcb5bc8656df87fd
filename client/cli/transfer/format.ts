// In which form rows are in a file: asked for, or guessed from its name.

import { stat } from "node:fs/promises";
import { UsageError } from "../failure.js";
import type { Flags } from "../flags.js";
import type { OptionDefinition } from "../option.js";

const ROW_FORMATS = ["jsonl", "csv", "words", "files"] as const;
export type RowFormat = (typeof ROW_FORMATS)[number];

export const FORMAT_OPTION: OptionDefinition = {
  flags: "--format <format>",
  choices: ROW_FORMATS,
  description: "jsonl, csv, words or files; guessed from the file's name if not given",
};

export const CSV_OPTIONS: readonly OptionDefinition[] = [
  { flags: "--key-column <name>", description: "the column of a CSV file that is the key" },
  { flags: "--value-column <name>", description: "the column of a CSV file that is the value" },
  { flags: "--no-header", description: "a CSV file begins with a row: key, value, perhaps ttl" },
];

/** A name that ends so tells what is in it. */
const ENDINGS: readonly (readonly [RegExp, RowFormat])[] = [
  [/\.(?:jsonl|ndjson)$/i, "jsonl"],
  [/\.csv$/i, "csv"],
  [/\.words$/i, "words"],
];

/** Undefined when the name tells nothing. */
export function formatFromName(path: string): RowFormat | undefined {
  return ENDINGS.find(([ending]) => ending.test(path))?.[1];
}

/** Of a file to be read; a folder is one of files. @throws UsageError */
export async function inputFormat(flags: Flags, path: string): Promise<RowFormat> {
  const folder = path !== "-" && (await isFolder(path));
  const format = givenFormat(flags) ?? (folder ? "files" : (formatFromName(path) ?? "jsonl"));
  if ((format === "files") !== folder) {
    const text = folder
      ? `${path} is a folder: --format files reads one`
      : `--format files reads a folder, and ${path === "-" ? "standard input" : path} is none`;
    throw new UsageError(text);
  }
  for (const flag of ["key-column", "value-column", "no-header"]) {
    const given = flag === "no-header" ? !flags.on("header") : flags.given(flag);
    if (given && format !== "csv") {
      throw new UsageError(`--${flag} goes with CSV, and ${path} is read as ${format}`);
    }
    if (given && flag !== "no-header" && !flags.on("header")) {
      throw new UsageError(`--${flag} and --no-header exclude each other`);
    }
  }
  return format;
}

/** Of a file to be written. @throws UsageError */
export async function outputFormat(flags: Flags, path: string | undefined): Promise<RowFormat> {
  const toFile = path !== undefined && path !== "-";
  const guessed = toFile ? formatFromName(path) : undefined;
  const folder = toFile && (path.endsWith("/") || (await isFolder(path)));
  const format = givenFormat(flags) ?? guessed ?? (folder ? "files" : "jsonl");
  if (format !== "files") return format;
  if (!toFile) throw new UsageError("--format files writes a folder: name it with -o FOLDER");
  return format;
}

function givenFormat(flags: Flags): RowFormat | undefined {
  const text = flags.text("format");
  const found = ROW_FORMATS.find((name) => name === text);
  if (text === undefined || found !== undefined) return found;
  throw new UsageError(`--format is one of ${ROW_FORMATS.join(", ")}, not "${text}"`);
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}
