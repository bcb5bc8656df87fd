// A line of keys under a prefix, on which etcd's locks and elections rest: the one with the lowest
// create revision holds, the others wait for those before them, in the order of arrival.
//
// A key is named by its lease and vanishes with it. Whoever waits watches the one key that is
// right before its own, so a key that goes wakes one of them. A call that fails leaves no key.

import type { Engine } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import { type Entry, type LeaseId, NO_LEASE, type Operation, type Revision } from "../kv/types.js";
import { eventsFrom } from "./key-events.js";
import { keyToWrite } from "./messages.js";

/** Of the lease that is granted to a caller who brings none; nobody renews it. */
const OWN_LEASE_TTL_MS = 60_000;

const NOTHING = new Uint8Array(0);
const UNBOUNDED = { maxBytes: Number.POSITIVE_INFINITY };

/** A key in the line. */
export interface Place {
  readonly key: Uint8Array;
  readonly leaseId: LeaseId;
  readonly createRevision: Revision;
}

export interface Entrant {
  /** NO_LEASE: one is granted. */
  readonly leaseId: LeaseId;
  readonly value: Uint8Array;
  /** What is thrown when the key vanishes while it waits. */
  readonly expired: () => Error;
}

export interface Turn extends Place {
  /** When the key entered. */
  readonly enteredRevision: Revision;
  /** When it was seen to be the first. */
  readonly revision: Revision;
}

interface Entered extends Place {
  readonly revision: Revision;
  /** The lease had no place in the line before. */
  readonly isNew: boolean;
}

interface Look {
  readonly revision: Revision;
  readonly entries: readonly Entry[];
}

export class WaitingLine {
  readonly prefix: Uint8Array;
  readonly #engine: Engine;

  constructor(engine: Engine, name: Uint8Array) {
    this.#engine = engine;
    this.prefix = Buffer.concat([name, Buffer.from("/")]);
  }

