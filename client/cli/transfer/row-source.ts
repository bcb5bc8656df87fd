// The rows of a file, of standard input or of a folder, in any of the formats.

import { stat } from "node:fs/promises";
import { defined } from "../defined.js";
import type { Flags } from "../flags.js";
import { FormError } from "../json-forms.js";
import { openInput } from "../values.js";
import { inputFormat, type RowFormat } from "./format.js";
import { rowsFromJsonLines } from "./json-lines.js";
import { type KeyChange, keyChangeFrom } from "./key-change.js";
import { broken, type RowItem } from "./row-item.js";

export interface RowSource {
  /** Reads it, once. Nothing is opened before. @throws Failure when it cannot be read. */
  rows(): AsyncGenerator<RowItem>;
  /** Bytes in all; undefined when that is not known. */
  readonly total: number | undefined;
  /** Bytes so far. */
  readonly done: number;
  /** What was left out of a folder, and why. */
  readonly leftOut: number;
}

/** @param say is told what is left out of a folder. @throws UsageError */
export async function openRows(
  flags: Flags,
  path: string,
  say: (text: string) => void,
): Promise<RowSource> {
  const format = await inputFormat(flags, path);
  const change = keyChangeFrom(flags);
  const found = path === "-" ? undefined : await stat(path).catch(() => undefined);
  const total = found?.isFile() === true && found.size > 0 ? found.size : undefined;
  return new FileRows({ format, flags, path, change, say, total });
}

interface Opened {
  readonly format: RowFormat;
  readonly flags: Flags;
  readonly path: string;
  readonly change: KeyChange;
  readonly say: (text: string) => void;
  readonly total: number | undefined;
}

class FileRows implements RowSource {
  readonly #opened: Opened;
  done = 0;
  leftOut = 0;

  constructor(opened: Opened) {
    this.#opened = opened;
  }

  get total(): number | undefined {
    return this.#opened.total;
  }

  async *rows(): AsyncGenerator<RowItem> {
    for await (const item of this.#items()) {
      yield item.kind === "row" ? changed(item, this.#opened.change) : item;
    }
  }

  async *#items(): AsyncGenerator<RowItem> {
    const { format, flags, path, say } = this.#opened;
    switch (format) {
      case "jsonl":
        return yield* rowsFromJsonLines(this.#chunks());
      case "csv": {
        const { rowsFromCsv } = await import("./csv-rows.js");
        const [key, value] = [flags.text("key-column"), flags.text("value-column")];
        const header = flags.on("header");
        return yield* rowsFromCsv(this.#chunks(), { header, ...defined({ key, value }) });
      }
      case "words": {
        const { rowsFromWords } = await import("./words.js");
        return yield* rowsFromWords(this.#chunks());
      }
      case "files": {
        const { rowsFromTree } = await import("./tree-source.js");
        return yield* rowsFromTree(path, (left, why) => {
          this.leftOut += 1;
          say(`left out ${left}: ${why}`);
        });
      }
    }
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of openInput(this.#opened.path)) {
      this.done += chunk.length;
      yield chunk;
    }
  }
}

function changed(item: Extract<RowItem, { kind: "row" }>, change: KeyChange): RowItem {
  const { key } = item.row;
  try {
    const other = change(key);
    return other === key ? item : { ...item, row: { ...item.row, key: other } };
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    return broken(item.place, error.message);
  }
}
