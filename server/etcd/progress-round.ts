// The progress of a whole stream of watches: asked of each, told once all have answered, as of the
// lowest of their revisions. Everything up to that has been given by every watch of the stream.
//
// A watch that begins in the future has nothing to give yet, and bounds the revision from above.
// Who asks while a round is under way gets one of its own after it.

import type { Watcher } from "../kv/engine.js";
import type { Revision } from "../kv/types.js";

/** A watch as a round asks it. */
export interface Progressing {
  readonly watcher: Watcher;
  /** 0: it began at the revision of its time. */
  readonly startRevision: Revision;
}

type Watches = ReadonlyMap<bigint, Progressing>;

export class ProgressRound {
  readonly #tell: (revision: Revision) => void;
  /** Those that have not answered yet. */
  readonly #waiting = new Set<bigint>();
  #running = false;
  #revision: Revision = 0;
  /** Asked for meanwhile. */
  #next: { readonly watches: Watches; readonly revision: Revision } | undefined;
  #asked = 0;

  constructor(tell: (revision: Revision) => void) {
    this.#tell = tell;
  }

  /** `revision` is the newest. */
  ask(watches: Watches, revision: Revision): void {
    if (this.#running) {
      this.#next = { watches, revision };
      this.#asked += 1;
      return;
    }
    this.#running = true;
    this.#revision = Number.POSITIVE_INFINITY;
    for (const [id, { watcher, startRevision }] of watches) {
      if (startRevision > revision) {
        this.#revision = Math.min(this.#revision, startRevision - 1);
      } else {
        this.#waiting.add(id);
        watcher.requestProgress();
      }
    }
    if (this.#waiting.size === 0) this.#revision = Math.min(this.#revision, revision);
    this.#tellIfDone();
  }

  /** The answer of a watch; false when none is due from it. */
  take(id: bigint, revision: Revision): boolean {
    if (!this.#waiting.delete(id)) return false;
    this.#revision = Math.min(this.#revision, revision);
    this.#tellIfDone();
    return true;
  }

  /** A watch that is over answers no more. */
  leave(id: bigint): void {
    if (this.#waiting.delete(id)) this.#tellIfDone();
  }

  #tellIfDone(): void {
    if (!this.#running || this.#waiting.size > 0) return;
    this.#running = false;
    if (Number.isFinite(this.#revision)) this.#tell(this.#revision);
    const next = this.#next;
    if (next === undefined || this.#asked === 0) return;
    this.#asked -= 1;
    if (next.watches.size > 0) this.ask(next.watches, next.revision);
    else this.#asked = 0;
  }
}
