// The log: a backend that writes records to segments, and says that they are durable once they are
// synced, as the policy has it.
//
// Group commit: all that is appended in a turn, and while a batch is on its way, goes with the next
// batch. A lone record is written at the end of its turn; there is no timer. Nothing that failed is
// tried again but one thing: when the disk is full, what was not durable is taken back, the file is
// cut to what was, and the log goes on once there is space. Any other failure is final: pages that
// could not be synced may be gone, and a second sync would not tell.

import type { FsyncPolicy } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import type { Revision } from "../kv/types.js";
import type { Clock, Timer } from "../lib/clock.js";
import type { Logger } from "../lib/logger.js";
import type { Backend, BackendListener, LogRecord, Position } from "../store/backend.js";
import type { LogPlace } from "../store/image.js";
import type { LogEnd } from "./clean-file.js";
import type { DataDirectory } from "./data-directory.js";
import { UncertainError } from "./data-error.js";
import { DiskSpace, isFull } from "./disk-space.js";
import type { LogBatch } from "./log-batch.js";
import { RECORD_MAX_BYTES, SEGMENT_HEADER_BYTES, type SegmentKeys } from "./log-format.js";
import { LogQueue } from "./log-queue.js";
import { recordBytes } from "./record-writer.js";
import { RevisionMark } from "./revision-mark.js";
import { SegmentWriter, SLOW_MS } from "./segment-writer.js";

export interface LogOptions {
  readonly data: DataDirectory;
  readonly storeId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fsync: Exclude<FsyncPolicy, "memory">;
  /** A segment that has reached it is followed by another. */
  readonly segmentMaxBytes: number;
  /** What is not durable yet. */
  readonly pendingMaxBytes: number;
  /** What is kept free for deletes on a disk that is full. */
  readonly spareBytes: number;
  /** Names what runs now, so that a power cut can be told from the end of the process. */
  readonly bootId: string;
}

/** Where a log goes on. */
export interface LogStart extends LogEnd {
  readonly keys: SegmentKeys;
  readonly revision: Revision;
  readonly runningMs: number;
  /** Revisions up to it may have been given out. */
  readonly mark: Revision;
}

/** What can be left out of a sync with the policy everysec. */
const SYNC_INTERVAL_MS = 1000;

const DONE = Promise.resolve();

type State =
  | { readonly kind: "open" }
  | { readonly kind: "failed"; readonly error: KvdError }
  | { readonly kind: "closed" };

