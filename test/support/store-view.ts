// What a store has, as it is compared with the model: by what it answers, not by what it keeps.

import type { Engine } from "../../server/kv/engine.js";
import type { Entry, Event } from "../../server/kv/types.js";
import { ALL, plain, range, text } from "./commands.js";
import type { Model, ModelEvent, ModelMark } from "./model.js";

export interface StoreView {
  readonly revision: number;
  readonly compactRevision: number;
  readonly entries: string;
  readonly leases: ReadonlyMap<bigint, LeaseView>;
}

interface LeaseView {
  readonly ttlMs: number;
  readonly remainingMs: number;
}

/** What the model was after a step, and when the store last wrote something, at the earliest. */
export interface StepMark extends ModelMark {
  readonly writtenMs: number;
}

export async function viewOf(engine: Engine): Promise<StoreView> {
  const { revision, compactRevision } = await engine.status();
  const { entries } = await engine.range(range(ALL));
  const leases = new Map<bigint, LeaseView>();
  const granted = (await engine.leases({ after: undefined, limit: 1000 })).leases;
  for (const { id, ttlMs, grantedTtlMs } of granted) {
    leases.set(id, { ttlMs: grantedTtlMs, remainingMs: ttlMs });
  }
  return { revision, compactRevision, entries: entriesText(entries), leases };
}

/**
 * What differs between a store and the model after a step, when the store was last served at
 * `servedMs`: time for which it was not served does not count for leases, and time since it last
 * wrote something may not.
 */
export function difference(
  view: StoreView,
  { mark, model, servedMs }: { mark: StepMark; model: Model; servedMs: number },
): string | undefined {
  const { revision, compactRevision } = mark;
  if (view.revision !== revision) return `revision ${view.revision}, not ${revision}`;
  if (view.compactRevision !== compactRevision) {
    return `compact revision ${view.compactRevision}, not ${compactRevision}`;
  }
  const entries = entriesText([...(model.states[revision]?.values() ?? [])]);
  if (view.entries !== entries) return `entries ${view.entries}, not ${entries}`;
  const ids = (all: Iterable<bigint>) => [...all].sort().join();
  const expected = ids(mark.leases.map(({ id }) => id));
  if (ids(view.leases.keys()) !== expected) {
    return `leases ${ids(view.leases.keys())}, not ${expected}`;
  }
  for (const { id, ttlMs, deadlineMs } of mark.leases) {
    const lease = view.leases.get(id);
    if (lease?.ttlMs !== ttlMs) return `lease ${id} of ${lease?.ttlMs} ms, not ${ttlMs}`;
    // What is overdue, and not ended yet, has nothing left.
    const leftAt = (ms: number) => Math.max(0, deadlineMs - ms);
    const [least, most] = [leftAt(servedMs), leftAt(mark.writtenMs)];
    if (lease.remainingMs < least || lease.remainingMs > most) {
      return `lease ${id} has ${lease.remainingMs} ms, not between ${least} and ${most}`;
    }
  }
  return undefined;
}

export function lineOfEvent(event: Event): string {
  const { revision, previous } = event;
  const before = previous === undefined ? "" : ` after ${entryText(previous)}`;
  if (event.type === "put") return `${revision} put ${entryText(event.entry)}${before}`;
  return `${revision} ${event.reason} ${text(event.key)}${before}`;
}

export function lineOfModel({ revision, key, entry, previous, reason }: ModelEvent): string {
  const before = previous === undefined ? "" : ` after ${entryText(previous)}`;
  if (entry !== undefined) return `${revision} put ${entryText(entry)}${before}`;
  return `${revision} ${reason} ${text(Buffer.from(key, "hex"))}${before}`;
}

function entriesText(entries: readonly Entry[]): string {
  const sorted = [...entries].sort((left, right) => Buffer.compare(left.key, right.key));
  return sorted.map(entryText).join(" ");
}

export function entryText(entry: Entry): string {
  const { key, value, createRevision, modRevision, version, leaseId } = plain(entry);
  return `${key}=${value}@${createRevision}-${modRevision}#${version}/${leaseId}`;
}
