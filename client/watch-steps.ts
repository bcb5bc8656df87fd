// Steps and events of a watch, from its messages; and the position to go on from after each. Pure:
// it knows nothing of streams, and a position is a value.

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

/** Undefined for a kind that this client does not know yet. */
export function stepFromMessage(response: WatchResponse): WatchStep | undefined {
  const revision = numberFromInt64(response.revision, "revision");
  const { kind } = response;
  switch (kind?.$case) {
    case "created":
      return { kind: "created", revision, storeId: kind.value.storeId };
    case "current":
      return { kind: "current", revision, entries: kind.value.kvs.map(entryFromMessage) };
    case "synced":
    case "progress":
      return { kind: kind.$case, revision };
    case "events": {
      const { events, fragment } = kind.value;
      return { kind: "events", revision, events: events.map(eventFromMessage), fragment };
    }
    case undefined:
      return undefined;
  }
}

/** Where a watch stands: what its consumer has been given. */
export interface Position {
  /** The start revision to go on with; undefined while that is not known. */
  readonly next: number | undefined;
  /** Present entries were asked for and are not complete. */
  readonly incomplete: boolean;
}

export function positionAfter(position: Position, step: WatchStep): Position {
  const { next, incomplete } = position;
  switch (step.kind) {
    case "created":
      return { next: incomplete ? undefined : (next ?? step.revision + 1), incomplete };
    case "current":
      return position;
    case "synced":
      return { next: step.revision + 1, incomplete: false };
    case "events":
      // Of a revision that goes on, the rest would be missing at revision + 1.
      return { next: step.fragment ? step.revision : step.revision + 1, incomplete };
    case "progress":
      // A watch that waits for a revision of the future has its progress told below it.
      return { next: Math.max(next ?? 0, step.revision + 1), incomplete };
  }
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
