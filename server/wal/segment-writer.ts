// The segment of the log that is being written: batches go to its end, synced as the policy has it.
//
// Knows where it is whole, and nothing of who waits. What it throws is for the log to judge; after
// an UncertainError nobody knows what is on the disk.

import type { FsyncPolicy } from "../kv/engine.js";
import type { Clock } from "../lib/clock.js";
import { type OpenFile, writeAll } from "../lib/files.js";
import type { Logger } from "../lib/logger.js";
import { type DataDirectory, segmentName } from "./data-directory.js";
import { certain } from "./data-error.js";
import type { LogBatch } from "./log-batch.js";
import type { SegmentHeader } from "./log-format.js";

export interface SegmentWriterOptions {
  readonly data: DataDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fsync: Exclude<FsyncPolicy, "memory">;
}

/** How often it is asked whether the segment is still in its folder, while batches come. */
const PLACE_CHECK_MS = 1000;

/** A write that takes longer is a problem to tell of. */
export const SLOW_MS = 1000;

export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #file: OpenFile;
  #segment: number;
  #writingSinceMs: number | undefined;
  #placeCheckedMs = Number.NEGATIVE_INFINITY;

  private constructor(options: SegmentWriterOptions, file: OpenFile, segment: number) {
    this.#options = options;
    this.#file = file;
    this.#segment = segment;
  }

  static async open(options: SegmentWriterOptions, segment: number): Promise<SegmentWriter> {
    return new SegmentWriter(options, await options.data.openSegment(segment), segment);
  }

  /** How long the disk has not answered; 0 while it is not asked. */
  get waitingMs(): number {
    const sinceMs = this.#writingSinceMs;
    return sinceMs === undefined ? 0 : Math.floor(this.#options.clock.monotonicMs() - sinceMs);
  }

  /** Writes a batch to its place; with the policy always, it is durable then. */
  write(batch: LogBatch): Promise<void> {
    return this.#timed(async () => {
      await writeAll(this.#file, batch.bytes, batch.startOffset);
      if (this.#options.fsync === "always") await certain(this.#file.sync());
      await this.#checkPlace();
    });
  }

  /** Goes on in a new segment; all of the one before is durable then, whatever the policy. */
  change(header: SegmentHeader): Promise<void> {
    return this.#timed(async () => {
      const before = this.#file;
      if (this.#options.fsync !== "always") await certain(before.sync());
      this.#file = await this.#options.data.createSegment(header);
      this.#segment = header.number;
      await certain(before.close());
    });
  }

  sync(): Promise<void> {
    return this.#timed(() => certain(this.#file.sync()));
  }

  /** Drops what is behind an offset; durable when it is done. */
  cut(offset: number): Promise<void> {
    return this.#timed(async () => {
      await certain(this.#file.truncate(offset));
      await certain(this.#file.sync());
    });
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** A file that has lost its name is lost with all that is written to it. */
  async #checkPlace(): Promise<void> {
    const { clock, data } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#placeCheckedMs < PLACE_CHECK_MS) return;
    this.#placeCheckedMs = nowMs;
    const path = data.folder.pathOf(segmentName(this.#segment));
    if (!(await this.#file.isAt(path))) throw new Error(`${path} is not there any more`);
  }

  async #timed(step: () => Promise<void>): Promise<void> {
    const { clock, logger } = this.#options;
    this.#writingSinceMs = clock.monotonicMs();
    try {
      await step();
    } finally {
      const tookMs = this.waitingMs;
      this.#writingSinceMs = undefined;
      if (tookMs >= SLOW_MS) logger.warn({ tookMs }, "the disk of the log is slow");
    }
  }
}
