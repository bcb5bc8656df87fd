// The direct way through a batch, for engines that have their entries at hand: what one may offer
// besides Engine.batch(), so that a surface can go from the bytes of a request to those of its
// answer without an object for each operation.
//
// The semantics are those of Engine.batch(): operations stand alone, in order; nothing is told that
// is not durable; a batch that only reads sees the newest revision that may be shown, one that
// writes sees the head. Keys and values are places in the caller's bytes, from a start up to an
// end; an engine copies what it keeps. Neighbours of one type stand without names here, because an
// object for them would cost as much as the call.

import type { BatchOperation, BatchResultItem, LeaseId, Revision } from "./types.js";

export interface DirectOptions {
  /** Every operation isRead(). */
  readonly readsOnly: boolean;
  /** How many operations there are. */
  readonly operations: number;
  /** As of BatchCommand: an operation whose result would push the answer over this fails alone. */
  readonly maxBytes: number;
}

export interface Direct {
  /**
   * Lets `work` do a batch, within this call, and gives what it returned: at once when all that it
   * saw is durable, otherwise as soon as it is. What `work` was given is of no use afterwards.
   *
   * @throws SHUTTING_DOWN before anything is done; LOG_FAILED as a rejection.
   */
  batch<T>(options: DirectOptions, work: (batch: DirectBatch) => T): T | Promise<T>;
}

/** Bytes, and a view of them that is at hand for whoever copies what is short. */
export interface DirectBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** What a get has found. Its bytes belong to the engine. */
export interface DirectEntry {
  readonly source: DirectBytes;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  readonly version: number;
  readonly leaseId: LeaseId;
}

/** A batch while it is done. Whatever throws has changed nothing, and the batch can go on. */
export interface DirectBatch {
  /** What an answer reflects now: the head, or in a batch that only reads what may be shown. */
  readonly revision: Revision;

  /** Of the last get that found something, until the next call. */
  readonly entry: DirectEntry;

  /** Whether there is an entry now. @throws RESULT_TOO_LARGE when it does not fit the answer. */
  get(source: DirectBytes, start: number, end: number): boolean;

  /**
   * A put without lease, expectation or previous entry.
   *
   * @throws STORE_FULL, NO_SPACE, LOG_FAILED.
   */
  put(
    source: DirectBytes,
    start: number,
    end: number,
    valueStart: number,
    valueEnd: number,
  ): Revision;

  /**
   * A delete of one key, without expectation or previous entry: how many keys have gone.
   *
   * @throws NO_SPACE, LOG_FAILED.
   */
  delete(source: DirectBytes, start: number, end: number): number;

  /** Any operation; a failure is a result. */
  run(operation: BatchOperation): BatchResultItem;
}
