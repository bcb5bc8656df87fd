// The events of one commit, each made once and shared by all watches that take it, so that surfaces
// can encode it once.
//
// They are made when the first watch looks, and as far as watches look: a commit that nobody
// watches costs nothing, and one that is larger than any queue is not made whole. Of the files for
// watches this one alone knows how the store keeps changes.

import type { Event, Revision } from "../kv/types.js";
import { type Change, type Commit, eventBytes, eventOfChange } from "./version.js";

export class CommitEvents {
  readonly revision: Revision;
  readonly #commit: Commit;
  readonly #plain: Event[] = [];
  readonly #withPrevious: Event[] = [];

  constructor(commit: Commit) {
    this.revision = commit.revision;
    this.#commit = commit;
  }

  /** How many changes there are; those of watches count from 0, in the order in which they came. */
  get size(): number {
    return this.#commit.changes.length;
  }

  /** As latin1, see lib/bytes. */
  keyAt(index: number): string {
    return this.#changeAt(index).record.key;
  }

  isDelete(index: number): boolean {
    return this.#changeAt(index).version.deleted !== undefined;
  }

  /** What the event weighs in a message: an upper bound of its encoded size. */
  weightAt(index: number, withPrevious: boolean): number {
    return eventBytes(this.#changeAt(index), withPrevious);
  }

  eventAt(index: number, withPrevious: boolean): Event {
    const made = withPrevious ? this.#withPrevious : this.#plain;
    made[index] ??= eventOfChange(this.#commit, this.#changeAt(index), withPrevious);
    return made[index] as Event;
  }

  #changeAt(index: number): Change {
    return this.#commit.changes[index] as Change;
  }
}
