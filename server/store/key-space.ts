// All keys with their versions, and what they weigh.
//
// Only commits add versions (and take them back when they are abandoned), only compaction drops
// them; the sums are kept at each of these steps, and check.ts counts them anew.

import type { Revision } from "../kv/types.js";
import { copyBytes } from "../lib/bytes.js";
import { OrderedMap, type Walk } from "../lib/ordered-map.js";
import { CHANGE_BYTES, KeyRecord, type Version, versionBytes } from "./version.js";

export class KeySpace {
  readonly #records = new OrderedMap<string, KeyRecord>();
  #liveKeys = 0;
  #liveBytes = 0;
  #historyBytes = 0;

  /** How many keys exist now. */
  get liveKeys(): number {
    return this.#liveKeys;
  }

  /** What the present entries weigh. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** What superseded versions, tombstones and the list of commits weigh. */
  get historyBytes(): number {
    return this.#historyBytes;
  }

  get(key: string): KeyRecord | undefined {
    return this.#records.get(key);
  }

  ascend(from: string | undefined): Walk<string, KeyRecord> {
    return this.#records.ascend(from);
  }

  descend(before: string | undefined): Walk<string, KeyRecord> {
    return this.#records.descend(before);
  }

  /** The record of a key, made when there is none; `bytes` is copied then. */
  recordFor(key: string, bytes: Uint8Array): KeyRecord {
    const known = this.#records.get(key);
    if (known !== undefined) return known;
    const record = new KeyRecord(key, copyBytes(bytes));
    this.#records.set(key, record);
    return record;
  }

  /** Adds the newest version of a key. */
  add(record: KeyRecord, version: Version): void {
    const before = record.live;
    if (before !== undefined) this.#retire(record, before);
    if (record.versions.length === 0) record.versions = [version];
    else record.versions.push(version);
    this.#historyBytes += CHANGE_BYTES;
    if (version.deleted === undefined) {
      this.#liveKeys += 1;
      this.#liveBytes += versionBytes(record, version);
    } else {
      this.#historyBytes += versionBytes(record, version);
    }
  }

  /** Takes the newest version of a key back: the exact inverse of add(). */
  takeBack(record: KeyRecord): void {
    const version = record.versions.pop() as Version;
    this.#historyBytes -= CHANGE_BYTES;
    if (version.deleted === undefined) {
      this.#liveKeys -= 1;
      this.#liveBytes -= versionBytes(record, version);
    } else {
      this.#historyBytes -= versionBytes(record, version);
    }
    const before = record.live;
    if (before !== undefined) this.#revive(record, before);
    if (record.versions.length === 0) this.#records.delete(record.key);
  }

  /**
   * Drops what nobody can read any more when reads below `floor` are refused: all but the newest
   * version at or below it, and that one too when it is a tombstone older than the floor. A
   * tombstone right at the floor stays, so that a watch from there still tells the delete.
   */
  dropBelow(record: KeyRecord, floor: Revision): void {
    const { versions } = record;
    const index = record.indexAt(floor);
    const newest = versions[index];
    if (newest === undefined) return;
    const gone = newest.deleted !== undefined && newest.revision < floor ? index + 1 : index;
    for (const version of versions.splice(0, gone)) {
      this.#historyBytes -= versionBytes(record, version);
    }
    if (versions.length === 0 && this.#records.get(record.key) === record) {
      this.#records.delete(record.key);
    }
  }

  /** The list of commits lost one with this many changes. */
  forgetChanges(count: number): void {
    this.#historyBytes -= count * CHANGE_BYTES;
  }

  #retire(record: KeyRecord, version: Version): void {
    this.#liveKeys -= 1;
    this.#liveBytes -= versionBytes(record, version);
    this.#historyBytes += versionBytes(record, version);
  }

  #revive(record: KeyRecord, version: Version): void {
    this.#liveKeys += 1;
    this.#liveBytes += versionBytes(record, version);
    this.#historyBytes -= versionBytes(record, version);
  }
}
