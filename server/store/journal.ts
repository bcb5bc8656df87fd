// The journal: the order of what happens to a store. Each step is checked, applied, handed to the
// backend, and only then the revision moves; whatever throws before that takes everything back.
//
// `revision` is the head; `publishedRevision` is the newest that is durable, and all that plain
// reads and watches see. What will never be durable is undone, the newest step first.

import type { Revision } from "../kv/types.js";
import type { Now } from "../lib/clock.js";
import type { Backend, LogRecord, Position, RowSpan } from "./backend.js";
import type { Commit } from "./commit.js";
import { CommitBuilder } from "./commit-builder.js";
import type { Compactor } from "./compactor.js";
import type { History, NewCommit } from "./history.js";
import type { KeySpace } from "./key-space.js";
import type { Lease, Lessor } from "./lessor.js";
import { NO_ROW, type Row } from "./row-layout.js";
import { type Step, Unpublished } from "./unpublished.js";

export interface JournalOptions {
  readonly keys: KeySpace;
  readonly history: History;
  readonly lessor: Lessor;
  readonly compactor: Compactor;
  readonly backend: Backend;
  /** Told of each commit once it is durable, in order; called as long as `isWatched`. */
  readonly onPublish: (commit: Commit) => void;
  readonly isWatched: () => boolean;
}

/** What a step did besides its record. */
type Done = Partial<Omit<Step, "position" | "compactRevision">>;

const NONE: readonly never[] = [];

