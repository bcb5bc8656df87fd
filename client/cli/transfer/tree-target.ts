// Writes rows as files of a new folder. It gets its name when all is written, so that half a tree
// does not stand there as if it were whole.
//
// Every file is made anew and none is written over: what a file system holds for the same name
// (letters of either case, on some) is refused, not lost.

import { mkdir, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import type { Row } from "../json-forms.js";
import { lineText } from "../terminal-text.js";
import { fileErrorText, isFileError } from "../values.js";
import { besideFile, namesFromKey } from "./tree-names.js";

export class TreeTarget {
  readonly #path: string;
  readonly #partial: string;
  /** Those of the last row. In the order of keys, one that was left is not come back to. */
  #folders: { readonly name: string; readonly path: string }[] = [];

  private constructor(path: string, partial: string) {
    this.#path = path;
    this.#partial = partial;
  }

  /** @throws Failure unless the folder is not there yet, or empty. */
  static async open(path: string): Promise<TreeTarget> {
    const target = resolve(path);
    try {
      const present = await readdir(target).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      });
      if (present.length > 0) {
        const text = `${path} is not empty; export writes a new folder, and changes none`;
        throw new Failure(EXIT.usage, text);
      }
      const partial = `${target}.${process.pid}.partial`;
      await mkdir(partial);
      return new TreeTarget(target, partial);
    } catch (error) {
      throw failureOf(path, error);
    }
  }

  /** @throws Failure for a key that cannot be a file here. */
  async write({ key, value }: Row): Promise<void> {
    try {
      await writeFile(await this.#pathOf(namesFromKey(key)), value, { flag: "wx" });
    } catch (error) {
      throw failureOf(`the key ${lineText(key)} as a file`, error);
    }
  }

  async close(options: { readonly complete: boolean }): Promise<void> {
    if (!options.complete) {
      await rm(this.#partial, { recursive: true, force: true });
      return;
    }
    try {
      await rmdir(this.#path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
      await rename(this.#partial, this.#path);
    } catch (error) {
      await rm(this.#partial, { recursive: true, force: true });
      throw failureOf(this.#path, error);
    }
  }

  /** The folders above it are made. */
  async #pathOf(names: readonly string[]): Promise<string> {
    let path = this.#partial;
    for (const [at, name] of names.slice(0, -1).entries()) {
      if (this.#folders[at]?.name !== name) {
        this.#folders = this.#folders.slice(0, at);
        this.#folders.push({ name, path: await makeFolder(path, name) });
      }
      path = this.#folders[at]?.path ?? path;
    }
    return join(path, names.at(-1) ?? "");
  }
}

async function makeFolder(above: string, name: string): Promise<string> {
  try {
    await mkdir(join(above, name));
    return join(above, name);
  } catch (error) {
    if (!isFileError(error) || error.code !== "EEXIST") throw error;
  }
  const path = join(above, besideFile(name));
  await mkdir(path);
  return path;
}

function failureOf(what: string, error: unknown): unknown {
  if (!isFileError(error)) return error;
  const why =
    error.code === "EEXIST"
      ? "this file system holds its name for that of another key"
      : error.code === "ENAMETOOLONG"
        ? "its path would be too long"
        : error.code === "ENOENT"
          ? "there is no such folder"
          : fileErrorText(error);
  return new Failure(EXIT.usage, `cannot write ${what}: ${why}`, { cause: error });
}
