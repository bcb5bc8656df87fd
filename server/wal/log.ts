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
import { type OpenFile, writeAll } from "../lib/files.js";
import type { Logger } from "../lib/logger.js";
import type { Backend, BackendListener, LogRecord, Position } from "../store/backend.js";
import type { LogPlace } from "../store/image.js";
import type { LogEnd } from "./clean-file.js";
import { type DataDirectory, segmentName } from "./data-directory.js";
import { certain, UncertainError } from "./folder.js";
import { LogBatch, type LogPoint } from "./log-batch.js";
import { RECORD_MAX_BYTES, SEGMENT_HEADER_BYTES } from "./log-format.js";
import { KEY_MAX_BYTES, recordBytes } from "./record-codec.js";
import { RevisionMark } from "./revision-mark.js";
import { SpareSpace } from "./spare-space.js";

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
  readonly revision: Revision;
  readonly runningMs: number;
  /** Revisions up to it may have been given out. */
  readonly mark: Revision;
}

/** What can be left out of a sync with the policy everysec. */
const SYNC_INTERVAL_MS = 1000;

/** How often a full disk is asked for space. */
const PROBE_INTERVAL_MS = 1000;

/** How often it is asked whether the segment is still in its folder, while records come. */
const PLACE_CHECK_MS = 1000;

/** A write that takes longer is a problem to tell of. */
const SLOW_MS = 1000;

const NO_FILE_YET: LogPoint = { position: 0, revision: 0, segment: 0, offset: 0, crc: 0 };

type State =
  | { readonly kind: "open" }
  | { readonly kind: "full"; readonly error: KvdError }
  | { readonly kind: "failed"; readonly error: KvdError }
  | { readonly kind: "closed" };

export class Log implements Backend {
  /** Settles when the log has failed: nothing can be written any more. */
  readonly failed: Promise<KvdError>;
  readonly #options: LogOptions;
  readonly #spare: SpareSpace;
  readonly #mark: RevisionMark | undefined;
  #listener: BackendListener = { durable: () => {}, truncated: () => {} };
  #state: State = { kind: "open" };
  #tellFailed: (error: KvdError) => void = () => {};
  #file: OpenFile | undefined;
  /** Behind the newest durable record. */
  #durable: LogPoint = NO_FILE_YET;
  /** Behind the newest record. */
  #head: LogPoint = NO_FILE_YET;
  #filling: LogBatch | undefined;
  /** Begun before `#filling`; the first of them is on its way. */
  readonly #sealed: LogBatch[] = [];
  /** Taken back, and not told yet. */
  readonly #dropped: LogBatch[] = [];
  #buffer: Buffer | undefined;
  #running: Promise<void> | undefined;
  /** In the current segment. */
  #syncedOffset = 0;
  #syncDue = false;
  #syncTimer: Timer | undefined;
  #probeTimer: Timer | undefined;
  #sparing: Promise<void> | undefined;
  #writingSinceMs: number | undefined;
  #placeCheckedMs = Number.NEGATIVE_INFINITY;
  #writtenBytes = 0;
  #openedMs = 0;
  #runningBaseMs = 0;

  constructor(options: LogOptions) {
    this.#options = options;
    const { data, storeId, bootId } = options;
    this.#spare = new SpareSpace(data.folder, options.spareBytes);
    const write = (mark: number) => data.writeFacts({ storeId, mark, bootId });
    this.#mark = options.fsync === "always" ? undefined : new RevisionMark(write);
    this.failed = new Promise((resolve) => {
      this.#tellFailed = resolve;
    });
  }

  /** Goes on behind what has been read. */
  async begin(start: LogStart): Promise<void> {
    const { data, clock } = this.#options;
    this.#file = await data.openSegment(start.segment);
    const { revision, segment, length: offset, crc } = start;
    this.#head = { position: 0, revision, segment, offset, crc };
    this.#durable = this.#head;
    this.#syncedOffset = offset;
    this.#openedMs = clock.monotonicMs();
    this.#runningBaseMs = start.runningMs;
    await this.#mark?.begin(start.mark);
    this.#sparing = this.#takeSpare();
  }

