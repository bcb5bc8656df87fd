// Engines for the conformance suites. A suite gets an OpenEngine and does not know what it opens;
// what a deployment cannot express is one of its traits, and a test that needs it is left out.
//
// Every engine is checked and closed when its test ends; a broken invariant, or a timer that
// outlives the engine, fails the test.

import assert from "node:assert/strict";
import type { ExecutionContext } from "ava";
import { type MemoryEngine, openMemoryEngine } from "../../server/engines/memory.js";
import type { Engine } from "../../server/kv/engine.js";
import { defaultLimits, type Limits } from "../../server/kv/limits.js";
import type { Backend } from "../../server/store/backend.js";
import { ManualClock } from "./manual-clock.js";

export interface OpenOptions {
  /** Those that are not named have their defaults. */
  readonly limits?: Partial<Limits>;
  /** One of its own by default. */
  readonly clock?: ManualClock;
  readonly backend?: Backend;
}

/** What a test may need that not every deployment has. */
export interface Traits {
  /** A read at a past revision also tells the newest revision. */
  readonly tellsCurrentRevision: boolean;
  /** A range can tell rows and how many there are in all (`count: "also"`). */
  readonly countsBesidesRows: boolean;
  /** A batch can hold operations that its caller has refused. */
  readonly takesRefusedOperations: boolean;
  /** requestProgress() works. */
  readonly progressOnRequest: boolean;
  /** A watch gives only what is pulled: nothing is under way between it and its reader. */
  readonly pulledOneByOne: boolean;
  /** Watcher.synced and Watcher.ended tell of the watch, also while nobody reads. */
  readonly tellsWatchState: boolean;
  /** A slow watch ends by itself; otherwise with its stream, which cannot tell where to go on. */
  readonly endsWatchesAlone: boolean;
  /** A call begins in the turn in which it is made. */
  readonly beginsAtOnce: boolean;
  /** It has Engine.versions(). */
  readonly walksVersions: boolean;
}

export interface OpenEngine {
  (t: ExecutionContext, options?: OpenOptions): Promise<Engine>;
  readonly traits: Traits;
}

/** How many engines of a test still use a clock. */
const usersOfClock = new WeakMap<ManualClock, number>();

/** A memory engine, checked and closed when the test ends. */
export async function openMemoryFor(
  t: ExecutionContext,
  options: OpenOptions = {},
): Promise<MemoryEngine> {
  const { limits, clock = new ManualClock(), backend } = options;
  const engine = await openMemoryEngine({
    limits: defaultLimits(limits),
    clock,
    ...(backend === undefined ? {} : { backend }),
  });
  usersOfClock.set(clock, (usersOfClock.get(clock) ?? 0) + 1);
  t.teardown(async () => {
    engine.check();
    await engine.close();
    const others = (usersOfClock.get(clock) ?? 1) - 1;
    usersOfClock.set(clock, others);
    if (others === 0) assert.equal(clock.pendingTimers, 0, "no timer outlives its engine");
  });
  return engine;
}

/** The memory engine itself: it can do everything. */
export const openMemory: OpenEngine = Object.assign(openMemoryFor, {
  traits: {
    tellsCurrentRevision: true,
    countsBesidesRows: true,
    takesRefusedOperations: true,
    progressOnRequest: true,
    pulledOneByOne: true,
    tellsWatchState: true,
    endsWatchesAlone: true,
    beginsAtOnce: true,
    walksVersions: true,
  },
});
