// The journal of a server: all its commits, as a watch from the beginning tells them.

import type { Kvd, WatchEvent } from "../../../client/index.js";
import { ABSENT, type Change, type Commit, type Journal } from "./history.js";

/** All commits from a revision on. @throws KvdClientError when they are compacted. */
export async function readJournal(kv: Kvd, from = 1): Promise<Journal> {
  const { revision } = await kv.maintenance.status();
  const commits: Commit[] = [];
  if (from > revision) return { commits, revision };
  const watch = kv.watch({ all: true }, { startRevision: from, progressInterval: "100ms" });
  for await (const step of watch.steps()) {
    if (step.kind === "events") addCommits(commits, step.events);
    const isWhole = step.kind === "progress" || (step.kind === "events" && !step.fragment);
    if (isWhole && step.revision >= revision) break;
  }
  return { commits: commits.filter((commit) => commit.revision <= revision), revision };
}

export function addCommits(commits: Commit[], events: readonly WatchEvent[]): void {
  for (const event of events) {
    const change = changeOf(event);
    const last = commits.at(-1);
    if (last?.revision !== event.revision) {
      commits.push({ revision: event.revision, changes: [change] });
    } else {
      commits[commits.length - 1] = { ...last, changes: [...last.changes, change] };
    }
  }
}

function changeOf(event: WatchEvent): Change {
  const { key } = event;
  if (event.type === "put") return { key, value: event.entry.text() };
  const change = { key, value: ABSENT };
  return event.reason === "expired" ? { ...change, expired: true } : change;
}
