// The file that contexts are kept in: TOML that kvctl writes and people may edit.
//
//   current = "prod"
//   previous = "dev"
//   [contexts.prod]
//   server = "10.0.0.7:7856"
//
// It is replaced whole, so that a reader never sees a half, and only its owner may read it. What
// is not understood in it is an error with the place, never skipped: the next command would go to
// another server than the one that was meant.

import { readFileSync, realpathSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parse, stringify, TomlError } from "smol-toml";
import { EXIT } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { CONTEXT_SETTINGS, type Context } from "../settings.js";
import { fileErrorText, isFileError } from "../values.js";

/** The name that stands for no context: the local server and the defaults. */
export const NO_CONTEXT = "default";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const HEAD = "# Written by kvctl context; may be edited.\n";

export interface ContextFile {
  readonly current: string;
  /** What `kvctl context -` goes back to. */
  readonly previous: string;
  readonly contexts: ReadonlyMap<string, Context["settings"]>;
}

/** @throws UsageError for what cannot be a context's name. */
export function checkContextName(name: string): void {
  if (name === NO_CONTEXT) {
    throw new UsageError(`"${NO_CONTEXT}" is no context's name: it stands for the local server`);
  }
  if (NAME.test(name)) return;
  const rule = "letters, digits, dots, dashes and underscores, at most 63";
  throw new UsageError(`a context's name has ${rule}, not "${name}"`);
}

/** An empty one when it is not there. @throws UsageError with the place of what is wrong in it. */
export function readContextFile(path: string): ContextFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (!isFileError(error)) throw error;
    if (error.code === "ENOENT") {
      return { current: NO_CONTEXT, previous: NO_CONTEXT, contexts: new Map() };
    }
    throw new UsageError(`cannot read ${path}: ${fileErrorText(error)}`, { cause: error });
  }
  return fileFromText(text, path);
}

export function fileFromText(text: string, path: string): ContextFile {
  let root: Readonly<Record<string, unknown>>;
  try {
    root = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = error.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "");
    throw new UsageError(`${path}, line ${error.line}: ${what}`, { cause: error });
  }
  const wrong = (what: string) => new UsageError(`${path}: ${what}`);
  const { current = NO_CONTEXT, previous = NO_CONTEXT, contexts = {}, ...others } = root;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw wrong(`there is no setting ${unknown}`);
  if (typeof current !== "string") throw wrong("current is the name of a context, in quotes");
  if (typeof previous !== "string") throw wrong("previous is the name of a context, in quotes");
  if (!isTable(contexts)) throw wrong("contexts are tables: [contexts.NAME]");
  const entries = Object.entries(contexts).map(([name, table]) => {
    if (!NAME.test(name) || name === NO_CONTEXT) throw wrong(`"${name}" is no context's name`);
    if (!isTable(table)) throw wrong(`the context ${name} is a table: [contexts.${name}]`);
    return [name, settingsFromTable(name, table, wrong)] as const;
  });
  return { current, previous, contexts: new Map(entries) };
}

function settingsFromTable(
  context: string,
  table: Readonly<Record<string, unknown>>,
  wrong: (what: string) => UsageError,
): Context["settings"] {
  for (const [name, value] of Object.entries(table)) {
    if (!CONTEXT_SETTINGS.some((known) => known === name)) {
      const known = CONTEXT_SETTINGS.join(", ");
      throw wrong(`the context ${context} has no setting ${name}; there are ${known}`);
    }
    if (typeof value !== "string")
      throw wrong(`${name} of the context ${context} is text in quotes`);
  }
  return { ...table };
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws Failure */
export async function writeContextFile(path: string, file: ContextFile): Promise<void> {
  const { current, previous, contexts } = file;
  const marks = [
    ...(current === NO_CONTEXT ? [] : [["current", current]]),
    ...(previous === NO_CONTEXT ? [] : [["previous", previous]]),
  ];
  const tables = contexts.size === 0 ? {} : { contexts: Object.fromEntries(contexts) };
  const text = HEAD + stringify({ ...Object.fromEntries(marks), ...tables });
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await replaceFile(fileBehind(path), `${text.trimEnd()}\n`);
  } catch (error) {
    if (!isFileError(error)) throw error;
    const said = `cannot write ${path}: ${fileErrorText(error)}`;
    throw new Failure(EXIT.internal, said, { cause: error });
  }
}

/** People keep such files elsewhere, and a link in their place. */
function fileBehind(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    await writeFile(partial, text, { mode: 0o600, flag: "wx", flush: true });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
