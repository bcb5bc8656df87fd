// Rows from a folder: each file's path below it is a key, its content the value.
//
// Symbolic links are not followed, so that nothing from outside gets in; what is no regular file is
// told of and left out. Names are read as bytes, and the folders in the order of these.

import type { Dirent } from "node:fs";
import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { lineText } from "../terminal-text.js";
import { fileErrorText, isFileError } from "../values.js";
import { broken, ROW_MAX_BYTES, type RowItem } from "./row-item.js";
import { keyFromNames } from "./tree-names.js";

type Entry = Dirent<Buffer>;

/** Files of a folder, so that one does not wait for the disk of the other. */
const READ_TOGETHER = 8;

/** @param leftOut is told of what is neither a file nor a folder. */
export async function* rowsFromTree(
  folder: string,
  leftOut: (path: string, why: string) => void,
): AsyncGenerator<RowItem> {
  yield* below(Buffer.from(folder), [], leftOut);
}

async function* below(
  folder: Buffer,
  names: readonly Buffer[],
  leftOut: (path: string, why: string) => void,
): AsyncGenerator<RowItem> {
  const entries = await entriesOf(folder);
  for (let at = 0; at < entries.length; at += READ_TOGETHER) {
    const some = entries.slice(at, at + READ_TOGETHER).map((entry) => {
      const path = Buffer.concat([folder, Buffer.from("/"), entry.name]);
      const inner = [...names, entry.name];
      const item = entry.isFile() ? itemOf(path, inner) : undefined;
      // Nobody may be left to await it, when an item before it ends the reading.
      item?.catch(() => {});
      return { entry, path, inner, item };
    });
    for (const { entry, path, inner, item } of some) {
      if (item !== undefined) yield await item;
      else if (entry.isDirectory()) yield* below(path, inner, leftOut);
      else leftOut(lineText(path), entry.isSymbolicLink() ? "a symbolic link" : "no regular file");
    }
  }
}

async function entriesOf(folder: Buffer): Promise<Entry[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true, encoding: "buffer" });
    return entries.sort((one, other) => Buffer.compare(one.name, other.name));
  } catch (error) {
    if (!isFileError(error)) throw error;
    const text = `cannot read ${lineText(folder)}: ${fileErrorText(error)}`;
    throw new Failure(EXIT.usage, text, { cause: error });
  }
}

async function itemOf(path: Buffer, names: readonly Buffer[]): Promise<RowItem> {
  const place = `file ${lineText(path)}`;
  try {
    const value = await contentOf(path);
    if (value === undefined) return broken(place, "it is larger than any server takes");
    const key = keyFromNames(names);
    if (key.length === 0) return broken(place, "its name stands for an empty key");
    return { kind: "row", row: { key, value, ttlMs: undefined }, place };
  } catch (error) {
    if (!isFileError(error)) throw error;
    return broken(place, fileErrorText(error));
  }
}

const VALUE_MAX_BYTES = 4 * ROW_MAX_BYTES;

async function contentOf(path: Buffer): Promise<Buffer | undefined> {
  // It may have become a link since the folder was read.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await file.stat();
    return size > VALUE_MAX_BYTES ? undefined : await file.readFile();
  } finally {
    await file.close();
  }
}