  /** Milliseconds for which the store has been served since it began; never less than that. */
  get runningMs(): number {
    const { clock } = this.#options;
    return Math.ceil(this.#runningBaseMs + clock.monotonicMs() - this.#openedMs);
  }

  /** What is wrong with it now, for people. */
  get problem(): string | undefined {
    if (this.#state.kind === "full" || this.#state.kind === "failed") {
      return this.#state.error.message;
    }
    const sinceMs = this.#writingSinceMs;
    const tookMs = sinceMs === undefined ? 0 : this.#options.clock.monotonicMs() - sinceMs;
    if (tookMs < SLOW_MS) return undefined;
    return `the disk of ${this.#options.data.path} has not answered for ${Math.floor(tookMs)} ms`;
  }

  get fsync(): FsyncPolicy {
    return this.#options.fsync;
  }

  /** Bytes of records since it began. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Bytes of records that are not durable yet. */
  get pendingBytes(): number {
    let bytes = this.#filling?.length ?? 0;
    for (const batch of this.#sealed) bytes += batch.length;
    return bytes;
  }

  reserve(record: LogRecord): void {
    const state = this.#state;
    if (state.kind === "failed" || (state.kind === "full" && grows(record)))
      throw again(state.error);
    for (const { record: key } of record.changes) {
      if (key.bytes.length > KEY_MAX_BYTES) {
        throw new KvdError("KEY_TOO_LONG", `the log takes keys of ${KEY_MAX_BYTES} bytes at most`);
      }
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
    this.#filling ??= this.#newBatch();
    const { offset } = this.#head;
    const syncedOffset =
      this.#options.fsync === "always" ? this.#filling.startOffset : this.#syncedOffset;
    this.#filling.add(record, {
      runningMs: this.runningMs,
      unsynced: Math.max(0, offset - syncedOffset),
    });
    this.#head = this.#filling.end;
    this.#run();
    return this.#head.position;
  }

  get durablePosition(): Position {
    return this.#durable.position;
  }

  async durable(position: Position): Promise<void> {
    if (position <= this.#durable.position) return;
    const batch = this.#sealed.find(({ end }) => end.position >= position) ?? this.#filling;
    if (batch === undefined) throw again(this.#error());
    await batch.done;
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
    if (this.#state.kind !== "open") throw again(this.#error());
    if (this.#head.offset === SEGMENT_HEADER_BYTES && this.#head.segment !== 0) {
      const { segment, crc, position } = this.#head;
      return { place: { segment, crc, runningMs }, ready: this.durable(position) };
    }
    if (this.#filling !== undefined) this.#sealed.push(this.#filling);
    const batch = this.#newBatch({ newSegment: true });
    this.#filling = batch;
    this.#run();
    const { segment, crc } = this.#head;
    return { place: { segment, crc, runningMs }, ready: batch.done };
  }

  /** Writes what is there, syncs it, and says that it ends there. @throws what the disk throws. */
  async close(): Promise<void> {
    const { data, fsync } = this.#options;
    this.#syncTimer?.cancel();
    this.#probeTimer?.cancel();
    await this.#running;
    await this.#sparing;
    await this.#mark?.close();
    if (this.#state.kind === "closed") return;
    const { kind } = this.#state;
    this.#state = { kind: "closed" };
    try {
      if (kind === "failed" || this.#file === undefined) return;
      if (fsync !== "always") await this.#file.sync();
      const { segment, offset: length, crc } = this.#durable;
      await data.writeClean({ segment, length, crc });
    } finally {
      await this.#file?.close();
    }
  }

  #newBatch({ newSegment = false } = {}): LogBatch {
    const buffer = this.#buffer;
    this.#buffer = undefined;
    const { segmentMaxBytes, storeId } = this.#options;
    if (!newSegment && this.#head.offset < segmentMaxBytes) {
      return new LogBatch(this.#head, undefined, buffer);
    }
    const { revision, segment, crc } = this.#head;
    const number = segment + 1;
    this.#head = { ...this.#head, segment: number, offset: SEGMENT_HEADER_BYTES };
    this.#syncedOffset = SEGMENT_HEADER_BYTES;
    const header = { number, storeId, firstRevision: revision + 1, seed: crc };
    return new LogBatch(this.#head, header, buffer);
  }

  /** Starts writing, unless it goes on already. */
  #run(): void {
    this.#running ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    const { clock } = this.#options;
    await clock.yieldTurn();
    for (;;) {
      if (this.#filling !== undefined && this.#sealed.length === 0) {
        this.#sealed.push(this.#filling);
        this.#filling = undefined;
      }
      const batch = this.#sealed[0];
      if (batch === undefined && !this.#syncDue) break;
      try {
        if (this.#syncDue) await this.#syncNow();
        if (batch !== undefined) await this.#write(batch);
      } catch (error) {
        if (!(await this.#survive(error))) break;
        continue;
      }
      if (batch !== undefined) this.#finish(batch);
      await clock.yieldTurn();
    }
    this.#running = undefined;
  }

  async #write(batch: LogBatch): Promise<void> {
    const { clock, fsync, data } = this.#options;
    const startMs = clock.monotonicMs();
    this.#writingSinceMs = startMs;
    if (batch.header !== undefined) await this.#changeSegment(batch);
    const file = this.#file as OpenFile;
    if (batch.length > 0) {
      await writeAll(file, batch.bytes, batch.startOffset);
      if (fsync === "always") await certain(file.sync());
      else if (fsync === "everysec") this.#armSync();
    }
    if (startMs - this.#placeCheckedMs >= PLACE_CHECK_MS) {
      this.#placeCheckedMs = startMs;
      const path = data.folder.pathOf(segmentName(batch.end.segment));
      if (!(await file.isAt(path))) throw new Error(`its files are not in ${data.path} any more`);
    }
    this.#writingSinceMs = undefined;
    const tookMs = Math.floor(clock.monotonicMs() - startMs);
    if (tookMs >= SLOW_MS) this.#options.logger.warn({ tookMs }, "the disk of the log is slow");
  }

  async #changeSegment(batch: LogBatch): Promise<void> {
    const before = this.#file as OpenFile;
    if (this.#options.fsync !== "always") await certain(before.sync());
    if (batch.header === undefined) return;
    this.#file = await this.#options.data.createSegment(batch.header);
    this.#durable = { ...this.#durable, segment: batch.header.number, offset: batch.startOffset };
    await before.close();
  }

  #finish(batch: LogBatch): void {
    this.#sealed.shift();
    this.#writtenBytes += batch.length;
    this.#durable = batch.end;
    if (this.#options.fsync === "always") this.#syncedOffset = batch.end.offset;
    this.#buffer ??= batch.buffer;
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
    const { segment, offset } = this.#durable;
    await certain((this.#file as OpenFile).sync());
    if (this.#head.segment === segment) this.#syncedOffset = offset;
  }

  /** Whether the log goes on after this error. */
  async #survive(error: unknown): Promise<boolean> {
    this.#writingSinceMs = undefined;
    if (!isFull(error)) {
      this.fail(error);
      return false;
    }
    const { data, logger, clock } = this.#options;
    const text =
      `the disk of ${data.path} is full: reads, deletes and leases go on; ` +
      "writes do so by themselves, once there is space";
    const full = new KvdError("NO_SPACE", text, {}, { cause: error });
    if (this.#state.kind !== "full") logger.error({ err: error }, text);
    this.#state = { kind: "full", error: full };
    this.#takeBack();
    try {
      // Only without the rest of them in the file is it certain that they changed nothing.
      await this.#file?.truncate(this.#durable.offset);
      await this.#file?.sync();
      this.#refuse(full);
      await this.#spare.release();
    } catch (second) {
      this.fail(second);
      return false;
    }
    this.#probeTimer?.cancel();
    this.#probeTimer = clock.setTimer(PROBE_INTERVAL_MS, () => {
      this.#sparing = this.#takeSpare();
    });
    return true;
  }

  /** Takes the spare space; while there is none, the disk counts as full. */
  async #takeSpare(): Promise<void> {
    const { clock, data, logger } = this.#options;
    try {
      await this.#spare.take();
      if (this.#state.kind !== "full") return;
      this.#state = { kind: "open" };
      logger.info({}, `there is space again on the disk of ${data.path}: writes go on`);
    } catch (error) {
      if (this.#state.kind === "failed" || this.#state.kind === "closed") return;
      if (!isFull(error)) {
        this.fail(error);
        return;
      }
      const text = `the disk of ${data.path} is full: free space, and writes go on by themselves`;
      if (this.#state.kind === "open") {
        logger.error({ err: error }, text);
        this.#state = { kind: "full", error: new KvdError("NO_SPACE", text, {}, { cause: error }) };
      }
      this.#probeTimer = clock.setTimer(PROBE_INTERVAL_MS, () => {
        this.#sparing = this.#takeSpare();
      });
    }
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
    this.#probeTimer?.cancel();
    this.#syncTimer?.cancel();
    this.#takeBack();
    this.#refuse(error);
    if (this.#mark !== undefined) this.#sparing = this.#distrust();
    this.#tellFailed(error);
  }

  /** What was answered and not synced may be gone, although the system goes on. */
  async #distrust(): Promise<void> {
    const { data, storeId } = this.#options;
    const mark = data.facts?.mark ?? 0;
    await data.writeFacts({ storeId, mark, bootId: "" }).catch(() => {});
  }

  /** Forgets what is not durable. */
  #takeBack(): void {
    this.#dropped.push(...this.#sealed.splice(0));
    if (this.#filling !== undefined) this.#dropped.push(this.#filling);
    this.#filling = undefined;
    this.#head = this.#durable;
    this.#listener.truncated();
  }

  /** Tells those who wait for what was forgotten. */
  #refuse(error: KvdError): void {
    for (const batch of this.#dropped.splice(0)) batch.fail(again(error));
  }

  #error(): KvdError {
    const { kind } = this.#state;
    if (this.#state.kind === "failed" || this.#state.kind === "full") return this.#state.error;
    return new KvdError("SHUTTING_DOWN", `the log is ${kind}`);
  }
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return !(error instanceof UncertainError) && (code === "ENOSPC" || code === "EDQUOT");
}

/** An error of its own for each caller, so that each can be told more. */
function again(error: KvdError): KvdError {
  return new KvdError(error.reason, error.message, error.details, { cause: error });
}

function grows(record: LogRecord): boolean {
  if (record.granted.length > 0) return true;
  return record.changes.some(({ version }) => version.deleted === undefined);
}
