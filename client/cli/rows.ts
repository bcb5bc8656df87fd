// Listings in each of the output formats, row by row, so that nothing but a table is held.
//
// text: a row a line, the key, a tab, the value. raw: values one after the other with nothing in
// between; keys alone are each ended by a NUL byte, so that they can be told apart.

import type { Entry } from "../index.js";
import { bytesForm, entryForm } from "./json-forms.js";
import { JsonList } from "./json-list.js";
import type { ListingRow } from "./listing.js";
import type { Output } from "./output.js";
import { tableText } from "./table.js";
import { lineText } from "./terminal-text.js";

export interface RowOptions {
  readonly keysOnly: boolean;
  /** With revision, size and version, as `ls -l`. */
  readonly long?: boolean;
}

/** Where rows go; `end` tells what is known of the listing as a whole. */
export interface RowWriter {
  row(row: ListingRow): Promise<void>;
  end(listing: { readonly revision: number; readonly more: boolean }): Promise<void>;
}

export function rowWriter(output: Output, options: RowOptions): RowWriter {
  switch (output.format) {
    case "text":
      return new TextRows(output, options);
    case "json":
      return new JsonRows(output, options);
    case "jsonl":
      return new JsonLineRows(output, options);
    case "table":
      return new TableRows(output, options);
    case "raw":
      return new RawRows(output, options);
  }
}

class TextRows implements RowWriter {
  readonly #output: Output;
  readonly #options: RowOptions;

  constructor(output: Output, options: RowOptions) {
    this.#output = output;
    this.#options = options;
  }

  async row(row: ListingRow): Promise<void> {
    const output = this.#output;
    if (row.kind === "prefix") {
      const blank = this.#options.long === true ? "".padEnd(LONG_WIDTH) : "";
      await output.line(blank + output.style("cyan", lineText(row.prefix)));
      return;
    }
    const { entry } = row;
    const key = lineText(entry.keyBytes);
    const before = this.#options.long === true ? longText(entry) : "";
    const after = this.#options.keysOnly ? "" : `\t${lineText(entry.bytes)}`;
    await output.line(before + key + after);
  }

  async end(listing: { readonly more: boolean }): Promise<void> {
    if (listing.more) this.#output.note("there are more; --limit ended the listing");
  }
}

const LONG_WIDTH = 12 + 12;

function longText(entry: Entry): string {
  return `${`${entry.modRevision} `.padStart(12)}${`${entry.bytes.length}  `.padStart(12)}`;
}

class JsonRows implements RowWriter {
  readonly #list: JsonList;
  readonly #options: RowOptions;

  constructor(output: Output, options: RowOptions) {
    this.#list = new JsonList(output, "entries");
    this.#options = options;
  }

  async row(row: ListingRow): Promise<void> {
    await this.#list.item(rowForm(row, this.#options));
  }

  async end({ revision, more }: { readonly revision: number; readonly more: boolean }) {
    await this.#list.end({ revision, more });
  }
}

class JsonLineRows implements RowWriter {
  readonly #output: Output;
  readonly #options: RowOptions;

  constructor(output: Output, options: RowOptions) {
    this.#output = output;
    this.#options = options;
  }

  async row(row: ListingRow): Promise<void> {
    const text = JSON.stringify(rowForm(row, this.#options));
    await this.#output.line(this.#output.jsonText(text));
  }

  async end(): Promise<void> {}
}

/** A row as JSON: an entry, or `{"prefix": …}` of a folded one. */
function rowForm(row: ListingRow, options: RowOptions): unknown {
  return row.kind === "prefix" ? bytesForm("prefix", row.prefix) : entryForm(row.entry, options);
}

class TableRows implements RowWriter {
  readonly #output: Output;
  readonly #options: RowOptions;
  readonly #rows: string[][] = [];

  constructor(output: Output, options: RowOptions) {
    this.#output = output;
    this.#options = options;
  }

  async row(row: ListingRow): Promise<void> {
    if (row.kind === "prefix") {
      this.#rows.push([
        lineText(row.prefix),
        ...this.#columns()
          .slice(1)
          .map(() => ""),
      ]);
      return;
    }
    const { entry } = row;
    this.#rows.push([
      lineText(entry.keyBytes),
      ...(this.#options.keysOnly ? [] : [lineText(entry.bytes)]),
      String(entry.modRevision),
      String(entry.version),
      ...(this.#options.long === true ? [String(entry.bytes.length)] : []),
    ]);
  }

  async end(listing: { readonly more: boolean }): Promise<void> {
    const head = this.#columns();
    const right = head.flatMap((name, column) => (/key|value/.test(name) ? [] : [column]));
    await this.#output.line(await tableText(head, this.#rows, { right }));
    if (listing.more) this.#output.note("there are more; --limit ended the listing");
  }

  #columns(): string[] {
    const { keysOnly, long } = this.#options;
    const value = keysOnly ? [] : ["value"];
    return ["key", ...value, "revision", "version", ...(long === true ? ["bytes"] : [])];
  }
}

class RawRows implements RowWriter {
  readonly #output: Output;
  readonly #options: RowOptions;

  constructor(output: Output, options: RowOptions) {
    this.#output = output;
    this.#options = options;
  }

  async row(row: ListingRow): Promise<void> {
    if (row.kind === "entry" && !this.#options.keysOnly) {
      await this.#output.write(row.entry.bytes);
      return;
    }
    await this.#output.write(row.kind === "prefix" ? row.prefix : row.entry.keyBytes);
    await this.#output.write("\0");
  }

  async end(): Promise<void> {}
}
