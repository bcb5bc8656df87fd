// Steps and events of a watch, from its messages; and the position to go on from after each. Pure:
// it knows nothing of streams, and a position is a value.
//
// A revision may come in fragments, and the stream may break between two of them. Then the revision
// is asked for again, from its beginning, and the events of it that came before are left out: those
// of one revision always come in the same order.

import {
  DeleteReason,
  type Event,
  EventType,
  type WatchResponse,
} from "../gen/grpc/kvd/v1/watch.js";
import { msFromMessage } from "./duration.js";
import { entryFromMessage, optionalEntry, ReceivedKey } from "./entry.js";
import { KvdClientError } from "./errors.js";
import { numberFromInt64 } from "./numbers.js";
import type { Entry } from "./types.js";
import type { WatchEvent, WatchStep } from "./watch-types.js";

/** What the stream of a watch can give; present entries are listed apart from it. */
export type StreamedStep = Extract<WatchStep, { kind: "created" | "events" | "progress" }>;
type EventsStep = Extract<WatchStep, { kind: "events" }>;

/** Undefined for a kind that this client does not know, or did not ask for. */
export function stepFromMessage(response: WatchResponse): StreamedStep | undefined {
  const revision = numberFromInt64(response.revision, "revision");
  const { kind } = response;
  switch (kind?.$case) {
    case "created":
      return { kind: "created", revision, storeId: kind.value.storeId };
    case "progress":
      return { kind: "progress", revision };
    case "events": {
      const { events, fragment } = kind.value;
      return { kind: "events", revision, events: events.map(eventFromMessage), fragment };
    }
    default:
      return undefined;
  }
}

/** Where a watch stands: what has come, whole revisions and the beginning of one more. */
export interface Position {
  /** The start revision to go on with; undefined while that is not known. */
  readonly next: number | undefined;
  /** How many events of `next` have come already. */
  readonly seen: number;
}

export function positionAfter(position: Position, step: StreamedStep): Position {
  const { next, seen } = position;
  switch (step.kind) {
    case "created":
      return { next: next ?? step.revision + 1, seen };
    case "events": {
      if (!step.fragment) return { next: step.revision + 1, seen: 0 };
      const before = step.revision === next ? seen : 0;
      return { next: step.revision, seen: before + countOf(step, step.revision) };
    }
    case "progress":
      // A watch that waits for a revision of the future has its progress told below it.
      return step.revision < (next ?? 0) ? position : { next: step.revision + 1, seen: 0 };
  }
}

/**
 * What is new in a step of a watch that goes on at a revision of which some events came before:
 * without the first `seen` of them. Undefined when nothing is new. (All of them seen, and no more
 * to come: an empty step, because the one before said that the revision goes on.)
 */
export function newIn(
  step: EventsStep,
  { next, seen }: { readonly next: number | undefined; readonly seen: number },
): { readonly step: EventsStep | undefined; readonly skipped: number } {
  const skipped = next === undefined ? 0 : Math.min(seen, countOf(step, next));
  if (skipped === 0) return { step, skipped };
  const events = step.events.slice(skipped);
  const nothing = events.length === 0 && step.fragment;
  return { step: nothing ? undefined : { ...step, events }, skipped };
}

function countOf({ events }: EventsStep, revision: number): number {
  let count = 0;
  for (const event of events) if (event.revision === revision) count += 1;
  return count;
}

const DELETE_REASONS: ReadonlyMap<number, "deleted" | "expired" | "revoked"> = new Map([
  [DeleteReason.DELETED, "deleted"],
  [DeleteReason.EXPIRED, "expired"],
  [DeleteReason.REVOKED, "revoked"],
]);

/** Classes, so that keyBytes is made only when it is asked for. */
class PutEvent extends ReceivedKey {
  readonly type = "put" as const;
  readonly revision: number;
  readonly entry: Entry;
  readonly previous: Entry | undefined;
  readonly commitTime: Date;

  constructor(event: Event, kv: NonNullable<Event["kv"]>) {
    super(kv.keyForm);
    this.entry = entryFromMessage(kv);
    this.revision = this.entry.modRevision;
    this.previous = optionalEntry(event.previous);
    this.commitTime = new Date(msFromMessage(event.commitTime));
  }
}

class DeleteEvent extends ReceivedKey {
  readonly type = "delete" as const;
  readonly revision: number;
  readonly reason: "deleted" | "expired" | "revoked" | "unknown";
  readonly previous: Entry | undefined;
  readonly commitTime: Date;

  constructor(event: Event, kv: NonNullable<Event["kv"]>) {
    super(kv.keyForm);
    this.revision = numberFromInt64(kv.modRevision, "mod_revision");
    this.reason = DELETE_REASONS.get(event.deleteReason) ?? "unknown";
    this.previous = optionalEntry(event.previous);
    this.commitTime = new Date(msFromMessage(event.commitTime));
  }
}

function eventFromMessage(event: Event): WatchEvent {
  if (event.kv !== undefined) {
    if (event.type === EventType.PUT) return new PutEvent(event, event.kv);
    if (event.type === EventType.DELETE) return new DeleteEvent(event, event.kv);
  }
  throw new KvdClientError("INTERNAL", `the server sent an event of type ${event.type} in vain`);
}
