// Backend: what makes the store's commits durable. The store hands over records in order; the
// backend says when they are durable. The log is one backend; keeping nothing is another.

import type { LeaseId } from "../kv/types.js";
import type { Commit } from "./version.js";

/** What happened to the store, in order: all that a replay needs. */
export type LogRecord =
  /** Commits carry the leases that began (puts with a ttl) and ended with them. */
  | {
      readonly kind: "commit";
      readonly commit: Commit;
      readonly granted: readonly GrantedLease[];
      readonly ended: readonly LeaseId[];
    }
  | { readonly kind: "lease-granted"; readonly lease: GrantedLease }
  | { readonly kind: "lease-renewed"; readonly id: LeaseId }
  /** A lease without keys ended: no commit tells it. */
  | { readonly kind: "lease-ended"; readonly id: LeaseId };

export interface GrantedLease {
  readonly id: LeaseId;
  readonly ttlMs: number;
  /** Granted with a put: it vanishes with its last key. */
  readonly ofPut: boolean;
}

/** The number of a record: 1 for the first, one more for each. 0 is before all. */
export type Position = number;

export interface Backend {
  /**
   * Makes sure that append() can take this record. Nothing has changed yet.
   *
   * @throws KvdError NO_SPACE, LOG_FAILED.
   */
  reserve(record: LogRecord): void;

  /** Takes the record that was reserved last. Never fails; never waits. */
  append(record: LogRecord): Position;

  /** The newest position that is durable. Never goes back. */
  readonly durablePosition: Position;

  /** Resolves once the position is durable. @throws KvdError LOG_FAILED. */
  durable(position: Position): Promise<void>;

  /** The one callback, called after each growth of durablePosition, never from within append(). */
  onDurable(callback: (position: Position) => void): void;

  close(): Promise<void>;
}

/** Keeps nothing: every record is as durable as it gets when it is appended. */
export class MemoryBackend implements Backend {
  #position: Position = 0;

  reserve(_record: LogRecord): void {}

  append(_record: LogRecord): Position {
    this.#position += 1;
    return this.#position;
  }

  get durablePosition(): Position {
    return this.#position;
  }

  durable(_position: Position): Promise<void> {
    return Promise.resolve();
  }

  onDurable(_callback: (position: Position) => void): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
