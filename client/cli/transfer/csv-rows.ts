// Rows from CSV (RFC 4180), whose header names the columns: key or key64, value or value64, perhaps
// ttl. Columns in base64 hold what is not UTF-8; of a pair, the one with something in it counts.
//
// After a quote out of place nothing can be told apart any more, so reading ends there.

import { Readable } from "node:stream";
import type { CsvError, Info } from "csv-parse";
import { msFromText } from "../duration.js";
import { bytesFromBase64, FormError, type Row } from "../json-forms.js";
import { broken, ROW_MAX_BYTES, type RowItem } from "./row-item.js";

/** Names of columns other than key and value. All further columns are then left out. */
export interface CsvColumns {
  readonly key?: string;
  readonly value?: string;
  /** False: the first column is the key, the second the value, a third the ttl. */
  readonly header?: boolean;
}

const NO_HEADER = ["key", "value", "ttl"];

interface Parsed {
  readonly record: readonly Buffer[];
  readonly info: Info;
}

export async function* rowsFromCsv(
  chunks: AsyncIterable<Uint8Array>,
  columns: CsvColumns = {},
): AsyncGenerator<RowItem> {
  let flaw: CsvError | undefined;
  const { parse } = await import("csv-parse");
  const parser = parse({
    ...{ encoding: null, info: true, bom: true, relax_column_count: true },
    ...{ max_record_size: ROW_MAX_BYTES, record_delimiter: ["\r\n", "\n", "\r"] },
    // Thrown, it would take the rows before it along.
    skip_records_with_error: true,
    on_skip: (error) => {
      flaw ??= error;
      return undefined;
    },
  });
  const source = Readable.from(chunks);
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  let columnsOf: Columns | undefined;
  let previousLine = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<Parsed>) {
      if (flaw !== undefined && info.lines >= Number(flaw["lines"])) break;
      const place = `line ${previousLine + 1}`;
      previousLine = info.lines;
      if (columnsOf === undefined && columns.header === false) {
        columnsOf = new Columns(NO_HEADER.slice(0, Math.max(2, record.length)), columns);
      }
      if (columnsOf === undefined) {
        columnsOf = new Columns(namesOf(record), columns);
        const why = columnsOf.flaw();
        if (why !== undefined) {
          yield broken(place, why);
          return;
        }
      } else if (record.length > 1 || (record[0]?.length ?? 0) > 0) {
        yield itemOf(columnsOf, record, place);
      }
    }
    if (flaw === undefined) return;
    // Of a record that does not end, the beginning is where to look.
    const line = ENDLESS.has(flaw.code) ? previousLine + 1 : flaw["lines"];
    yield broken(`line ${line}`, flawText(flaw));
  } finally {
    source.destroy();
    parser.destroy();
  }
}

function itemOf(columns: Columns, record: readonly Buffer[], place: string): RowItem {
  try {
    return { kind: "row", row: columns.row(record), place };
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    return broken(place, error.message);
  }
}

const ENDLESS: ReadonlySet<string> = new Set(["CSV_QUOTE_NOT_CLOSED", "CSV_MAX_RECORD_SIZE"]);

function flawText({ code, message }: CsvError): string {
  const end = "; what follows cannot be told apart";
  switch (code) {
    case "CSV_QUOTE_NOT_CLOSED":
      return `a quote is opened and never closed${end}`;
    case "CSV_MAX_RECORD_SIZE":
      return `a record is longer than ${ROW_MAX_BYTES / 1024 / 1024} MiB${end}`;
    case "INVALID_OPENING_QUOTE":
      return `a quote within a field that has none around it${end}`;
    case "CSV_INVALID_CLOSING_QUOTE":
      return `after a closing quote stands neither a comma nor the end of the line${end}`;
    default:
      return message;
  }
}

function namesOf(header: readonly Buffer[]): string[] {
  return header.map((name) => name.toString("utf8").trim());
}

const KNOWN: ReadonlySet<string> = new Set(["key", "key64", "value", "value64", "ttl"]);

/** Where in a record is what. */
class Columns {
  readonly #names: readonly string[];
  readonly #given: CsvColumns;

  constructor(names: readonly string[], given: CsvColumns) {
    this.#names = names;
    this.#given = given;
  }

  /** What is wrong with the header. */
  flaw(): string | undefined {
    const names = this.#names;
    const { key = "key", value = "value" } = this.#given;
    const has = `the header has ${names.map((name) => JSON.stringify(name)).join(", ")}`;
    const twice = names.find((name, at) => names.indexOf(name) !== at && name !== "");
    if (twice !== undefined) return `${has}: "${twice}" stands there twice`;
    for (const [name, flag] of [
      [key, "--key-column"],
      [value, "--value-column"],
    ] as const) {
      if (names.includes(name) || names.includes(`${name}64`)) continue;
      const other = `${flag} names another column, --no-header says that there is no header`;
      return `${has}, but no "${name}"; ${other}`;
    }
    if (this.#given.key !== undefined || this.#given.value !== undefined) return undefined;
    const foreign = names.find((name) => !KNOWN.has(name));
    if (foreign === undefined) return undefined;
    return `${has}: "${foreign}" would be lost; --value-column value leaves other columns out`;
  }

  /** @throws FormError */
  row(record: readonly Buffer[]): Row {
    if (record.length !== this.#names.length) {
      const fields = record.length === 1 ? "1 field" : `${record.length} fields`;
      throw new FormError(`it has ${fields}, the first line ${this.#names.length}`);
    }
    const { key: keyName = "key", value: valueName = "value" } = this.#given;
    const key = this.#bytes(record, keyName);
    if (key.length === 0) throw new FormError("the key is empty");
    return { key, value: this.#bytes(record, valueName), ttlMs: this.#ttlMs(record) };
  }

  #bytes(record: readonly Buffer[], name: string): Uint8Array {
    const plain = this.#field(record, name);
    const coded = this.#field(record, `${name}64`);
    if (coded === undefined || coded.length === 0) return plain ?? Buffer.alloc(0);
    if (plain !== undefined && plain.length > 0) {
      throw new FormError(`"${name}" and "${name}64" exclude each other`);
    }
    return bytesFromBase64(`${name}64`, coded.toString("latin1"));
  }

  #ttlMs(record: readonly Buffer[]): number | undefined {
    const field = this.#field(record, "ttl");
    if (field === undefined || field.length === 0) return undefined;
    const ms = msFromText(field.toString("latin1"));
    if (ms !== undefined) return ms;
    throw new FormError(`"ttl" must be a duration such as "30s"`);
  }

  #field(record: readonly Buffer[], name: string): Buffer | undefined {
    const at = this.#names.indexOf(name);
    return at < 0 ? undefined : record[at];
  }
}
