// The rows of a side of kvctl diff, in the order of their keys: of a server, page by page, or of a
// file, which is sorted first.

import type { Kvd, SelectorLike } from "../../index.js";
import type { Invocation } from "../command.js";
import { defined } from "../defined.js";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { pages } from "../listing.js";
import { lineText, plainLine } from "../terminal-text.js";
import { startsWith } from "./key-change.js";
import { openRows } from "./row-source.js";
import { lastOfEach, SortedRows } from "./sorted-rows.js";

export interface DiffRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export function selectorOfPrefix(prefix: Uint8Array): SelectorLike {
  return prefix.length === 0 ? { all: true } : { prefix };
}

/** @param side.cut is how much of each key is left out. */
export async function* rowsOfServer(
  kv: Pick<Kvd, "range">,
  side: {
    readonly prefix: Uint8Array;
    readonly cut: number;
    readonly revision: number | undefined;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<DiffRow> {
  const { prefix, cut, revision, signal } = side;
  const listing = {
    selector: selectorOfPrefix(prefix),
    options: { ...defined({ revision }), signal },
    limit: 0,
  };
  for await (const { entries } of pages(kv, listing)) {
    for (const { keyBytes, bytes } of entries) {
      yield { key: cut === 0 ? keyBytes : keyBytes.subarray(cut), value: bytes };
    }
  }
}

/** Those whose keys start with `prefix`. @throws Failure when a row is broken. */
export async function* rowsOfFile(
  { flags, output, signal }: Invocation,
  path: string,
  prefix: Uint8Array,
): AsyncGenerator<DiffRow> {
  const source = await openRows(flags, path, (text) => output.note(text));
  const sorted = new SortedRows();
  try {
    for await (const item of source.rows()) {
      signal.throwIfAborted();
      if (item.kind === "broken") {
        const name = path === "-" ? "standard input" : lineText(Buffer.from(path));
        throw new Failure(EXIT.invalid, `${name}, ${item.place}: ${plainLine(item.why)}`);
      }
      if (startsWith(item.row.key, prefix)) await sorted.add({ ...item.row, place: "" });
    }
    yield* lastOfEach(sorted.rows());
  } finally {
    await sorted.close();
  }
}
