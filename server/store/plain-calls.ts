// Gets, puts and deletes of one key that ask for nothing else, straight from the bytes in which
// they came: what the others do, without what only those need. (bench: batch.)

import { NO_LEASE, type Revision } from "../kv/types.js";
import type { Now } from "../lib/clock.js";
import type { ViewedBytes } from "../lib/viewed-bytes.js";
import type { Counters } from "./counters.js";
import type { Journal } from "./journal.js";
import type { KeySpace } from "./key-space.js";
import { NO_KEY } from "./key-table.js";
import type { Retention } from "./retention.js";
import { KEY_MAX_BYTES, type NewRow, NO_ROW, type Row } from "./row-layout.js";
import { rowBytes, versionBytesOf } from "./weights.js";

/** Where a put stands in somebody's bytes. */
export interface PlainPut {
  readonly source: ViewedBytes;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

const NO_BYTES = new Uint8Array(0);

/** The version of a put; always the same object, since it is a row at once. */
class FreshRow implements NewRow {
  revision: Revision = 0;
  readonly place = 0;
  readonly deleted = undefined;
  key: Uint8Array = NO_BYTES;
  keyStart = 0;
  keyEnd = 0;
  value: Uint8Array = NO_BYTES;
  valueStart = 0;
  valueEnd = 0;
  createRevision: Revision = 0;
  version = 0;
  readonly leaseId = NO_LEASE;
  view: DataView | undefined = undefined;

  /** Holds on to nobody's request. */
  forget(): void {
    this.key = NO_BYTES;
    this.value = NO_BYTES;
    this.view = undefined;
  }
}

export class PlainCalls {
  readonly #row = new FreshRow();
  readonly #keys: KeySpace;
  readonly #journal: Journal;
  readonly #retention: Retention;
  readonly #counters: Counters;

  constructor(options: {
    readonly keys: KeySpace;
    readonly journal: Journal;
    readonly retention: Retention;
    readonly counters: Counters;
  }) {
    this.#keys = options.keys;
    this.#journal = options.journal;
    this.#retention = options.retention;
    this.#counters = options.counters;
  }

  /** The row of the entry of the key bytes[start, end) at a revision that can be read. */
  get(bytes: Uint8Array, start: number, end: number, revision: Revision): Row {
    this.#counters.entriesVisited += 1;
    this.#counters.seeks += 1;
    return this.#keys.liveAt(this.#keys.findIn(bytes, start, end), revision);
  }

  /**
   * Puts a key; undefined, and nothing done, when more than that has to be done: its lease left, or
   * its key refused.
   *
   * @throws KvdError STORE_FULL, NO_SPACE, LOG_FAILED.
   */
  put(of: PlainPut, now: Now): Revision | undefined {
    const { source, keyStart, keyEnd, valueStart, valueEnd } = of;
    const { bytes } = source;
    const keys = this.#keys;
    const { rows } = keys;
    if (keyEnd - keyStart > KEY_MAX_BYTES) return undefined;
    let id = keys.findIn(bytes, keyStart, keyEnd);
    let live = keys.live(id);
    if (live !== NO_ROW && rows.isLeased(live)) return undefined;
    const before = live === NO_ROW ? 0 : rowBytes(rows, live);
    const key = keyEnd - keyStart;
    const after = versionBytesOf({ key, value: valueEnd - valueStart, leased: false });
    if (!this.#retention.hasRoom(after)) {
      const text = bytes.subarray(keyStart, keyEnd);
      this.#retention.makeRoom(text, { before, after }, this.#journal.publishedRevision);
      // What made room may have let the key go.
      id = keys.findIn(bytes, keyStart, keyEnd);
      live = keys.live(id);
    }
    const revision = this.#journal.revision + 1;
    const fresh = this.#row;
    fresh.revision = revision;
    fresh.key = bytes;
    fresh.keyStart = keyStart;
    fresh.keyEnd = keyEnd;
    fresh.value = bytes;
    fresh.valueStart = valueStart;
    fresh.valueEnd = valueEnd;
    fresh.createRevision = live === NO_ROW ? revision : rows.createRevisionOf(live);
    fresh.version = live === NO_ROW ? 1 : rows.versionOf(live) + 1;
    fresh.view = source.view;
    const row = keys.add(id, fresh);
    fresh.forget();
    return this.#journal.writeRow(row, now.wallMs);
  }

  /** How many keys it deleted; undefined, and nothing done, when a lease has to be left. */
  delete(bytes: Uint8Array, start: number, end: number, now: Now): number | undefined {
    const keys = this.#keys;
    const id = keys.findIn(bytes, start, end);
    this.#counters.seeks += 1;
    if (id === NO_KEY) return 0;
    this.#counters.entriesVisited += 1;
    const live = keys.live(id);
    if (live === NO_ROW) return 0;
    if (keys.rows.isLeased(live)) return undefined;
    const revision = this.#journal.revision + 1;
    const row = keys.addTombstone(id, { revision, place: 0, deleted: "deleted" });
    this.#journal.writeRow(row, now.wallMs);
    return 1;
  }
}
