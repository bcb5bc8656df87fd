// One change of a commit, as watches tell it. It has views of the store's memory, and stays as it
// is when the store goes on; but as long as there is a view, a whole segment of rows is kept. Who
// keeps a change takes a copy.

import type { DeleteReason, Entry, Event, Revision } from "../kv/types.js";
import { ENTRY_OVERHEAD_BYTES } from "../kv/types.js";
import { copyBytes, latin1FromBytes } from "../lib/bytes.js";
import { NO_ROW, type Row } from "./row-layout.js";
import type { Rows } from "./rows.js";
import { entryOfRow } from "./version.js";

interface ChangeParts {
  readonly key: Uint8Array;
  readonly entry: Entry | undefined;
  readonly deleted: DeleteReason | undefined;
  readonly previous: Entry | undefined;
}

export class Change implements ChangeParts {
  readonly key: Uint8Array;
  /** Undefined: it was deleted. */
  readonly entry: Entry | undefined;
  readonly deleted: DeleteReason | undefined;
  /** What it replaced, unless that is compacted. */
  readonly previous: Entry | undefined;
  #text: string | undefined;

  constructor({ key, entry, deleted, previous }: ChangeParts) {
    this.key = key;
    this.entry = entry;
    this.deleted = deleted;
    this.previous = previous;
  }

  /** With bytes of its own. */
  copy(): Change {
    const key = copyBytes(this.key);
    const own = (entry: Entry | undefined) =>
      entry === undefined ? undefined : { ...entry, key, value: copyBytes(entry.value) };
    const { entry, deleted, previous } = this;
    return new Change({ key, entry: own(entry), deleted, previous: own(previous) });
  }

  /** The key as latin1, see lib/bytes. */
  get text(): string {
    this.#text ??= latin1FromBytes(this.key);
    return this.#text;
  }
}

export function changeOfRow(rows: Rows, row: Row): Change {
  const deleted = rows.deletedOf(row);
  const previous = rows.previousOf(row);
  const isEntry = previous !== NO_ROW && rows.isPut(previous);
  return new Change({
    key: rows.keyOf(row),
    entry: deleted === undefined ? entryOfRow(rows, row) : undefined,
    deleted,
    previous: isEntry ? entryOfRow(rows, previous) : undefined,
  });
}

/** What an event carries besides its entries, in any encoding that a surface uses. */
const EVENT_OVERHEAD_BYTES = 48;

/** The weight of an event in a message: an upper bound of its encoded size. */
export function eventBytes({ key, entry, previous }: Change, withPrevious: boolean): number {
  const own = key.length + (entry?.value.length ?? 0) + ENTRY_OVERHEAD_BYTES;
  const isTold = withPrevious && previous !== undefined;
  const before = isTold ? key.length + previous.value.length + ENTRY_OVERHEAD_BYTES : 0;
  return own + before + EVENT_OVERHEAD_BYTES;
}

export function eventOfChange(
  commit: { readonly revision: Revision; readonly timeMs: number },
  change: Change,
  withPrevious: boolean,
): Event {
  const { revision, timeMs: commitTimeMs } = commit;
  const { key, entry, deleted: reason } = change;
  const previous = withPrevious ? change.previous : undefined;
  if (entry !== undefined) return { type: "put", revision, commitTimeMs, entry, previous };
  return { type: "delete", revision, commitTimeMs, key, reason: reason ?? "unknown", previous };
}
