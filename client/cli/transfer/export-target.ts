// Where exported rows go, in any of the formats: lines to standard output or a file, or a folder.

import type { Row } from "../json-forms.js";
import type { Output } from "../output.js";
import type { CsvLayout } from "./csv-lines.js";
import type { RowFormat } from "./format.js";
import { jsonLine } from "./json-lines.js";

export interface ExportTarget {
  /** The ttl of a row cannot be kept. */
  readonly dropsTtl: boolean;
  /** @throws Failure for a row that the format cannot hold. */
  write(row: Row): Promise<void>;
  /** A folder gets its name only when it is `complete`; for a file, Output sees to that. */
  close(options: { readonly complete: boolean }): Promise<void>;
}

/** @param layout of CSV, when that is the format. @throws Failure when it cannot be written. */
export async function openTarget(
  output: Output,
  { format, path, layout }: { format: RowFormat; path: string | undefined; layout?: CsvLayout },
): Promise<ExportTarget> {
  if (format === "files") {
    const { TreeTarget } = await import("./tree-target.js");
    const tree = await TreeTarget.open(path ?? "");
    return {
      dropsTtl: true,
      write: (row) => tree.write(row),
      close: (options) => tree.close(options),
    };
  }
  if (path !== undefined) await output.writeTo(path);
  const close = async () => {};
  if (format === "words") {
    const { wordLine } = await import("./words.js");
    return { dropsTtl: true, write: (row) => output.write(wordLine(row)), close };
  }
  if (layout !== undefined) {
    await output.write(`${layout.header()}\n`);
    const line = (row: Row) => `${layout.line(row)}\n`;
    return { dropsTtl: false, write: (row) => output.write(line(row)), close };
  }
  const line = (row: Row) => `${output.jsonText(jsonLine(row))}\n`;
  return { dropsTtl: false, write: (row) => output.write(line(row)), close };
}
