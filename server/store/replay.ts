// Brings a store from where an image left it to where the log ends, record by record. Records come
// from outside: whatever could not have been logged throws, and the store is not used then.
//
// Time is the running time of the store until start(): leases lose what they had when it ended.

import { NO_LEASE } from "../kv/types.js";
import type { ReplayedRecord } from "./backend.js";
import { CommitBuilder } from "./commit-builder.js";
import { type NewRow, NO_ROW } from "./row-layout.js";
import type { Store } from "./store.js";

export class Replay {
  readonly #store: Store;
  #runningMs: number;

  /** `runningMs` of the image. */
  constructor(store: Store, runningMs: number) {
    this.#store = store;
    this.#runningMs = runningMs;
  }

  get runningMs(): number {
    return this.#runningMs;
  }

  /** @throws RangeError. */
  apply(record: ReplayedRecord): void {
    const store = this.#store;
    const { revision, timeMs, changes, compactRevision } = record;
    expect(record.runningMs >= this.#runningMs, "the running time goes back");
    expect(timeMs >= store.journal.lastTimeMs, "a commit is earlier than the one before");
    this.#runningMs = record.runningMs;
    const isJump = changes.length === 0 && revision > store.revision;
    if (isJump) {
      expect(compactRevision === revision, `revision ${revision} follows ${store.revision}`);
      store.journal.goTo(revision);
      return;
    }
    const next = store.revision + (changes.length > 0 ? 1 : 0);
    expect(revision === next, `revision ${revision} stands where ${next} belongs`);
    this.#applyChanges(record);
    if (compactRevision !== undefined) {
      expect(compactRevision <= revision, "the compact revision is above the head");
      store.journal.compactTo(compactRevision);
    }
  }

  #applyChanges(record: ReplayedRecord): void {
    const { lessor, keys } = this.#store;
    for (const lease of record.granted) {
      const isNew = lease.id !== NO_LEASE && lessor.find(lease.id) === undefined;
      expect(isNew && lease.ttlMs > 0, `lease ${lease.id} cannot begin`);
      lessor.begin({ ...lease, nowMs: this.#runningMs });
    }
    for (const id of record.renewed) {
      const lease = lessor.find(id);
      if (lease === undefined) throw new RangeError(`lease ${id} is renewed, and not there`);
      lessor.renew(lease, this.#runningMs);
    }
    if (record.changes.length > 0) {
      const builder = new CommitBuilder(keys, lessor, record.revision);
      try {
        const { changes } = record;
        for (let left = changes.length; left > 0; left -= 1) this.#change(builder, changes.next());
      } catch (error) {
        builder.abandon();
        throw error;
      }
      const { revision, timeMs } = record;
      const { first, length } = builder.changes;
      this.#store.journal.adopt({ revision, timeMs, first, length });
    }
    for (const id of record.ended) {
      const lease = lessor.find(id);
      if (lease === undefined) throw new RangeError(`lease ${id} ends, and is not there`);
      expect(lease.keys.size === 0, `lease ${id} ends with keys`);
      lessor.end(lease);
    }
  }

  #change(builder: CommitBuilder, change: NewRow): void {
    const { lessor, keys } = this.#store;
    const { rows } = keys;
    const { key, keyStart, keyEnd, leaseId } = change;
    const id = keys.findIn(key, keyStart, keyEnd);
    const live = keys.live(id);
    if (change.deleted !== undefined) {
      expect(live !== NO_ROW, "a key is deleted that is not there");
      builder.delete(id, change.deleted);
      return;
    }
    const isKnown = leaseId === NO_LEASE || lessor.find(leaseId) !== undefined;
    expect(isKnown, `a key names lease ${leaseId}, which is not there`);
    const newest = keys.newest(id);
    const isTwice = newest !== NO_ROW && rows.revisionOf(newest) === change.revision;
    expect(!isTwice, "a key changes twice");
    const created = live === NO_ROW ? change.revision : rows.createRevisionOf(live);
    const version = live === NO_ROW ? 1 : rows.versionOf(live) + 1;
    const isNext = change.createRevision === created && change.version === version;
    expect(isNext, "a version is not the one after the one before");
    builder.add(id, change);
  }
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new RangeError(otherwise);
}
