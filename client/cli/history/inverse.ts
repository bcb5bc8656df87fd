// The inverse of a revision: the txn that gives each key that it changed what it had before, if it
// is still as that revision left it.

import type { Compare, Entry, Kvd, Leases, Operation, TxnSpec, WatchEvent } from "../../index.js";
import { isClientError } from "../error-text.js";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { quotedKey } from "../key-argument.js";
import { isAbsent, modRevisionIs } from "../relocation/plan.js";
import { QUIET_INTERVAL } from "./revision-at.js";

export interface Inverse {
  readonly spec: TxnSpec;
  /** When the revision was committed. */
  readonly time: Date;
  readonly keys: number;
  /** What it cannot bring back, in sentences. */
  readonly remarks: readonly string[];
}

/** A commit that is larger than any txn could undo. */
const MAX_EVENTS = 10_000;

/** @throws Failure when history does not have it, or does not have all of it. */
export async function inverseOf(kv: Kvd, revision: number, signal: AbortSignal): Promise<Inverse> {
  const events = await eventsOf(kv, revision, signal);
  const [first] = events;
  if (first === undefined) {
    throw new Failure(EXIT.negative, `revision ${revision} changed nothing`);
  }
  const leases = new KnownLeases(kv.lease, signal);
  const compare: Compare[] = [];
  const success: Operation[] = [];
  const remarks: string[] = [];
  for (const event of events) {
    const key = event.keyBytes;
    compare.push(event.type === "put" ? modRevisionIs(key, revision) : isAbsent(key));
    const { previous } = event;
    if (previous === undefined) {
      success.push(deletion(event));
      continue;
    }
    const back = await leaseBack(event, previous, leases);
    if (back.remark !== undefined) remarks.push(back.remark);
    success.push({ kind: "put", key, value: previous.bytes, options: back.options });
  }
  return { spec: { compare, success }, time: first.commitTime, keys: events.length, remarks };
}

function deletion(event: WatchEvent): Operation {
  if (event.type === "put" && event.entry.version === 1) {
    return { kind: "delete", selector: event.keyBytes, options: {} };
  }
  const text = `what ${quotedKey(event.keyBytes)} was before revision ${event.revision}`;
  throw new Failure(EXIT.history, `${text} is compacted; it cannot be undone`);
}

async function leaseBack(event: WatchEvent, previous: Entry, leases: KnownLeases) {
  const { leaseId } = previous;
  if (leaseId === 0n) return { options: {} };
  if (event.type === "put" && event.entry.leaseId === leaseId) {
    return { options: { keepLease: true } };
  }
  if (await leases.has(leaseId)) return { options: { leaseId } };
  const remark = `the lease of ${quotedKey(event.keyBytes)} is over: it comes back without one`;
  return { options: {}, remark };
}

class KnownLeases {
  readonly #known = new Map<bigint, boolean>();
  readonly #leases: Pick<Leases, "timeToLive">;
  readonly #signal: AbortSignal;

  constructor(leases: Pick<Leases, "timeToLive">, signal: AbortSignal) {
    this.#leases = leases;
    this.#signal = signal;
  }

  async has(id: bigint): Promise<boolean> {
    const known = this.#known.get(id) ?? (await this.#ask(id));
    this.#known.set(id, known);
    return known;
  }

  async #ask(id: bigint): Promise<boolean> {
    try {
      await this.#leases.timeToLive(id, { signal: this.#signal });
      return true;
    } catch (error) {
      if (isClientError(error) && error.reason === "LEASE_NOT_FOUND") return false;
      throw error;
    }
  }
}

async function eventsOf(kv: Kvd, revision: number, signal: AbortSignal): Promise<WatchEvent[]> {
  const { durableRevision, compactRevision } = await kv.maintenance.status({ signal });
  if (revision > durableRevision) {
    const text = `there is no revision ${revision} yet; the newest is ${durableRevision}`;
    throw new Failure(EXIT.invalid, text);
  }
  if (revision < compactRevision) {
    const text = `revision ${revision} is compacted; the history begins at ${compactRevision}`;
    throw new Failure(EXIT.history, text);
  }
  const events: WatchEvent[] = [];
  const options = {
    ...{ startRevision: Math.max(1, revision), previous: true, signal },
    progressInterval: QUIET_INTERVAL,
  };
  for await (const step of kv.watch({ all: true }, options).steps()) {
    if (step.kind === "progress" && step.revision >= revision) return events;
    if (step.kind !== "events") continue;
    for (const event of step.events) if (event.revision === revision) events.push(event);
    if (events.length > MAX_EVENTS) {
      const text = `revision ${revision} changed more than ${MAX_EVENTS} keys, more than one txn can`;
      throw new Failure(EXIT.invalid, text);
    }
    if (step.revision > revision || !step.fragment) return events;
  }
  signal.throwIfAborted();
  return events;
}

/** The first key that is not as the revision left it. */
export async function changedSince(
  kv: Kvd,
  { spec }: Inverse,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const { selector, target } of spec.compare ?? []) {
    const { key } = selector as { readonly key: Uint8Array };
    const entry = await kv.get(key, { signal });
    const expected = target.kind === "modRevision" ? target.value : 0;
    if ((entry?.modRevision ?? 0) === expected) continue;
    const now = entry === undefined ? "deleted" : `changed at revision ${entry.modRevision}`;
    return `${quotedKey(key)} was ${now} since`;
  }
  return undefined;
}
