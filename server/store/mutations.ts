// Puts and deletes as steps of a commit in the making: everything is checked before anything
// changes, so a step that throws has left no trace of its own.

import { KvdError, showKey } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import { boundsOfSelector } from "../kv/selector.js";
import {
  type DeleteCommand,
  type DeleteResult,
  type Entry,
  entryBytes,
  type LeaseId,
  NO_LEASE,
  type PutCommand,
  type PutResult,
  type Revision,
} from "../kv/types.js";
import type { CommitBuilder } from "./commit-builder.js";
import type { Counters } from "./counters.js";
import type { KeySpace } from "./key-space.js";
import { type KeyId, NO_KEY } from "./key-table.js";
import { LEASE_BYTES, type Lessor } from "./lessor.js";
import { resultTooLarge } from "./result-budget.js";
import type { Retention } from "./retention.js";
import { KEY_MAX_BYTES, NO_ROW, type Row } from "./row-layout.js";
import { entryOfRow } from "./version.js";
import type { VisitBudget } from "./visit-budget.js";
import { rowBytes, versionBytesOf } from "./weights.js";

export class Mutations {
  readonly #keys: KeySpace;
  readonly #lessor: Lessor;
  readonly #retention: Retention;
  readonly #counters: Counters;
  readonly #limits: Pick<Limits, "leaseMemoryMaxBytes">;

  constructor(options: {
    readonly keys: KeySpace;
    readonly lessor: Lessor;
    readonly retention: Retention;
    readonly counters: Counters;
    readonly limits: Pick<Limits, "leaseMemoryMaxBytes">;
  }) {
    this.#limits = options.limits;
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
    if (key.length > KEY_MAX_BYTES) throw tooLong();
    const { rows } = this.#keys;
    const keyId = this.#keys.find(key);
    const live = this.#keys.live(keyId);
    this.#refuseStale(builder, { key, live }, command.expectedModRevision);
    if (command.value === "keep") this.#refuseStale(builder, { key, live }, "present");
    const value = command.value === "keep" ? rows.valueOf(live) : command.value;
    if (lease.kind === "lease") {
      this.#lessor.refuseFull(lease.id, { keyId, key, maxKeys: lease.maxKeys });
    }
    if (lease.kind === "ttl") this.#lessor.refuseMore(this.#limits.leaseMemoryMaxBytes);
    const leaseBefore = live === NO_ROW ? NO_LEASE : rows.leaseIdOf(live);
    const leased = lease.kind === "keep" ? leaseBefore !== NO_LEASE : lease.kind !== "none";
    const before = live === NO_ROW ? 0 : rowBytes(rows, live);
    const after =
      versionBytesOf({ key: key.length, value: value.length, leased }) +
      (lease.kind === "ttl" ? LEASE_BYTES : 0);
    // From here on ids of keys may be others': what makes room can let keys go.
    this.#retention.makeRoom(key, { before, after }, moment.published);
    const previous = command.returnPrevious && live !== NO_ROW ? entryOfRow(rows, live) : undefined;
    const leaseId = this.#leaseOf(builder, command, leaseBefore, moment.nowMs);
    builder.put({ key, value, leaseId });
    const ttlMs = leaseId === NO_LEASE ? 0 : (this.#lessor.find(leaseId)?.ttlMs ?? 0);
    return { revision: builder.revision, previous, leaseId, ttlMs };
  }

  delete(builder: CommitBuilder, command: DeleteCommand, visits: VisitBudget): DeleteResult {
    const { selector, expectedModRevision } = command;
    if (selector.kind === "key") {
      const live = this.#keys.live(this.#keys.find(selector.key));
      this.#refuseStale(builder, { key: selector.key, live }, expectedModRevision);
    }
    const { ids, more } = this.#victims(command, visits);
    const previous = command.returnPrevious ? this.#previousOf(ids, command.maxBytes) : [];
    for (const id of ids) builder.delete(id, "deleted");
    return { revision: builder.seenRevision, deleted: ids.length, more, previous };
  }

  #leaseOf(builder: CommitBuilder, command: PutCommand, before: LeaseId, nowMs: number): LeaseId {
    switch (command.lease.kind) {
      case "none":
        return NO_LEASE;
      case "lease":
        return command.lease.id;
      case "keep":
        return before;
      case "ttl":
        return builder.beginLease(command.lease.ttlMs, nowMs);
    }
  }

  #victims(command: DeleteCommand, visits: VisitBudget): { ids: KeyId[]; more: boolean } {
    const { selector, limit, maxKeys } = command;
    if (selector.kind === "key") return this.#victim(selector.key, visits);
    const { start, end } = boundsOfSelector(selector);
    const ids: KeyId[] = [];
    const walk = this.#keys.ascendLiving(start);
    this.#counters.seeks += 1;
    for (let id = walk.next(); id !== NO_KEY; id = walk.next()) {
      if (end !== undefined && this.#keys.compareTo(id, end) >= 0) break;
      visits.take();
      if (this.#keys.live(id) === NO_ROW) continue;
      walk.isLiving();
      if (limit > 0 && ids.length === limit) return { ids, more: true };
      if (ids.length === maxKeys) {
        throw new KvdError(
          "TOO_MANY_KEYS",
          `the delete would remove more than ${maxKeys} keys (--delete-max-keys): ` +
            "give a limit and go on while there are more",
        );
      }
      ids.push(id);
    }
    return { ids, more: false };
  }

  #victim(key: Uint8Array, visits: VisitBudget): { ids: KeyId[]; more: boolean } {
    const id = this.#keys.find(key);
    this.#counters.seeks += 1;
    if (id !== NO_KEY) visits.take();
    return { ids: this.#keys.live(id) === NO_ROW ? [] : [id], more: false };
  }

  #previousOf(ids: readonly KeyId[], maxBytes: number): Entry[] {
    const previous: Entry[] = [];
    let bytes = 0;
    for (const id of ids) {
      const entry = entryOfRow(this.#keys.rows, this.#keys.live(id));
      bytes += entryBytes(entry);
      if (bytes > maxBytes) throw resultTooLarge("the deleted entries", maxBytes);
      previous.push(entry);
    }
    return previous;
  }

  #refuseStale(
    builder: CommitBuilder,
    { key, live }: { readonly key: Uint8Array; readonly live: Row },
    expected: PutCommand["expectedModRevision"],
  ): void {
    if (expected === undefined) return;
    const modRevision = live === NO_ROW ? 0 : this.#keys.rows.revisionOf(live);
    if (expected === "present" ? modRevision > 0 : expected === modRevision) return;
    const is = modRevision === 0 ? "is absent" : `has mod revision ${modRevision}`;
    const wanted = expected === 0 ? "it must be absent" : wantedPresence(expected);
    throw new KvdError("PRECONDITION_FAILED", `key ${showKey(key)} ${is}, ${wanted}`, {
      modRevision,
      revision: builder.headRevision,
    });
  }
}

/** The entry that a key has now. */
export function presentEntry(keys: KeySpace, key: Uint8Array): Entry | undefined {
  const live = keys.live(keys.find(key));
  return live === NO_ROW ? undefined : entryOfRow(keys.rows, live);
}

function tooLong(): KvdError {
  return new KvdError("KEY_TOO_LONG", `the store takes keys of ${KEY_MAX_BYTES} bytes at most`);
}

function wantedPresence(expected: Revision | "present"): string {
  return expected === "present" ? "it must be present" : `mod revision ${expected} is expected`;
}
