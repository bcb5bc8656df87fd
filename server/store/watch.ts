// One watch: a place in the order of revisions, from which its owner pulls messages.
//
// In the order of what it gives: `created`; with includeCurrent the present entries, then `synced`;
// then events. A watch is *unsynced* while it reads the list of commits by itself, and *synced*
// once it has reached the newest published revision: from then on the hub hands it the commits that
// match. A synced watch whose queue grows too large forgets it and is unsynced again, so what it
// holds is bounded, and a commit larger than any queue is read from the list in fragments.
// The hub decides about queues; see hub.ts.

import { KvdError } from "../kv/errors.js";
import type { Entry, RangeQuery, Revision, WatchMessage, WatchSpec } from "../kv/types.js";
import type { Commit } from "./commit.js";
import { CommitEvents } from "./commit-events.js";
import { EventsMessage } from "./events-message.js";
import type { RangeRead } from "./range-read.js";
import { type TextBounds, textBoundsOfSelector } from "./text-bounds.js";

const NO_BYTES = new Uint8Array(0);

/** What a watch needs of the store around it. */
export interface WatchSource {
  readonly publishedRevision: Revision;
  readonly compactRevision: Revision;
  /** A commit that is published and not compacted. */
  commitAt(revision: Revision): Commit | undefined;
  /** Keeps commits from `revision` on for a while; throws REVISION_COMPACTED when they are gone. */
  hold(revision: Revision): void;
  /** The present entries of the watch's selector; the read throws when its revision is gone. */
  readCurrent(query: RangeQuery): RangeRead;
}

type Phase =
  | {
      readonly kind: "current";
      readonly revision: Revision;
      resume: Uint8Array;
      read: RangeRead | undefined;
    }
  | { readonly kind: "unsynced"; next: Revision }
  | { readonly kind: "synced"; readonly queue: CommitEvents[]; bytes: number }
  | { readonly kind: "ended"; readonly error: KvdError }
  | { readonly kind: "closed" };

/** "wait": nothing to give until the hub wakes the watch. "again": call again after a turn. */
export type Pull = WatchMessage | "wait" | "again";

/** How many changes, or keys, one pull looks at before it gives others their turn. */
const PULL_VISITS = 2000;

export class Watch {
  readonly spec: WatchSpec;
  readonly bounds: TextBounds;
  /** Called when there may be something to pull, or the watch ended. Set by the owner. */
  onReady: () => void = () => {};

  readonly #source: WatchSource;
  readonly #created: WatchMessage;
  /** Nothing earlier is given. */
  readonly #firstRevision: Revision;
  #createdGiven = false;
  #syncedRevision: Revision | undefined;
  #progressAsked = false;
  #phase: Phase;
  /** How many changes of the first undelivered commit are done with, in fragments. */
  #offset = 0;

