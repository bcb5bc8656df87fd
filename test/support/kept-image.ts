// An image as it was given, to be given on: item by item, with the views that rows came as.

import type { GrantedLease } from "../../server/store/backend.js";
import type { ImageTarget } from "../../server/store/image.js";
import type { NewRow } from "../../server/store/row-layout.js";
import { newRow } from "./rows.js";

export class KeptImage implements ImageTarget {
  readonly isFull = false;
  /** Keys and values as they were given. */
  readonly views: Uint8Array[] = [];
  readonly #items: ((target: ImageTarget) => void)[] = [];

  lease(lease: GrantedLease, remainingMs: number): void {
    this.#items.push((target) => target.lease(lease, remainingMs));
  }

  entry(row: NewRow): void {
    const kept = this.#kept(row);
    this.#items.push((target) => target.entry(kept));
  }

  commit(revision: number, timeMs: number, changes: number): void {
    this.#items.push((target) => target.commit(revision, timeMs, changes));
  }

  change(row: NewRow): void {
    const kept = this.#kept(row);
    this.#items.push((target) => target.change(kept));
  }

  giveTo(target: ImageTarget): void {
    for (const give of this.#items) give(target);
  }

  #kept(row: NewRow): NewRow {
    const key = row.key.subarray(row.keyStart, row.keyEnd);
    const value = row.value.subarray(row.valueStart, row.valueEnd);
    this.views.push(key, value);
    const { revision, place, deleted, createRevision, version, leaseId } = row;
    const counts = { revision, place, createRevision, version };
    return newRow({ key, version: { ...counts, value, leaseId, deleted } });
  }
}
