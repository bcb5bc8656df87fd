// Puts and deletes as steps of a commit in the making: everything is checked before anything
// changes, so a step that throws has left no trace of its own.

import { KvdError, showKey } from "../kv/errors.js";
import {
  type DeleteCommand,
  type DeleteResult,
  type Entry,
  entryBytes,
  NO_LEASE,
  type PutCommand,
  type PutResult,
  type Revision,
} from "../kv/types.js";
import { latin1FromBytes } from "../lib/bytes.js";
import type { CommitBuilder } from "./commit-builder.js";
import type { Counters } from "./counters.js";
import type { KeySpace } from "./key-space.js";
import { LEASE_BYTES, type Lessor } from "./lessor.js";
import { textBoundsOfSelector } from "./range-read.js";
import { resultTooLarge } from "./result-budget.js";
import type { Retention } from "./retention.js";
import {
  entryOfVersion,
  type KeyRecord,
  type Version,
  versionBytes,
  versionBytesOf,
} from "./version.js";
import type { VisitBudget } from "./visit-budget.js";

export class Mutations {
  readonly #keys: KeySpace;
  readonly #lessor: Lessor;
  readonly #retention: Retention;
  readonly #counters: Counters;

  constructor(options: {
    readonly keys: KeySpace;
    readonly lessor: Lessor;
    readonly retention: Retention;
    readonly counters: Counters;
  }) {
    this.#keys = options.keys;
    this.#lessor = options.lessor;
    this.#retention = options.retention;
    this.#counters = options.counters;
  }

  /** `published` bounds the history that may go to make room. */
  put(
    builder: CommitBuilder,
    command: PutCommand,
    moment: { readonly nowMs: number; readonly published: Revision },
  ): PutResult {
    const { key, lease } = command;
    const text = latin1FromBytes(key);
    const record = this.#keys.get(text);
    const live = record?.live;
    refuseStale(builder, key, live, command.expectedModRevision);
    if (command.value === "keep") refuseStale(builder, key, live, "present");
    const value = command.value === "keep" ? (live as Version).value : command.value;
    if (lease.kind === "lease") {
      this.#lessor.refuseFull(lease.id, { text, key, maxKeys: lease.maxKeys });
    }
    const before = record === undefined || live === undefined ? 0 : versionBytes(record, live);
    const leased =
      lease.kind === "keep" ? (live?.leaseId ?? NO_LEASE) !== NO_LEASE : lease.kind !== "none";
    const after =
      versionBytesOf({ key: key.length, value: value.length, leased }) +
      (lease.kind === "ttl" ? LEASE_BYTES : 0);
    this.#retention.makeRoom(key, { before, after }, moment.published);
    const previous = command.returnPrevious ? presentEntry(record) : undefined;
    const leaseId = this.#leaseOf(builder, command, live, moment.nowMs);
    builder.put({ text, key, value, leaseId });
    const ttlMs = this.#lessor.find(leaseId)?.ttlMs ?? 0;
    return { revision: builder.revision, previous, leaseId, ttlMs };
  }

  delete(builder: CommitBuilder, command: DeleteCommand, visits: VisitBudget): DeleteResult {
    const { selector, expectedModRevision } = command;
    if (selector.kind === "key") {
      const live = this.#keys.get(latin1FromBytes(selector.key))?.live;
      refuseStale(builder, selector.key, live, expectedModRevision);
    }
    const { records, more } = this.#victims(command, visits);
    const previous = command.returnPrevious ? previousOf(records, command.maxBytes) : [];
    for (const record of records) builder.delete(record, "deleted");
    return { revision: builder.seenRevision, deleted: records.length, more, previous };
  }

  #leaseOf(
    builder: CommitBuilder,
    command: PutCommand,
    live: Version | undefined,
    nowMs: number,
  ): bigint {
    switch (command.lease.kind) {
      case "none":
        return NO_LEASE;
      case "lease":
        return command.lease.id;
      case "keep":
        return live?.leaseId ?? NO_LEASE;
      case "ttl":
        return builder.beginLease(command.lease.ttlMs, nowMs);
    }
  }

  #victims(command: DeleteCommand, visits: VisitBudget): { records: KeyRecord[]; more: boolean } {
    const { start, end } = textBoundsOfSelector(command.selector);
    const records: KeyRecord[] = [];
    const walk = this.#keys.ascend(start);
    this.#counters.seeks += 1;
    for (let step = walk.next(); step !== undefined; step = walk.next()) {
      const [key, record] = step;
      if (end !== undefined && key >= end) break;
      visits.take();
      if (record.live === undefined) continue;
      if (command.limit > 0 && records.length === command.limit) return { records, more: true };
      if (records.length === command.maxKeys) {
        throw new KvdError(
          "TOO_MANY_KEYS",
          `the delete would remove more than ${command.maxKeys} keys (--delete-max-keys): ` +
            "give a limit and go on while there are more",
        );
      }
      records.push(record);
    }
    return { records, more: false };
  }
}

/** The entry that a key has now. */
export function presentEntry(record: KeyRecord | undefined): Entry | undefined {
  const live = record?.live;
  return record === undefined || live === undefined ? undefined : entryOfVersion(record, live);
}

function refuseStale(
  builder: CommitBuilder,
  key: Uint8Array,
  live: Version | undefined,
  expected: PutCommand["expectedModRevision"],
): void {
  if (expected === undefined) return;
  const modRevision = live?.revision ?? 0;
  if (expected === "present" ? modRevision > 0 : expected === modRevision) return;
  const is = modRevision === 0 ? "is absent" : `has mod revision ${modRevision}`;
  const wanted = expected === 0 ? "it must be absent" : wantedPresence(expected);
  throw new KvdError("PRECONDITION_FAILED", `key ${showKey(key)} ${is}, ${wanted}`, {
    modRevision,
    revision: builder.headRevision,
  });
}

function wantedPresence(expected: Revision | "present"): string {
  return expected === "present" ? "it must be present" : `mod revision ${expected} is expected`;
}

function previousOf(records: readonly KeyRecord[], maxBytes: number): Entry[] {
  const previous: Entry[] = [];
  let bytes = 0;
  for (const record of records) {
    const entry = presentEntry(record) as Entry;
    bytes += entryBytes(entry);
    if (bytes > maxBytes) throw resultTooLarge("the deleted entries", maxBytes);
    previous.push(entry);
  }
  return previous;
}
