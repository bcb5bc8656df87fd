// The backend of a store that is saved by snapshots alone: records are not kept, so a crash loses
// what came after the last snapshot. What it does keep is that no revision is ever given out twice.
//
// Revisions come from below a mark on disk, which moves on long before it is reached. A write that
// would pass it, because the disk fails or hangs, is refused.

import { KvdError } from "../kv/errors.js";
import type { Revision } from "../kv/types.js";
import { type LogRecord, MemoryBackend } from "../store/backend.js";

/** How many revisions a move of the mark reserves. */
export const MARK_STEP = 1_000_000;

export class MarkedBackend extends MemoryBackend {
  readonly #moveMark: (revision: Revision) => Promise<void>;
  #mark: Revision = 0;
  #moving: Promise<void> | undefined;
  #failure: Error | undefined;

  /** `moveMark` makes a mark durable. */
  constructor(moveMark: (revision: Revision) => Promise<void>) {
    super();
    this.#moveMark = moveMark;
  }

  /** Reserves the first revisions above the head. */
  async begin(head: Revision): Promise<void> {
    await this.#moveMark(head + MARK_STEP);
    this.#mark = head + MARK_STEP;
  }

  override reserve(record: LogRecord): void {
    if (record.kind !== "commit") return;
    const { revision } = record.commit;
    if (revision + MARK_STEP / 2 > this.#mark) this.#moving ??= this.#move(revision + MARK_STEP);
    if (revision <= this.#mark) return;
    const why = this.#failure?.message ?? "the disk is slow";
    const full = (this.#failure as NodeJS.ErrnoException | undefined)?.code === "ENOSPC";
    const text = `revision ${revision} cannot be reserved on disk: ${why}`;
    throw new KvdError(full ? "NO_SPACE" : "LOG_FAILED", text);
  }

  override async close(): Promise<void> {
    await this.#moving;
  }

  async #move(mark: Revision): Promise<void> {
    try {
      await this.#moveMark(mark);
      this.#mark = mark;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error as Error;
    } finally {
      this.#moving = undefined;
    }
  }
}