export class Journal {
  readonly #options: JournalOptions;
  readonly #backend: Backend;
  readonly #unpublished = new Unpublished();
  #revision: Revision = 1;
  #publishedRevision: Revision = 1;
  #position: Position = 0;
  #lastTimeMs = 0;
  #publishedTimeMs = 0;
  /** The compact revision that the backend has been told, and the record that did it. */
  #toldCompactRevision: Revision = 0;
  #toldPosition: Position = 0;
  #publishedCompactRevision: Revision = 0;
  readonly #noRows: RowSpan;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#noRows = { rows: options.keys.rows, first: NO_ROW, length: 0 };
    this.#backend = options.backend;
    options.backend.listen({
      durable: () => this.#publish(),
      truncated: () => this.#takeBack(),
    });
  }

  /** The head: the revision of the last commit. */
  get revision(): Revision {
    return this.#revision;
  }

  /** The newest revision that may be shown. */
  get publishedRevision(): Revision {
    return this.#publishedRevision;
  }

  /** The compact revision that no crash makes lower. */
  get publishedCompactRevision(): Revision {
    return this.#publishedCompactRevision;
  }

  /** The commit time of the head; 0 when there was no commit. */
  get lastTimeMs(): number {
    return this.#lastTimeMs;
  }

  /** The last record handed to the backend: what saw the head waits for it. */
  get position(): Position {
    return this.#position;
  }

  /** Goes on where a store was that has been carried over: only before anything else. */
  resume(from: {
    readonly revision: Revision;
    readonly compactRevision: Revision;
    readonly timeMs: number;
  }): void {
    this.#setHead(from.revision, from.timeMs);
    this.#toldCompactRevision = from.compactRevision;
    this.#publishedCompactRevision = from.compactRevision;
    this.#options.compactor.resume(from.compactRevision);
  }

  /** Takes a commit whose changes are made, and durable: in a replay. */
  adopt(commit: NewCommit): void {
    this.#options.history.push(commit);
    this.#setHead(commit.revision, commit.timeMs);
  }

  /** Goes to a revision, with nothing in between, and compacts all history there. */
  goTo(revision: Revision): void {
    this.#setHead(revision, this.#lastTimeMs);
    this.compactTo(revision);
  }

  /** Compacts, as the log says: in a replay. */
  compactTo(revision: Revision): void {
    const { compactor } = this.#options;
    compactor.request(revision);
    compactor.raiseFloor(undefined);
    compactor.walk(Number.POSITIVE_INFINITY);
    compactor.reclaim(Number.POSITIVE_INFINITY);
    this.#toldCompactRevision = revision;
    this.#publishedCompactRevision = revision;
  }

  /**
   * Goes on above a revision up to which others may have been given out and lost: all history is
   * compacted there, so that nobody who saw those can go on as if nothing had happened.
   */
  skipTo(revision: Revision): void {
    this.goTo(revision);
    this.#toldCompactRevision = 0;
    this.log({});
  }

  #setHead(revision: Revision, timeMs: number): void {
    this.#revision = revision;
    this.#publishedRevision = revision;
    this.#lastTimeMs = timeMs;
    this.#publishedTimeMs = timeMs;
  }

  /**
   * Logs the compact revision if the backend does not know it yet: before it is shown to anybody.
   * Compaction by the store's own rules is told with the next commit otherwise.
   *
   * Gives the position that has it.
   *
   * @throws KvdError LOG_FAILED.
   */
  tellCompaction(): Position {
    if (this.#untoldCompactRevision !== undefined) this.log({});
    return this.#toldPosition;
  }

  /** Logs what time it is, for the leases: what remains of them after a crash follows from it. */
  tellTime(): void {
    this.log({});
  }

  /** Runs a mutation as one commit, or as none when it changes nothing or throws. */
  write<T>(now: Now, apply: (builder: CommitBuilder) => T, ending?: Lease): T {
    const { keys, lessor } = this.#options;
    const builder = new CommitBuilder(keys, lessor, this.#revision + 1);
    let record: LogRecord | undefined;
    let ended: readonly Lease[] = [];
    let result: T;
    try {
      result = apply(builder);
      if (builder.length > 0) {
        ended = builder.ended(ending);
        record = this.#recordOf(builder, ended, now);
        this.#backend.reserve(record);
      }
    } catch (error) {
      builder.abandon();
      throw error;
    }
    if (record !== undefined) this.#adopt(builder, record, ended);
    return result;
  }

  /**
   * A commit of one row that has just been added as the newest of its key: taken back when the
   * backend refuses it. (bench: batch.)
   */
  writeRow(row: Row, wallMs: number): Revision {
    const { keys, history } = this.#options;
    const revision = this.#revision + 1;
    const timeMs = Math.max(this.#lastTimeMs, Math.floor(wallMs));
    const { appendUnseen } = this.#backend;
    if (appendUnseen !== undefined && this.#untoldCompactRevision === undefined) {
      this.#position = appendUnseen();
      history.pushOne(revision, timeMs, row);
      this.#revision = revision;
      this.#lastTimeMs = timeMs;
      this.#publishCommit(revision, timeMs);
      return revision;
    }
    const record: LogRecord = {
      revision,
      timeMs,
      changes: { rows: keys.rows, first: row, length: 1 },
      granted: NONE,
      renewed: NONE,
      ended: NONE,
      compactRevision: this.#untoldCompactRevision,
    };
    try {
      this.#backend.reserve(record);
    } catch (error) {
      keys.takeBack(keys.keyOf(row));
      throw error;
    }
    const commit = { revision, timeMs, first: row, length: 1 };
    history.push(commit);
    this.#revision = revision;
    this.#lastTimeMs = timeMs;
    this.#append(record, { commit });
    return revision;
  }

  #recordOf(builder: CommitBuilder, ended: readonly Lease[], now: Now): LogRecord {
    return {
      revision: builder.revision,
      timeMs: Math.max(this.#lastTimeMs, Math.floor(now.wallMs)),
      changes: builder.changes,
      granted: builder.granted,
      renewed: NONE,
      ended: ended.map(({ id }) => id),
      compactRevision: this.#untoldCompactRevision,
    };
  }

  /** From here on nothing can fail. */
  #adopt(builder: CommitBuilder, record: LogRecord, ended: readonly Lease[]): void {
    const { revision, timeMs } = record;
    const { first, length } = record.changes;
    const commit = { revision, timeMs, first, length };
    const { lessor, history } = this.#options;
    for (const lease of ended) lessor.end(lease);
    history.push(commit);
    this.#revision = revision;
    this.#lastTimeMs = timeMs;
    this.#append(record, { commit, begun: builder.begun, ended });
  }

  /** Logs what is no commit, and then does it. */
  log<T>(what: Partial<LogRecord>, act: () => { readonly result: T } & Done): T;
  log(what: Partial<LogRecord>): void;
  log<T>(what: Partial<LogRecord>, act?: () => { readonly result: T } & Done) {
    const record: LogRecord = {
      revision: this.#revision,
      timeMs: this.#lastTimeMs,
      changes: this.#noRows,
      granted: NONE,
      renewed: NONE,
      ended: NONE,
      compactRevision: this.#untoldCompactRevision,
      ...what,
    };
    this.#backend.reserve(record);
    const done = act?.();
    this.#append(record, done ?? {});
    return done?.result;
  }

  #append(record: LogRecord, step: Done): void {
    this.#position = this.#backend.append(record);
    if (record.compactRevision !== undefined) {
      this.#toldCompactRevision = record.compactRevision;
      this.#toldPosition = this.#position;
    }
    const { compactRevision } = record;
    const position = this.#position;
    if (this.#unpublished.size === 0 && this.#backend.durablePosition >= position) {
      this.#publishOne(step.commit, compactRevision, step.onPublish);
      return;
    }
    const { commit, begun = NONE, ended = NONE, renewed, onPublish } = step;
    this.#unpublished.push({ position, commit, begun, ended, renewed, compactRevision, onPublish });
    this.#publish();
  }

  get #untoldCompactRevision(): Revision | undefined {
    const { compactRevision } = this.#options.compactor;
    return compactRevision > this.#toldCompactRevision ? compactRevision : undefined;
  }

  #publish(): void {
    const durable = this.#backend.durablePosition;
    for (const { commit, compactRevision, onPublish } of this.#unpublished.take(durable)) {
      this.#publishOne(commit, compactRevision, onPublish);
    }
  }

  #publishOne(
    commit: NewCommit | undefined,
    compactRevision: Revision | undefined,
    onPublish: (() => void) | undefined,
  ): void {
    onPublish?.();
    this.#publishedCompactRevision = compactRevision ?? this.#publishedCompactRevision;
    if (commit !== undefined) this.#publishCommit(commit.revision, commit.timeMs);
  }

  #publishCommit(revision: Revision, timeMs: number): void {
    this.#publishedRevision = revision;
    this.#publishedTimeMs = timeMs;
    if (!this.#options.isWatched()) return;
    const published = this.#options.history.at(revision);
    if (published !== undefined) this.#options.onPublish(published);
  }

  /** What was not published will never be. */
  #takeBack(): void {
    this.#unpublished.undo(this.#options);
    this.#revision = this.#publishedRevision;
    this.#lastTimeMs = this.#publishedTimeMs;
    this.#position = this.#backend.durablePosition;
    this.#toldCompactRevision = 0;
    this.#toldPosition = 0;
  }
}