export class Log implements Backend {
  /** Settles when the log has failed: nothing can be written any more. */
  readonly failed: Promise<KvdError>;
  readonly #options: LogOptions;
  readonly #space: DiskSpace;
  readonly #mark: RevisionMark | undefined;
  #listener: BackendListener = { durable: () => {}, truncated: () => {} };
  #state: State = { kind: "open" };
  #tellFailed: (error: KvdError) => void = () => {};
  #writer: SegmentWriter | undefined;
  readonly #queue: LogQueue;
  #running: Promise<void> | undefined;
  #syncDue = false;
  #closing = false;
  #syncTimer: Timer | undefined;
  #distrusting: Promise<void> | undefined;
  #telling: Promise<void> | undefined;
  #writtenBytes = 0;
  #openedMs = 0;
  #runningBaseMs = 0;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#queue = new LogQueue({ ...options, syncsEach: options.fsync === "always" });
    const { data, bootId } = options;
    this.#space = new DiskSpace({
      folder: data.folder,
      clock: options.clock,
      logger: options.logger,
      bytes: options.spareBytes,
      onFailure: (error) => this.fail(error),
    });
    const write = (mark: number) => data.writeFacts({ mark, bootId });
    this.#mark =
      options.fsync === "always" ? undefined : new RevisionMark(write, (error) => this.fail(error));
    this.failed = new Promise((resolve) => {
      this.#tellFailed = resolve;
    });
  }

  /** Goes on behind what has been read. */
  async begin(start: LogStart): Promise<void> {
    const { clock } = this.#options;
    this.#writer = await SegmentWriter.open(this.#options, start.segment);
    const { revision, segment, keys, length: offset, crc } = start;
    this.#queue.begin({ position: 0, revision, segment, keys, offset, crc });
    this.#openedMs = clock.monotonicMs();
    this.#runningBaseMs = start.runningMs;
    await this.#mark?.begin(start.mark);
    // Before anything can fill the disk.
    await this.#space.take();
  }

  /** Milliseconds for which the store has been served since it began; never less than that. */
  get runningMs(): number {
    const { clock } = this.#options;
    return Math.ceil(this.#runningBaseMs + clock.monotonicMs() - this.#openedMs);
  }

  /** What is wrong with it now, for people. */
  get problem(): string | undefined {
    const error = this.#error();
    if (error !== undefined) return error.message;
    const waitingMs = this.#writer?.waitingMs ?? 0;
    if (waitingMs < SLOW_MS) return undefined;
    return `the disk of ${this.#options.data.path} has not answered for ${waitingMs} ms`;
  }

  /** The disk is full. */
  get isFull(): boolean {
    return this.#space.full !== undefined;
  }

  get fsync(): FsyncPolicy {
    return this.#options.fsync;
  }

  /** Bytes of records since it began. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  get pendingBytes(): number {
    return this.#queue.pendingBytes;
  }

  reserve(record: LogRecord): void {
    if (this.#closing) throw this.#refusal();
    const error = this.#error();
    if (error?.reason === "LOG_FAILED" || (error !== undefined && grows(record))) {
      throw again(error);
    }
    this.#mark?.reserve(record.revision);
    const bytes = recordBytes(record);
    const { pendingMaxBytes } = this.#options;
    const { pendingBytes } = this;
    const fits = pendingBytes === 0 || pendingBytes + bytes <= pendingMaxBytes;
    if (fits && bytes <= RECORD_MAX_BYTES) return;
    throw new KvdError(
      "NO_SPACE",
      `${pendingBytes} bytes wait for the disk, and ${bytes} more would be above ` +
        `${Math.min(pendingMaxBytes, RECORD_MAX_BYTES)} (--log-pending-max-bytes)`,
    );
  }

  append(record: LogRecord): Position {
    const position = this.#queue.add(record, this.runningMs);
    this.#run();
    return position;
  }

  get durablePosition(): Position {
    return this.#queue.durable.position;
  }

  durable(position: Position): Promise<void> {
    if (position <= this.durablePosition) return DONE;
    // All that go with a batch wait for one promise.
    return this.#queue.batchOf(position)?.done ?? Promise.reject(this.#refusal());
  }

  listen(listener: BackendListener): void {
    this.#listener = listener;
  }

  /**
   * Makes the next record the first of a segment: a snapshot of what is there now goes before it.
   * `ready` settles when all before is durable, and the segment is there.
   */
  beginSegment(): { readonly place: LogPlace; readonly ready: Promise<void> } {
    const { runningMs } = this;
    if (this.#state.kind !== "open" || this.#closing) throw this.#refusal();
    const { offset, segment, crc, position } = this.#queue.head;
    if (offset === SEGMENT_HEADER_BYTES && segment !== 0) {
      return { place: { segment, crc, runningMs }, ready: this.durable(position) };
    }
    const { done } = this.#queue.beginSegment();
    this.#run();
    return { place: { segment: this.#queue.head.segment, crc, runningMs }, ready: done };
  }

  /** Writes what is there, syncs it, and says that it ends there. @throws what the disk throws. */
  async close(): Promise<void> {
    const { fsync } = this.#options;
    this.#closing = true;
    await this.#running;
    this.#syncTimer?.cancel();
    await this.#space.close();
    await this.#telling;
    await this.#distrusting;
    await this.#mark?.close();
    if (this.#state.kind === "closed") return;
    const { kind } = this.#state;
    this.#state = { kind: "closed" };
    try {
      if (kind === "failed" || this.#writer === undefined) return;
      if (fsync !== "always") await this.#writer.sync();
      await this.#writeClean();
    } finally {
      await this.#writer?.close();
    }
  }

  /** Without it the next start reads the log as after a crash, and loses nothing. */
  async #writeClean(): Promise<void> {
    const { data, logger } = this.#options;
    const { segment, offset: length, crc } = this.#queue.durable;
    const write = () => data.writeClean({ segment, length, crc });
    try {
      await write().catch(async (error) => {
        if (!isFull(error)) throw error;
        await this.#space.release();
        await write();
      });
    } catch (error) {
      if (!isFull(error)) throw error;
      logger.warn(
        { err: error },
        "the disk is full: the next start reads the log as after a crash",
      );
    }
  }

  /** Starts writing, unless it goes on already. */
  #run(): void {
    this.#running ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    const { clock } = this.#options;
    await clock.yieldTurn();
    for (;;) {
      const batch = this.#queue.first();
      if (batch === undefined && !this.#syncDue) break;
      try {
        if (this.#syncDue) await this.#syncNow();
        if (batch !== undefined) await this.#write(batch);
      } catch (error) {
        if (!(await this.#survive(error))) break;
        continue;
      }
      // Somebody else may have found out meanwhile that the disk fails.
      if (this.#state.kind === "failed") break;
      if (batch !== undefined) this.#finish(batch);
    }
    this.#running = undefined;
  }

  async #write(batch: LogBatch): Promise<void> {
    const writer = this.#writer as SegmentWriter;
    if (batch.header !== undefined) {
      await writer.change(batch.header);
      this.#queue.segmentBegun(batch);
      this.#telling = this.#tellSegment(batch.header.number);
    }
    if (batch.length === 0) return;
    await writer.write(batch);
    if (this.#options.fsync === "everysec") this.#armSync();
  }

  /** Should the segment be gone at the next start, that is damage. Nobody waits for it. */
  async #tellSegment(segment: number): Promise<void> {
    try {
      await this.#options.data.writeFacts({ segment });
    } catch (error) {
      if (error instanceof UncertainError) this.fail(error);
    }
  }

  #finish(batch: LogBatch): void {
    this.#queue.finish(batch);
    this.#writtenBytes += batch.length;
    this.#listener.durable();
    batch.succeed();
  }

  #armSync(): void {
    this.#syncTimer ??= this.#options.clock.setTimer(SYNC_INTERVAL_MS, () => {
      this.#syncTimer = undefined;
      this.#syncDue = true;
      this.#run();
    });
  }

  async #syncNow(): Promise<void> {
    this.#syncDue = false;
    const { durable } = this.#queue;
    await this.#writer?.sync();
    this.#queue.synced(durable);
  }

  /** Whether the log goes on after this error. */
  async #survive(error: unknown): Promise<boolean> {
    if (!isFull(error) || this.#state.kind === "failed") {
      this.fail(error);
      return false;
    }
    const full = this.#space.setFull(error);
    this.#takeBack();
    try {
      // Only without the rest of them in the file is it certain that they changed nothing.
      await this.#writer?.cut(this.#queue.durable.offset);
      this.#queue.refuse(() => again(full));
      await this.#space.release();
    } catch (second) {
      this.fail(second);
      return false;
    }
    return true;
  }

  /** Ends it: what is on disk is not known any more. */
  fail(cause: unknown): void {
    if (this.#state.kind === "failed" || this.#state.kind === "closed") return;
    const why = cause instanceof Error ? cause.message : String(cause);
    const { data, logger } = this.#options;
    const text =
      `the log in ${data.path} failed: ${why}; nothing is written any more, reads go on for a ` +
      "while; look at the disk, then start kvd again";
    const error = new KvdError("LOG_FAILED", text, {}, { cause });
    logger.fatal({ err: cause }, text);
    this.#state = { kind: "failed", error };
    this.#syncTimer?.cancel();
    this.#takeBack();
    this.#queue.refuse(() => again(error));
    if (this.#mark !== undefined) this.#distrusting = this.#distrust();
    this.#tellFailed(error);
  }

  /** What was answered and not synced may be gone, although the system goes on. */
  async #distrust(): Promise<void> {
    await this.#mark?.close();
    await this.#options.data.writeFacts({ bootId: "" }).catch(() => {});
  }

  /** Forgets what is not durable. */
  #takeBack(): void {
    this.#queue.takeBack();
    this.#listener.truncated();
  }

  /** Why it does not take everything now. */
  #error(): KvdError | undefined {
    return this.#state.kind === "failed" ? this.#state.error : this.#space.full;
  }

  #refusal(): KvdError {
    const error = this.#error();
    if (error !== undefined) return again(error);
    return new KvdError("SHUTTING_DOWN", "the server is shutting down");
  }
}

/** An error of its own for each caller, so that each can be told more. */
function again(error: KvdError): KvdError {
  return new KvdError(error.reason, error.message, error.details, { cause: error });
}

function grows(record: LogRecord): boolean {
  if (record.granted.length > 0) return true;
  const { rows, first, length } = record.changes;
  let row = first;
  for (let left = length; left > 0; left -= 1) {
    if (rows.isPut(row)) return true;
    if (left > 1) row = rows.after(row);
  }
  return false;
}
