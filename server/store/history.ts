// The commits that are not compacted, by revision: what watches catch up from, and what compaction
// walks to find the versions that may go.

import type { Revision } from "../kv/types.js";
import type { Commit } from "./version.js";

/** Dropped commits are cut off in one go once they are this many and half of the array. */
const TRIM_COUNT = 1024;

/** Revisions are dense: each follows the one before. */
export class History {
  #commits: Commit[] = [];
  #dropped = 0;

  get size(): number {
    return this.#commits.length - this.#dropped;
  }

  get oldest(): Commit | undefined {
    return this.#commits[this.#dropped];
  }

  get newest(): Commit | undefined {
    return this.size === 0 ? undefined : this.#commits.at(-1);
  }

  at(revision: Revision): Commit | undefined {
    const oldest = this.oldest;
    if (oldest === undefined || revision < oldest.revision) return undefined;
    return this.#commits[this.#dropped + revision - oldest.revision];
  }

  push(commit: Commit): void {
    this.#commits.push(commit);
  }

  dropNewest(): void {
    this.#commits.pop();
  }

  dropOldest(): void {
    this.#dropped += 1;
    if (this.#dropped < TRIM_COUNT || this.#dropped * 2 < this.#commits.length) return;
    this.#commits = this.#commits.slice(this.#dropped);
    this.#dropped = 0;
  }
}
