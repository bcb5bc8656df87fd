// Who leads an election, from one leader to the next: the oldest key of the queue, and its value.

import type { Entry, Kvd, WatchEvent } from "../../index.js";
import type { LockQueue } from "./queue.js";

/** Undefined when nobody leads. */
export type Leader = Pick<Entry, "keyBytes" | "bytes" | "createRevision" | "modRevision">;

export interface Observed {
  readonly leader: Leader | undefined;
  /** At which it became so, or was found so. */
  readonly revision: number;
}

export interface ObservationOptions {
  readonly signal: AbortSignal;
  /** Told when the connection broke, and it goes on by itself. */
  onBreak(): void;
}

/** The present leader, then each other one, or its other value, until the signal is aborted. */
export async function* observed(
  kv: Kvd,
  queue: LockQueue,
  options: ObservationOptions,
): AsyncGenerator<Observed, void> {
  const candidates = new Candidates(queue);
  const watch = kv.watch(
    { prefix: queue.prefix },
    { ...options, includeCurrent: true, resume: true, relist: true },
  );
  for await (const step of watch.steps()) {
    if (step.kind === "relist") candidates.clear();
    else if (step.kind === "current") for (const entry of step.entries) candidates.add(entry);
    else if (step.kind === "synced") yield* candidates.change(step.revision);
    else if (step.kind === "events") {
      for (const [index, event] of step.events.entries()) {
        candidates.take(event);
        const next = step.events[index + 1];
        const whole = next === undefined ? !step.fragment : next.revision !== event.revision;
        if (whole) yield* candidates.change(event.revision);
      }
    }
  }
}

class Candidates {
  readonly #queue: LockQueue;
  readonly #entries = new Map<string, Leader>();
  #told: Observed | undefined;

  constructor(queue: LockQueue) {
    this.#queue = queue;
  }

  clear(): void {
    this.#entries.clear();
  }

  add(entry: Leader): void {
    if (!this.#queue.has(entry.keyBytes)) return;
    this.#entries.set(nameOf(entry.keyBytes), entry);
  }

  take(event: WatchEvent): void {
    if (event.type === "put") this.add(event.entry);
    else this.#entries.delete(nameOf(event.keyBytes));
  }

  /** The leader, unless it is the one that was told last. */
  *change(revision: number): Generator<Observed> {
    const leader = this.#leader;
    const told = this.#told;
    if (told !== undefined && told.leader?.modRevision === leader?.modRevision) return;
    this.#told = { leader, revision };
    yield this.#told;
  }

  get #leader(): Leader | undefined {
    let first: Leader | undefined;
    for (const entry of this.#entries.values()) {
      if (first === undefined || entry.createRevision < first.createRevision) first = entry;
    }
    return first;
  }
}

function nameOf(keyBytes: Uint8Array): string {
  return Buffer.from(keyBytes).toString("latin1");
}