  /** Enters the line, or keeps the place that the lease has in it, and waits to be the first. */
  async turn(entrant: Entrant, signal: AbortSignal): Promise<Turn> {
    const lease = await sessionLease(this.#engine, entrant.leaseId);
    let place: Place | undefined;
    try {
      const entered = await this.#enter(lease.id, entrant.value);
      place = entered;
      const revision = await this.#wait(place, entrant, signal);
      // Who held already holds on, whatever becomes of this call.
      if (entered.isNew) signal.throwIfAborted();
      return { ...place, enteredRevision: entered.revision, revision };
    } catch (error) {
      if (place !== undefined) await ignoringRefusal(this.leave(place));
      await lease.release();
      throw error;
    }
  }

  /** Who holds, and the revision at which that was seen. */
  async holder(): Promise<{ readonly revision: Revision; readonly entry: Entry | undefined }> {
    const { revision, entries } = await this.#look({ keysOnly: false });
    const entry = entries.reduce<Entry | undefined>(
      (first, each) => (first && first.createRevision <= each.createRevision ? first : each),
      undefined,
    );
    return { revision, entry };
  }

  /** Puts a value into a place, if that is still what it was. */
  async write(
    place: Place,
    value: Uint8Array,
  ): Promise<{ readonly revision: Revision; readonly succeeded: boolean }> {
    return this.#ifStanding(place, putOperation(place, value));
  }

  /** Gives a place up, if it is still what it was. */
  async leave(place: Place): Promise<{ readonly revision: Revision }> {
    return this.#ifStanding(place, deleteOperation(place.key));
  }

  async #enter(leaseId: LeaseId, value: Uint8Array): Promise<Entered> {
    const key = keyToWrite(Buffer.concat([this.prefix, Buffer.from(leaseId.toString(16))]));
    const { revision, succeeded, results } = await this.#engine.txn(
      {
        compares: [isCreatedAt(key, 0)],
        success: [putOperation({ key, leaseId }, value)],
        failure: [{ kind: "get", get: { key, revision: 0 } }],
      },
      UNBOUNDED,
    );
    if (succeeded) return { key, leaseId, createRevision: revision, revision, isNew: true };
    const [there] = results;
    const entry = there?.kind === "get" ? there.get.entry : undefined;
    if (entry === undefined) throw new Error("a key that is there has no entry");
    const place = { key, leaseId, createRevision: entry.createRevision };
    if (Buffer.compare(entry.value, value) !== 0) await this.write(place, value);
    return { ...place, revision, isNew: false };
  }

  async #wait(place: Place, entrant: Entrant, signal: AbortSignal): Promise<Revision> {
    for (;;) {
      const { revision, entries } = await this.#look({ keysOnly: true });
      let stands = false;
      let before: Entry | undefined;
      for (const entry of entries) {
        if (entry.createRevision > place.createRevision) continue;
        if (entry.createRevision < place.createRevision) before = later(before, entry);
        else if (Buffer.compare(entry.key, place.key) === 0) stands = true;
      }
      if (!stands) throw entrant.expired();
      if (before === undefined) return revision;
      await this.#gone(before.key, revision + 1, signal);
    }
  }

  /** Settles once the key is deleted at that revision or later; sooner at times. */
  async #gone(key: Uint8Array, startRevision: Revision, signal: AbortSignal): Promise<void> {
    const query = { selector: { kind: "key", key }, startRevision, excludePuts: true } as const;
    for await (const _ of eventsFrom(this.#engine, query, signal)) return;
  }

  #look({ keysOnly }: { readonly keysOnly: boolean }): Promise<Look> {
    return this.#engine.range({
      selector: { kind: "prefix", prefix: this.prefix },
      revision: 0,
      order: "ascending",
      limit: 0,
      keysOnly,
      count: "no",
      delimiter: NOTHING,
      resume: undefined,
      maxBytes: Number.POSITIVE_INFINITY,
    });
  }

  #ifStanding({ key, createRevision }: Place, operation: Operation) {
    const compares = [isCreatedAt(key, createRevision)];
    return this.#engine.txn({ compares, success: [operation], failure: [] }, UNBOUNDED);
  }
}

/** The caller's lease, or one that is granted, and taken back when it has come to nothing. */
export async function sessionLease(
  engine: Engine,
  leaseId: LeaseId,
): Promise<{ readonly id: LeaseId; release(): Promise<void> }> {
  if (leaseId !== NO_LEASE) return { id: leaseId, release: async () => {} };
  const { id } = await engine.grant({ id: NO_LEASE, ttlMs: OWN_LEASE_TTL_MS });
  return { id, release: () => ignoringRefusal(engine.revoke({ id })) };
}

/** For what is put in order after a failure: the end of the lease does it, too. */
async function ignoringRefusal(promise: Promise<unknown>): Promise<void> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof KvdError)) throw error;
  }
}

function later(a: Entry | undefined, b: Entry): Entry {
  return a !== undefined && a.createRevision >= b.createRevision ? a : b;
}

function isCreatedAt(key: Uint8Array, value: Revision) {
  return {
    selector: { kind: "key", key },
    relation: "equal",
    target: { kind: "createRevision", value },
  } as const;
}

function putOperation(
  { key, leaseId }: { readonly key: Uint8Array; readonly leaseId: LeaseId },
  value: Uint8Array,
): Operation {
  const lease = { kind: "lease", id: leaseId, maxKeys: Number.POSITIVE_INFINITY } as const;
  const put = { key, value, lease, expectedModRevision: undefined, returnPrevious: false };
  return { kind: "put", put };
}

export function deleteCommand(key: Uint8Array) {
  return {
    selector: { kind: "key", key },
    limit: 0,
    maxKeys: Number.POSITIVE_INFINITY,
    expectedModRevision: undefined,
    returnPrevious: false,
    maxBytes: Number.POSITIVE_INFINITY,
  } as const;
}

function deleteOperation(key: Uint8Array): Operation {
  return { kind: "delete", delete: deleteCommand(key) };
}
