// Up to which revision numbers may be given out, when writes are answered before they are synced: a
// mark on disk that moves on long before it is reached. After a power cut the store goes on above
// it, so that no revision means two things.

import { KvdError } from "../kv/errors.js";
import type { Revision } from "../kv/types.js";
import { UncertainError } from "./data-error.js";

/** How many revisions a move of the mark reserves. */
export const MARK_STEP = 1_000_000;

export class RevisionMark {
  readonly #write: (revision: Revision) => Promise<void>;
  readonly #onFailure: (error: UncertainError) => void;
  #mark: Revision = 0;
  #moving: Promise<void> | undefined;
  #failure: Error | undefined;

  /** `write` makes a mark durable; `onFailure` is told of what is final. */
  constructor(
    write: (revision: Revision) => Promise<void>,
    onFailure: (error: UncertainError) => void,
  ) {
    this.#write = write;
    this.#onFailure = onFailure;
  }

  /** Reserves the first revisions above the head. */
  async begin(head: Revision): Promise<void> {
    await this.#write(head + MARK_STEP);
    this.#mark = head + MARK_STEP;
  }

  /** @throws KvdError when a revision cannot be given out, because the disk fails or hangs. */
  reserve(revision: Revision): void {
    if (revision + MARK_STEP / 2 > this.#mark) this.#moving ??= this.#move(revision + MARK_STEP);
    if (revision <= this.#mark) return;
    const why = this.#failure?.message ?? "the disk is slow";
    const full = (this.#failure as NodeJS.ErrnoException | undefined)?.code === "ENOSPC";
    const text = `revision ${revision} cannot be reserved on disk: ${why}`;
    throw new KvdError(full ? "NO_SPACE" : "LOG_FAILED", text);
  }

  async close(): Promise<void> {
    await this.#moving;
  }

  async #move(mark: Revision): Promise<void> {
    try {
      await this.#write(mark);
      this.#mark = mark;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error as Error;
      if (error instanceof UncertainError) this.#onFailure(error);
    } finally {
      this.#moving = undefined;
    }
  }
}
