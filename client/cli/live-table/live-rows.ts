// The rows of a live table: the present entries, and for a moment what was deleted.

import type { Entry, WatchEvent } from "../../index.js";
import { lineText } from "../terminal-text.js";

export type Mark = "new" | "changed" | "deleted";

export interface LiveRow {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
  /** What happened last, and when we saw it; undefined for what was there from the beginning. */
  readonly mark: Mark | undefined;
  readonly seenMs: number;
}

/** No terminal is wider. */
const VALUE_SHOWN_BYTES = 2_048;

export class LiveRows {
  readonly #rows = new Map<string, LiveRow>();
  #present = 0;
  /** Names of rows in the order of their keys; undefined when it has to be made anew. */
  #order: string[] | undefined;

  /** Without those that were deleted. */
  get present(): number {
    return this.#present;
  }

  clear(): void {
    this.#rows.clear();
    this.#order = undefined;
    this.#present = 0;
  }

  /** There already. */
  add(entry: Entry, nowMs: number): void {
    this.#set(nameOf(entry.keyBytes), rowOf(entry, undefined, nowMs));
  }

  take(event: WatchEvent, nowMs: number): void {
    const name = nameOf(event.keyBytes);
    const before = this.#rows.get(name);
    const isThere = before !== undefined && before.mark !== "deleted";
    if (event.type === "put") {
      this.#set(name, rowOf(event.entry, isThere ? "changed" : "new", nowMs));
    } else if (isThere) {
      const { revision } = event;
      this.#set(name, { ...before, revision, mark: "deleted", seenMs: nowMs });
    }
  }

  /** Lets go of what was deleted before. */
  forget(beforeMs: number): void {
    for (const [name, row] of this.#rows) {
      if (row.mark !== "deleted" || row.seenMs >= beforeMs) continue;
      this.#rows.delete(name);
      this.#order = undefined;
    }
  }

  /** At most so many, in key order; those that changed last when there are more. */
  shown(count: number): LiveRow[] {
    this.#order ??= [...this.#rows.keys()].sort();
    const rows = this.#order.flatMap((name) => this.#rows.get(name) ?? []);
    if (rows.length <= count) return rows;
    const oldest = rows.map(({ revision }) => revision).sort((one, other) => other - one)[count];
    const last = rows.filter(({ revision }) => revision > (oldest ?? 0));
    // A commit of many keys may leave room; those of its revision that come first fill it.
    const level = rows.filter(({ revision }) => revision === oldest).slice(0, count - last.length);
    const chosen = new Set([...last, ...level]);
    return rows.filter((row) => chosen.has(row));
  }

  #set(name: string, row: LiveRow): void {
    const before = this.#rows.get(name);
    this.#present += isPresent(row) - isPresent(before);
    if (before === undefined) this.#order = undefined;
    this.#rows.set(name, row);
  }
}

function isPresent(row: LiveRow | undefined): number {
  return row === undefined || row.mark === "deleted" ? 0 : 1;
}

function rowOf(entry: Entry, mark: Mark | undefined, seenMs: number): LiveRow {
  const value = lineText(entry.bytes.subarray(0, VALUE_SHOWN_BYTES));
  return { key: lineText(entry.keyBytes), value, revision: entry.modRevision, mark, seenMs };
}

/** Sorts as the bytes do. */
function nameOf(keyBytes: Uint8Array): string {
  return Buffer.from(keyBytes).toString("latin1");
}
