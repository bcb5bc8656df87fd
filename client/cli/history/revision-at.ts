// The revision that was the newest one at a moment.
//
// Commits carry their time, which never goes back, so it is found by halving what history there is.
// Each question is a watch that is closed after its first message, whose events, some hundred, are
// all made use of. The clock is the server's.

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
  let low = oldest;
  let high = newest;
  let known: number | undefined;
  let first: WatchEvent | undefined;
  // The first question is about the oldest, without which there is no answer.
  let middle = oldest;
  while (low <= high) {
    const events = await firstEvents(kv, { from: middle, newest: high, signal });
    first ??= events[0];
    const after = events.findIndex(({ commitTime }) => commitTime.getTime() > moment);
    const last = after < 0 ? events.at(-1) : events[after - 1];
    if (last !== undefined) known = last.revision;
    if (known === undefined || (last !== undefined && after > 0)) break;
    if (last === undefined) high = middle - 1;
    else low = last.revision + 1;
    middle = low + Math.floor((high - low) / 2);
  }
  if (known !== undefined) return known;
  // Nothing was dropped, so there was nothing then.
  if (compactRevision <= 1) return oldest;
  throw beforeHistory(moment, oldest, first);
}

function beforeHistory(moment: number, oldest: number, first: WatchEvent | undefined): Failure {
  const begins = first === undefined ? "" : ` of ${localTime(first.commitTime)}`;
  const text = `the history of ${localTime(new Date(moment))} is compacted`;
  return new Failure(EXIT.history, `${text}; it begins at revision ${oldest}${begins}`);
}

/** The first ones from a revision on, up to `newest`. Revisions may have been left out. */
async function firstEvents(
  kv: History,
  range: { readonly from: number; readonly newest: number; readonly signal: AbortSignal },
): Promise<readonly WatchEvent[]> {
  const { from: startRevision, newest, signal } = range;
  const options = { startRevision, progressInterval: QUIET_INTERVAL, signal };
  for await (const step of kv.watch({ all: true }, options).steps()) {
    if (step.kind === "events" && step.events.length > 0) {
      return step.events.filter(({ revision }) => revision <= newest);
    }
    if (step.kind === "progress" && step.revision >= newest) return [];
  }
  signal.throwIfAborted();
  return [];
}
