// All versions of the keys of a selector that history has, the oldest first.
//
// What was there already when history begins comes first; when it was written is not known any
// more. Then every change, up to the newest revision of the moment when it was asked.

import type { Entry, Kvd, SelectorLike, WatchEvent } from "../../index.js";
import { singleKey } from "../selectors.js";
import { QUIET_INTERVAL } from "./revision-at.js";

export interface Version {
  readonly revision: number;
  readonly keyBytes: Uint8Array;
  /** Undefined for what is older than history. */
  readonly time: Date | undefined;
  readonly what: "put" | "deleted" | "expired" | "revoked" | "unknown";
  /** Of a put. */
  readonly entry: Entry | undefined;
  /** What it replaced or deleted; undefined where there was nothing, or that is compacted. */
  readonly previous: Entry | undefined;
}

export interface Versions {
  readonly revision: number;
  readonly compactRevision: number;
  readonly versions: AsyncIterable<Version>;
}

export async function versionsOf(
  kv: Kvd,
  selector: SelectorLike,
  signal: AbortSignal,
): Promise<Versions> {
  const { durableRevision, compactRevision } = await kv.maintenance.status({ signal });
  const oldest = Math.max(1, compactRevision);
  const range = { oldest, newest: durableRevision, signal };
  return { revision: durableRevision, compactRevision, versions: versions(kv, selector, range) };
}

interface Range {
  readonly oldest: number;
  readonly newest: number;
  readonly signal: AbortSignal;
}

async function* versions(kv: Kvd, selector: SelectorLike, range: Range): AsyncGenerator<Version> {
  const { oldest, newest, signal } = range;
  for await (const entry of kv.entries(selector, { revision: oldest, signal })) {
    if (entry.modRevision < oldest) yield versionOfEntry(entry);
  }
  const last = await lastRevision(kv, selector, range);
  if (last < oldest) return;
  const options = {
    ...{ startRevision: oldest, previous: true, signal },
    progressInterval: QUIET_INTERVAL,
  };
  for await (const step of kv.watch(selector, options).steps()) {
    if (step.kind === "events") {
      for (const event of step.events) if (event.revision <= newest) yield versionOf(event);
      if (step.revision > last || (step.revision === last && !step.fragment)) return;
    } else if (step.kind === "progress" && step.revision >= last) return;
  }
  signal.throwIfAborted();
}

/** After it there is nothing to wait for. That of a present key is known, which spares a wait. */
async function lastRevision(kv: Kvd, selector: SelectorLike, range: Range): Promise<number> {
  const { newest: revision, signal } = range;
  if (!singleKey(selector)) return revision;
  for await (const entry of kv.entries(selector, { revision, signal })) return entry.modRevision;
  return revision;
}

function versionOfEntry(entry: Entry): Version {
  const { modRevision: revision, keyBytes } = entry;
  return { revision, keyBytes, time: undefined, what: "put", entry, previous: undefined };
}

function versionOf(event: WatchEvent): Version {
  const { revision, keyBytes, commitTime: time, previous } = event;
  const what = event.type === "put" ? "put" : event.reason;
  const entry = event.type === "put" ? event.entry : undefined;
  return { revision, keyBytes, time, what, entry, previous };
}
