// One events message of a watch in the making: whole revisions while they fit, else a fragment of
// one.

import type { Event, Revision, WatchMessage, WatchSpec } from "../kv/types.js";
import type { CommitEvents } from "./commit-events.js";

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
  add(commit: CommitEvents, from: number, wanted: (index: number) => boolean): number {
    const { maxBytes, wholeRevisionMaxBytes } = this.#spec;
    const previous = this.#hasPrevious(commit);
    const before = this.#events.length;
    let { bytes } = this;
    for (let index = from; index < commit.size; index += 1) {
      if (!wanted(index)) continue;
      const weight = commit.weightAt(index, previous);
      if (bytes + weight > maxBytes) {
        if (before > 0) {
          this.#events.length = before;
          return from;
        }
        if (this.#events.length > 0 && bytes + weight > wholeRevisionMaxBytes) {
          this.#fragment = true;
          this.#take(commit, bytes);
          return index;
        }
      }
      this.#events.push(commit.eventAt(index, previous));
      bytes += weight;
    }
    if (this.#events.length > before) this.#take(commit, bytes);
    return commit.size;
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

  #take({ revision }: CommitEvents, bytes: number): void {
    this.#revision = revision;
    this.bytes = bytes;
  }

  /** What was before the compact revision is compacted, whether it is still there or not. */
  #hasPrevious({ revision }: CommitEvents): boolean {
    return this.#spec.previous && revision > this.#compactRevision;
  }
}
