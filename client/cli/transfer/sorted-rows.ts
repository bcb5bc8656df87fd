// Rows in the order of their keys' bytes, however many there are: what does not fit into memory
// goes to files of the system's temporary folder, sorted in parts, and is merged from there. Of a
// key that was added twice, both come, in the order in which they were added.

import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { linesOf } from "../lines.js";
import { fileErrorText, isFileError } from "../values.js";
import { ROW_MAX_BYTES } from "./row-item.js";

export interface SortedRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly ttlMs: number | undefined;
  readonly place: string;
}

const MEMORY_MAX_BYTES = 64 * 1024 * 1024;
/** What a row takes in memory besides its bytes, roughly. */
const ROW_OVERHEAD_BYTES = 300;
const WRITE_ROWS = 1_000;

export class SortedRows {
  readonly #memoryMaxBytes: number;
  #rows: SortedRow[] = [];
  #sorted = true;
  #bytes = 0;
  #folder: string | undefined;
  readonly #files: string[] = [];

  constructor({ memoryMaxBytes = MEMORY_MAX_BYTES } = {}) {
    this.#memoryMaxBytes = memoryMaxBytes;
  }

  /** It may keep the bytes. @throws Failure when they do not fit anywhere. */
  async add(row: SortedRow): Promise<void> {
    const last = this.#rows.at(-1);
    this.#sorted &&= last === undefined || Buffer.compare(last.key, row.key) <= 0;
    this.#rows.push(row);
    this.#bytes += row.key.length + row.value.length + ROW_OVERHEAD_BYTES;
    if (this.#bytes > this.#memoryMaxBytes) await this.#spill();
  }

  /** All that was added, as often as it is asked for. */
  async *rows(): AsyncGenerator<SortedRow> {
    this.#sort();
    if (this.#files.length === 0) {
      yield* this.#rows;
      return;
    }
    const sources = [...this.#files.map(rowsOfFile), fromMemory(this.#rows)];
    try {
      yield* mergedRows(sources);
    } finally {
      for (const source of sources) await source.return(undefined);
    }
  }

  /** Frees what it holds on disk. Twice does no harm. */
  async close(): Promise<void> {
    this.#rows = [];
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  /** Array sorting is stable. */
  #sort(): void {
    if (!this.#sorted) this.#rows.sort((one, other) => Buffer.compare(one.key, other.key));
    this.#sorted = true;
  }

  async #spill(): Promise<void> {
    this.#sort();
    try {
      this.#folder ??= await mkdtemp(join(tmpdir(), "kvctl-sort-"));
      const path = join(this.#folder, String(this.#files.length));
      const file = await open(path, "wx", 0o600);
      try {
        for (let at = 0; at < this.#rows.length; at += WRITE_ROWS) {
          const lines = this.#rows.slice(at, at + WRITE_ROWS).map(lineFromRow);
          await file.appendFile(lines.join(""));
        }
      } finally {
        await file.close();
      }
      this.#files.push(path);
    } catch (error) {
      if (!isFileError(error)) throw error;
      const text = `cannot sort in ${tmpdir()}: ${fileErrorText(error)}; TMPDIR names another`;
      throw new Failure(EXIT.internal, text, { cause: error });
    }
    this.#rows = [];
    this.#bytes = 0;
  }
}

/** Only the last of rows of one key. @param twice is told of one that another one follows. */
export async function* lastOfEach(
  rows: AsyncIterable<SortedRow>,
  twice: (row: SortedRow, next: SortedRow) => void = () => {},
): AsyncGenerator<SortedRow> {
  let previous: SortedRow | undefined;
  for await (const row of rows) {
    if (previous !== undefined) {
      if (Buffer.compare(previous.key, row.key) === 0) twice(previous, row);
      else yield previous;
    }
    previous = row;
  }
  if (previous !== undefined) yield previous;
}

type Rows = AsyncGenerator<SortedRow>;

async function* fromMemory(rows: readonly SortedRow[]): Rows {
  yield* rows;
}

/** There are few parts, so the lowest head is looked for among all; of equal ones the earliest. */
async function* mergedRows(sources: readonly Rows[]): Rows {
  const heads = await Promise.all(sources.map(async (source) => (await source.next()).value));
  for (;;) {
    let lowest = -1;
    for (const [index, head] of heads.entries()) {
      const least = heads[lowest];
      if (head === undefined) continue;
      if (least === undefined || Buffer.compare(head.key, least.key) < 0) lowest = index;
    }
    const row = heads[lowest];
    if (row === undefined) return;
    yield row;
    heads[lowest] = (await sources[lowest]?.next())?.value;
  }
}

function lineFromRow({ key, value, ttlMs, place }: SortedRow): string {
  const coded = [key, value].map((bytes) => Buffer.from(bytes).toString("base64"));
  return `${JSON.stringify([...coded, ttlMs ?? null, place])}\n`;
}

/** Ours, and of nobody else: it is not checked again. */
async function* rowsOfFile(path: string): Rows {
  const maxBytes = 8 * ROW_MAX_BYTES;
  for await (const line of linesOf(createReadStream(path), { maxBytes })) {
    if (line.kind !== "line") throw new Error(`a row of ${path} is too long`);
    const [key, value, ttlMs, place] = JSON.parse(Buffer.from(line.bytes).toString("utf8")) as [
      string,
      string,
      number | null,
      string,
    ];
    const [keyBytes, valueBytes] = [Buffer.from(key, "base64"), Buffer.from(value, "base64")];
    yield { key: keyBytes, value: valueBytes, ttlMs: ttlMs ?? undefined, place };
  }
}
