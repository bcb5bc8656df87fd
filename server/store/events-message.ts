// One events message of a watch in the making: whole revisions while they fit, else a fragment of
// one.

import type { Event, Revision, WatchMessage, WatchSpec } from "../kv/types.js";
import { type Change, type Commit, eventBytes, eventOfChange } from "./version.js";

export class EventsMessage {
  bytes = 0;
  readonly #spec: WatchSpec;
  readonly #events: Event[] = [];
  #revision: Revision = 0;
  #fragment = false;
  #refused: { readonly commit: Commit; readonly changes: readonly Change[] } | undefined;

  constructor(spec: WatchSpec) {
    this.#spec = spec;
  }

  /** Adds all of a revision, if it fits. */
  addWhole(commit: Commit, changes: readonly Change[]): boolean {
    let bytes = 0;
    for (const change of changes) bytes += eventBytes(change, this.#spec.previous);
    if (this.bytes + bytes > this.#spec.maxBytes) {
      this.#refused = { commit, changes };
      return false;
    }
    for (const change of changes) this.#push(commit, change);
    this.bytes += bytes;
    return true;
  }

  /**
   * Adds the beginning of the revision that addWhole() refused, when there is nothing before it:
   * at least one event. Answers how many it added.
   */
  addSome(): number {
    if (this.#refused === undefined || this.#events.length > 0) return 0;
    const { commit, changes } = this.#refused;
    let count = 0;
    for (const change of changes) {
      const bytes = eventBytes(change, this.#spec.previous);
      if (count > 0 && this.bytes + bytes > this.#spec.maxBytes) break;
      this.#push(commit, change);
      this.bytes += bytes;
      count += 1;
    }
    this.#fragment = count < changes.length;
    return count;
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

  #push(commit: Commit, change: Change): void {
    this.#events.push(eventOfChange(commit, change, this.#spec.previous));
    this.#revision = commit.revision;
  }
}
