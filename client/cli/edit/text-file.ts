// The file that an editor gets: in a folder that only its owner can open, named so that the editor
// knows what it holds. It is removed, unless somebody's work would be lost with it.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { fileErrorText, isFileError } from "../values.js";

const NAME_MAX = 60;

export class TextFile {
  readonly path: string;
  readonly #folder: string;
  #kept = false;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.path = join(folder, name);
  }

  /** @throws Failure */
  static async create(name: string, bytes: Uint8Array): Promise<TextFile> {
    try {
      const folder = await mkdtemp(join(tmpdir(), "kvctl-edit-"));
      const file = new TextFile(folder, name);
      await writeFile(file.path, bytes, { mode: 0o600, flag: "wx" });
      return file;
    } catch (error) {
      throw failureOf("write", tmpdir(), error);
    }
  }

  /** @throws Failure */
  async read(): Promise<Uint8Array> {
    try {
      return await readFile(this.path);
    } catch (error) {
      throw failureOf("read", this.path, error);
    }
  }

  /** It stays when all is over. */
  keep(): void {
    this.#kept = true;
  }

  async close(): Promise<void> {
    if (!this.#kept) await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The end of the key, in characters that are harmless in a name, with a suffix. */
export function fileNameOf(key: string, value: Uint8Array): string {
  const last =
    key
      .split("/")
      .filter((part) => part !== "")
      .at(-1) ?? "";
  const name = last.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^[.-]+/, "");
  const end = name.slice(-NAME_MAX) || "value";
  if (/\.[A-Za-z0-9]{1,8}$/.test(end)) return end;
  return `${end}${isJsonText(value) ? ".json" : ".txt"}`;
}

/** An object or a list; a word or a number alone would be JSON, too. */
function isJsonText(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString("utf8");
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function failureOf(verb: string, path: string, error: unknown): unknown {
  if (!isFileError(error)) return error;
  const text = `cannot ${verb} ${path}: ${fileErrorText(error)}`;
  return new Failure(EXIT.usage, text, { cause: error });
}
