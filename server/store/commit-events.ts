// The events of one commit, each made once and shared by all watches that take it, so that surfaces
// can encode it once.
//
// They are made when the first watch looks, and as far as watches look: a commit that nobody
// watches costs nothing, and one that is larger than any queue is not made whole. Of the files for
// watches this one alone knows how the store keeps changes.

import type { Event, Revision } from "../kv/types.js";
import { eventBytes, eventOfChange } from "./change.js";
import type { Commit } from "./commit.js";

export class CommitEvents {
  readonly revision: Revision;
  readonly #commit: Commit;
  /** Each watch that may take some looks at them. */
  readonly #keys: string[] = [];
  readonly #plain: Event[] = [];
  readonly #withPrevious: Event[] = [];

  constructor(commit: Commit) {
    this.revision = commit.revision;
    this.#commit = commit;
  }

  /** How many changes there are; those of watches count from 0, in the order in which they came. */
  get size(): number {
    return this.#commit.length;
  }

  /** As latin1, see lib/bytes. */
  keyAt(index: number): string {
    this.#keys[index] ??= this.#commit.keyAt(index);
    return this.#keys[index] as string;
  }

  isDelete(index: number): boolean {
    return this.#commit.isDelete(index);
  }

  /** What the event weighs in a message: an upper bound of its encoded size. */
  weightAt(index: number, withPrevious: boolean): number {
    return eventBytes(this.#commit.at(index), withPrevious);
  }

  eventAt(index: number, withPrevious: boolean): Event {
    const made = withPrevious ? this.#withPrevious : this.#plain;
    made[index] ??= eventOfChange(this.#commit, this.#commit.at(index), withPrevious);
    return made[index] as Event;
  }

  /** Takes the changes out of the store's memory: they can be read at any time then. */
  settle(): void {
    this.#commit.settle();
  }
}
