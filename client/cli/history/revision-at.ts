// The revision that was the newest one at a moment.
//
// Commits carry their time, which never goes back, so it is found by halving what history there is.
// Each question is a watch that is closed after its first event. The clock is the server's.

import type { Kvd, WatchEvent } from "../../index.js";
import type { Invocation } from "../command.js";
import { EXIT } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import type { Flags } from "../flags.js";
import { localTime, momentFromText } from "./moment.js";

/** A watch that has nothing to show says so after this; the least that the server takes. */
export const QUIET_INTERVAL = "100ms";

type History = Pick<Kvd, "watch"> & { readonly maintenance: Pick<Kvd["maintenance"], "status"> };

/** What --rev or --at says; undefined without them, for now. @throws UsageError, Failure */
export async function revisionFrom(invocation: Invocation): Promise<number | undefined> {
  const { flags, output, signal } = invocation;
  const moment = momentFrom(flags);
  if (moment === undefined) return flags.number("rev");
  const revision = await revisionAt(await invocation.connect(), moment, signal);
  if (output.notesToTerminal) output.note(`as of revision ${revision}`);
  return revision;
}

/** Milliseconds since 1970. @throws UsageError */
export function momentFrom(flags: Flags): number | undefined {
  const text = flags.text("at");
  if (text === undefined) return undefined;
  if (flags.given("rev")) throw new UsageError("--at and --rev exclude each other");
  return momentFromText("--at", text, Date.now());
}

/** @throws Failure when that is before the history that there is. */
export async function revisionAt(
  kv: History,
  moment: number,
  signal: AbortSignal,
): Promise<number> {
  const { durableRevision: newest, compactRevision } = await kv.maintenance.status({ signal });
  const oldest = Math.max(1, compactRevision);
  const first = await firstEvent(kv, { from: oldest, newest, signal });
  if (first === undefined || first.commitTime.getTime() > moment) {
    // Nothing was dropped, so there was nothing then.
    if (compactRevision <= 1) return oldest;
    throw beforeHistory(moment, oldest, first);
  }
  let known = first.revision;
  let low = known + 1;
  let high = newest;
  while (low <= high) {
    const middle = low + Math.floor((high - low) / 2);
    const event = await firstEvent(kv, { from: middle, newest: high, signal });
    if (event !== undefined && event.commitTime.getTime() <= moment) {
      known = event.revision;
      low = known + 1;
    } else {
      high = middle - 1;
    }
  }
  return known;
}

function beforeHistory(moment: number, oldest: number, first: WatchEvent | undefined): Failure {
  const begins = first === undefined ? "" : ` of ${localTime(first.commitTime)}`;
  const text = `the history of ${localTime(new Date(moment))} is compacted`;
  return new Failure(EXIT.history, `${text}; it begins at revision ${oldest}${begins}`);
}

/** The first from a revision on, up to `newest`. Revisions may have been left out. */
async function firstEvent(
  kv: History,
  range: { readonly from: number; readonly newest: number; readonly signal: AbortSignal },
): Promise<WatchEvent | undefined> {
  const { from: startRevision, newest, signal } = range;
  const options = { startRevision, progressInterval: QUIET_INTERVAL, signal };
  for await (const step of kv.watch({ all: true }, options).steps()) {
    if (step.kind === "events") {
      const [event] = step.events;
      if (event !== undefined) return event.revision <= newest ? event : undefined;
    } else if (step.kind === "progress" && step.revision >= newest) {
      return undefined;
    }
  }
  signal.throwIfAborted();
  return undefined;
}