  constructor(spec: WatchSpec, source: WatchSource, storeId: string) {
    this.spec = spec;
    this.bounds = textBoundsOfSelector(spec.selector);
    this.#source = source;
    const revision = source.publishedRevision;
    this.#created = { kind: "created", revision, storeId };
    this.#firstRevision = spec.startRevision === 0 ? revision + 1 : spec.startRevision;
    this.#phase = spec.includeCurrent
      ? { kind: "current", revision, resume: NO_BYTES, read: undefined }
      : { kind: "unsynced", next: this.#firstRevision };
  }

  /** The bytes in its queue. */
  get queuedBytes(): number {
    return this.#phase.kind === "synced" ? this.#phase.bytes : 0;
  }

  /** The hub hands it commits. */
  get takesCommits(): boolean {
    return this.#phase.kind === "synced";
  }

  /** It has given everything up to the newest published revision. */
  get synced(): boolean {
    return this.#phase.kind === "synced" && this.#phase.queue.length === 0 && this.#createdGiven;
  }

  get ended(): boolean {
    return this.#phase.kind === "ended" || this.#phase.kind === "closed";
  }

  /** A pull would give something. */
  get hasData(): boolean {
    if (!this.#createdGiven) return true;
    if (this.#phase.kind === "unsynced") {
      return this.#phase.next <= this.#source.publishedRevision || this.#progressDue;
    }
    return !this.synced || this.#progressDue;
  }

  /** Whether a commit has something for it: what it weighs, counted up to about `max`, or 0. */
  weigh(commit: CommitEvents, max: number): number {
    if (commit.revision < this.#firstRevision) return 0;
    const { previous } = this.spec;
    let bytes = 0;
    for (let index = 0; index < commit.size && bytes <= max; index += 1) {
      if (this.#matches(commit, index)) bytes += commit.weightAt(index, previous);
    }
    return bytes;
  }

  /** Takes a commit that weigh() found something in; only while takesCommits. */
  enqueue(commit: CommitEvents, bytes: number): void {
    if (this.#phase.kind !== "synced") return;
    commit.settle();
    this.#phase.queue.push(commit);
    this.#phase.bytes += bytes;
    this.onReady();
  }

  /** Forgets its queue; it will catch up from `revision`, or from what it had queued before. */
  unsync(revision: Revision): void {
    if (this.#phase.kind !== "synced") return;
    const next = this.#phase.queue[0]?.revision ?? revision;
    this.#phase = { kind: "unsynced", next };
    this.onReady();
  }

  askProgress(): void {
    this.#progressAsked = true;
    this.onReady();
  }

  end(error: KvdError): void {
    if (this.ended) return;
    // There is nothing to go on with where history is gone.
    const gone = error.reason === "REVISION_COMPACTED";
    const resumeRevision = gone ? undefined : this.#resumeRevision();
    const told = resumeRevision === undefined ? error : error.with({ resumeRevision });
    this.#phase = { kind: "ended", error: told };
    this.onReady();
  }

  /** Ends it without a revision to go on with. */
  refuse(error: KvdError): void {
    this.#phase = { kind: "ended", error };
    this.onReady();
  }

  close(): void {
    this.#phase = { kind: "closed" };
    this.onReady();
  }

  /**
   * The next message.
   *
   * @throws KvdError when the watch has ended.
   */
  pull(): Pull {
    if (!this.#createdGiven && this.#phase.kind !== "closed") {
      this.#createdGiven = true;
      return this.#created;
    }
    switch (this.#phase.kind) {
      case "closed":
        return "wait";
      case "ended":
        throw this.#phase.error;
      case "current":
        return this.#pullCurrent(this.#phase);
      case "unsynced":
        return this.#pullHistory(this.#phase);
      case "synced":
        return this.#pullQueue(this.#phase);
    }
  }

  get #progressDue(): boolean {
    return this.#progressAsked && this.#source.publishedRevision + 1 >= this.#firstRevision;
  }

  #matches(commit: CommitEvents, index: number): boolean {
    const key = commit.keyAt(index);
    if (key < this.bounds.start) return false;
    if (this.bounds.end !== undefined && key >= this.bounds.end) return false;
    const { excludePuts, excludeDeletes } = this.spec;
    if (!excludePuts && !excludeDeletes) return true;
    return commit.isDelete(index) ? !excludeDeletes : !excludePuts;
  }

  #resumeRevision(): Revision | undefined {
    switch (this.#phase.kind) {
      case "current":
        return undefined;
      case "unsynced":
        return this.#phase.next;
      case "synced":
        return (
          this.#phase.queue[0]?.revision ??
          Math.max(this.#firstRevision, this.#source.publishedRevision + 1)
        );
      default:
        return undefined;
    }
  }

  #pullCurrent(phase: Phase & { kind: "current" }): Pull {
    const { revision } = phase;
    if (this.#syncedRevision !== undefined) {
      this.#phase = { kind: "unsynced", next: revision + 1 };
      return { kind: "synced", revision };
    }
    const read = this.#guard(
      () => phase.read ?? this.#source.readCurrent(currentQuery(this.spec, revision, phase.resume)),
    );
    phase.read = read;
    // History may have had to go since the last piece: what it superseded would be missing.
    this.#guard(() => this.#source.hold(revision));
    if (!read.run(PULL_VISITS)) return "again";
    phase.read = undefined;
    if (read.next === undefined) this.#syncedRevision = revision;
    else phase.resume = read.next;
    const entries: readonly Entry[] = read.entries;
    return entries.length === 0 ? this.pull() : { kind: "current", revision, entries };
  }

  #pullHistory(phase: Phase & { kind: "unsynced" }): Pull {
    const published = this.#source.publishedRevision;
    if (phase.next > published) return this.#pullQueue(this.#becomeSynced());
    this.#guard(() => this.#source.hold(phase.next));
    const message = new EventsMessage(this.spec, this.#source.compactRevision);
    let visits = 0;
    while (phase.next <= published && visits < PULL_VISITS) {
      const commit = this.#source.commitAt(phase.next);
      if (commit !== undefined) {
        const events = new CommitEvents(commit);
        visits += events.size;
        if (!this.#add(message, events)) break;
      }
      phase.next += 1;
    }
    if (phase.next > published) this.#becomeSynced();
    return message.finish() ?? "again";
  }

  /** From here on the hub hands it what is published. */
  #becomeSynced(): Phase & { kind: "synced" } {
    const phase: Phase & { kind: "synced" } = { kind: "synced", queue: [], bytes: 0 };
    this.#phase = phase;
    return phase;
  }

  #pullQueue(phase: Phase & { kind: "synced" }): Pull {
    if (phase.queue.length === 0) return this.#pullProgress();
    const message = new EventsMessage(this.spec, this.#source.compactRevision);
    let done = 0;
    for (const commit of phase.queue) {
      if (!this.#add(message, commit)) break;
      done += 1;
    }
    phase.queue.splice(0, done);
    phase.bytes = phase.queue.length === 0 ? 0 : Math.max(0, phase.bytes - message.bytes);
    return message.finish() ?? this.#pullProgress();
  }

  #pullProgress(): Pull {
    if (!this.#progressDue) return "wait";
    this.#progressAsked = false;
    return { kind: "progress", revision: this.#source.publishedRevision };
  }

  /** Adds what remains of a commit; false when it is not all in the message. */
  #add(message: EventsMessage, commit: CommitEvents): boolean {
    const next = message.add(commit, this.#offset, (index) => this.#matches(commit, index));
    const all = next === commit.size;
    this.#offset = all ? 0 : next;
    return all;
  }

  /** Runs a step that fails when history is gone: then the watch ends with that. */
  #guard<T>(step: () => T): T {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof KvdError)) throw error;
      this.end(error);
      throw this.#phase.kind === "ended" ? this.#phase.error : error;
    }
  }
}

/** A page of the present entries. */
function currentQuery(spec: WatchSpec, revision: Revision, resume: Uint8Array): RangeQuery {
  return {
    selector: spec.selector,
    revision,
    order: "ascending",
    limit: 0,
    keysOnly: false,
    count: "no",
    delimiter: NO_BYTES,
    resume,
    maxBytes: spec.maxBytes,
  };
}
