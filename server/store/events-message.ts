// One events message of a watch in the making: whole revisions while they fit, else a fragment of
// one.

import type { Event, Revision, WatchMessage, WatchSpec } from "../kv/types.js";
import { type Change, eventBytes, eventOfChange } from "./change.js";
import type { Commit } from "./commit.js";

export class EventsMessage {
  bytes = 0;
  readonly #spec: WatchSpec;
  readonly #compactRevision: Revision;
  readonly #events: Event[] = [];
  #revision: Revision = 0;
  #fragment = false;

  constructor(spec: WatchSpec, compactRevision: Revision) {
    this.#spec = spec;
    this.#compactRevision = compactRevision;
  }

  /**
   * Adds what is wanted of a commit from the change `from` on: all of it if it fits; else, when
   * there is nothing before it, as much as fits, as much as may be whole, and at least one event.
   * Answers with which change to go on: the number of all of them when it is done. The cost
   * follows what fits.
   */
  add(commit: Commit, from: number, wanted: (change: Change) => boolean): number {
    const { maxBytes, wholeRevisionMaxBytes } = this.#spec;
    const previous = this.#hasPrevious(commit);
    const taken: Change[] = [];
    let bytes = this.bytes;
    for (let index = from; index < commit.length; index += 1) {
      const change = commit.at(index);
      if (!wanted(change)) continue;
      const weight = eventBytes(change, previous);
      if (bytes + weight > maxBytes) {
        if (this.#events.length > 0) return from;
        if (taken.length > 0 && bytes + weight > wholeRevisionMaxBytes) {
          this.#fragment = true;
          this.#push(commit, taken, bytes);
          return index;
        }
      }
      taken.push(change);
      bytes += weight;
    }
    this.#push(commit, taken, bytes);
    return commit.length;
  }

  /** The message; undefined when there is nothing in it. */
  finish(): WatchMessage | undefined {
    if (this.#events.length === 0) return undefined;
    return {
      kind: "events",
      revision: this.#revision,
      events: this.#events,
      fragment: this.#fragment,
    };
  }

  #push(commit: Commit, changes: readonly Change[], bytes: number): void {
    for (const change of changes) {
      this.#events.push(eventOfChange(commit, change, this.#hasPrevious(commit)));
      this.#revision = commit.revision;
    }
    this.bytes = bytes;
  }

  /** What was before the compact revision is compacted, whether it is still there or not. */
  #hasPrevious({ revision }: Commit): boolean {
    return this.#spec.previous && revision > this.#compactRevision;
  }
}
