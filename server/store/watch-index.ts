// Which watches a commit may concern: those of one key by lookup, those of ranges from a tree of
// intervals. So a commit costs what its matching watches cost, and little more for each change.

import type { CommitEvents } from "./commit-events.js";
import { IntervalTree } from "./interval-tree.js";
import type { TextBounds } from "./text-bounds.js";
import type { Watch } from "./watch.js";

type Visit = (watch: Watch) => void;

type Watches = ReadonlySet<Watch>;

export class WatchIndex {
  readonly #ofKeys = new Map<string, Set<Watch>>();
  readonly #ofRanges = new IntervalTree<Watch>();

  add(watch: Watch): void {
    const { start } = watch.bounds;
    if (!isKey(watch.bounds)) {
      this.#ofRanges.add(watch.bounds, watch);
      return;
    }
    const others = this.#ofKeys.get(start);
    if (others === undefined) this.#ofKeys.set(start, new Set([watch]));
    else others.add(watch);
  }

  delete(watch: Watch): void {
    const { start } = watch.bounds;
    if (!isKey(watch.bounds)) {
      this.#ofRanges.delete(watch.bounds, watch);
      return;
    }
    const others = this.#ofKeys.get(start);
    if (others?.delete(watch) && others.size === 0) this.#ofKeys.delete(start);
  }

  /** Calls with each watch that a commit may concern, once. */
  each(commit: CommitEvents, visit: Visit): void {
    // Those of a range can be met by several changes: all at once, as they are kept.
    const visited = commit.size > 1 && !this.#ofRanges.isEmpty ? new Set<Watches>() : undefined;
    for (let index = 0; index < commit.size; index += 1) {
      const key = commit.keyAt(index);
      for (const watch of this.#ofKeys.get(key) ?? NO_WATCHES) visit(watch);
      this.#ofRanges.each(key, (watches) => visitNew(watches, visited, visit));
    }
  }
}

const NO_WATCHES: readonly Watch[] = [];

function visitNew(watches: Watches, visited: Set<Watches> | undefined, visit: Visit) {
  if (visited?.has(watches)) return;
  visited?.add(watches);
  for (const watch of watches) visit(watch);
}

/** By the bounds: other surfaces say keys as ranges. */
function isKey({ start, end }: TextBounds): boolean {
  return end !== undefined && end.length === start.length + 1 && end === `${start}\0`;
}
