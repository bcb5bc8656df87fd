// Backend: what makes the store's changes durable. The store hands over records in order; the
// backend says when they are durable. The log is one backend; keeping nothing is another.

import type { LeaseId, Revision } from "../kv/types.js";
import type { NewRow, Row } from "./row-layout.js";
import type { Rows } from "./rows.js";

/** What happened to the store in one step: with those before it, all that a replay needs. */
export interface LogRecord {
  /** Of its commit; of the head when there are no changes. */
  readonly revision: Revision;
  /** The commit time of that revision. */
  readonly timeMs: number;
  /** Of the commit; empty when the keys did not change. */
  readonly changes: RowSpan;
  /** Begun before the changes. */
  readonly granted: readonly GrantedLease[];
  readonly renewed: readonly LeaseId[];
  /** Ended after the changes. */
  readonly ended: readonly LeaseId[];
  /**
   * The compact revision, when it grew since the record before. A record without changes and with
   * a revision above the head makes both go there: revisions in between may be lost.
   */
  readonly compactRevision: Revision | undefined;
}

/** Rows that follow each other: the changes of a commit, in their order. */
export interface RowSpan {
  readonly rows: Rows;
  readonly first: Row;
  /** How many. */
  readonly length: number;
}

export interface GrantedLease {
  readonly id: LeaseId;
  readonly ttlMs: number;
  /** Granted with a put: it vanishes with its last key. */
  readonly ofPut: boolean;
}

/** A record as it comes back: this object is another record once the next is read. */
export interface ReplayedRecord extends Omit<LogRecord, "changes"> {
  readonly changes: ReplayedChanges;
  /** When it was written, in milliseconds for which the store has been served since it began. */
  readonly runningMs: number;
}

export interface ReplayedChanges {
  /** How many. */
  readonly length: number;
  /** The next of them, as often as there are some: the same object each time. */
  next(): NewRow;
}

/** The number of a record: 1 for the first, one more for each. 0 is before all. */
export type Position = number;

export interface BackendListener {
  /** After each growth of durablePosition, never from within append(). */
  durable(): void;
  /**
   * What comes after durablePosition will never be durable, and has been forgotten: its waiters are
   * told after this call. The next record has the next position.
   */
  truncated(): void;
}

export interface Backend {
  /**
   * Makes sure that append() can take this record. Nothing has changed yet.
   *
   * @throws KvdError NO_SPACE, LOG_FAILED.
   */
  reserve(record: LogRecord): void;

  /** Takes the record that was reserved last. Never fails; never waits. */
  append(record: LogRecord): Position;

  /**
   * Of a backend that keeps no records: takes one without seeing it, where reserve() refuses none
   * and each is durable at once.
   */
  readonly appendUnseen?: () => Position;

  /** The newest position that is durable. Never goes back. */
  readonly durablePosition: Position;

  /** Resolves once the position is durable. @throws KvdError LOG_FAILED, NO_SPACE. */
  durable(position: Position): Promise<void>;

  /** The one listener. */
  listen(listener: BackendListener): void;

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

  readonly appendUnseen = (): Position => {
    this.#position += 1;
    return this.#position;
  };

  get durablePosition(): Position {
    return this.#position;
  }

  durable(_position: Position): Promise<void> {
    return Promise.resolve();
  }

  listen(_listener: BackendListener): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
