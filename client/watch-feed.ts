// The stream side of a watch: keeps it open on the server, again and again, and queues what comes.
//
// Invariants: the position follows what has been queued, so what is asked for after a break is
// exactly what has not come yet; a fragment that came is not queued twice. The store that answered
// first is the only one that is ever listened to. While the queue is full, the watch is not open on
// the server: nobody else waits for its consumer, and it goes on from history later.
// What to list, and when, is told as an item; listing is watch.ts's matter.

import type { StatusObject } from "@grpc/grpc-js";
import type { MultiWatchEnded, WatchRequest, WatchResponse } from "../gen/grpc/kvd/v1/watch.js";
import {
  errorFromInfo,
  errorFromStatus,
  KvdClientError,
  reasonName,
  withDetails,
} from "./errors.js";
import { numberFromInt64 } from "./numbers.js";
import { codeOfReason } from "./reason-codes.js";
import { Resumption } from "./resumption.js";
import { type QueueBudget, WatchQueue } from "./watch-queue.js";
import {
  newIn,
  type Position,
  positionAfter,
  type StreamedStep,
  stepFromMessage,
} from "./watch-steps.js";
import type { WatchSink, WatchStream } from "./watch-stream.js";
import type { WatchStep } from "./watch-types.js";

export type Created = Extract<StreamedStep, { kind: "created" }>;

/** What comes next: a step, or that the present entries of a revision are to be listed. */
export type FeedItem =
  | Exclude<WatchStep, { kind: "created" }>
  | { readonly kind: "list"; readonly revision: number };

export interface FeedOptions {
  /** What to watch; nobody else may change it. */
  readonly request: WatchRequest;
  /** List the present entries first. */
  readonly includeCurrent: boolean;
  readonly resume: boolean;
  readonly relist: boolean;
  /** What error texts call it. */
  readonly what: string;
  /** A larger message is an error. */
  readonly messageMaxBytes: number;
  readonly budget: QueueBudget;
  /** How long it may take to open it for the first time; 0: any time. */
  readonly openingMs: number;
  /** Why it was not open in time. */
  readonly late: () => KvdClientError;
  /** A stream to open it on. */
  readonly acquire: () => WatchStream;
  /** Called once, when it is over. */
  readonly onOver: () => void;
}

/** Where it is open, or why it is not. */
type Link =
  | { readonly kind: "open"; readonly stream: WatchStream; readonly id: bigint; unseen: number }
  | { readonly kind: "waiting"; readonly timer: NodeJS.Timeout }
  | { readonly kind: "full" }
  | { readonly kind: "over"; readonly error: KvdClientError | undefined };

/** What `created` means when it comes. */
type Beginning = "first" | "again" | "list" | "relist";

export class WatchFeed implements WatchSink {
  /** Settles once: when the watch is open for the first time, undefined if it was closed before. */
  readonly opened: Promise<Created | undefined>;
  readonly #options: FeedOptions;
  readonly #queue: WatchQueue<FeedItem>;
  readonly #resumption = new Resumption();
  #settleOpened: (created: Created | undefined) => void = () => {};
  #rejectOpened: (error: Error) => void = () => {};
  #link: Link = { kind: "full" };
  #beginning: Beginning = "first";
  #position: Position;
  #storeId: string | undefined;
  #wake: (() => void) | undefined;
  #opening: NodeJS.Timeout | undefined;

  constructor(options: FeedOptions) {
    const { request, budget } = options;
    this.#options = options;
    this.#queue = new WatchQueue(budget);
    const start = numberFromInt64(request.startRevision, "start_revision");
    // 0 means "from now", on the wire too.
    this.#position = { next: start === 0 ? undefined : start, seen: 0 };
    this.#storeId = request.storeId === "" ? undefined : request.storeId;
    this.opened = new Promise((resolve, reject) => {
      this.#settleOpened = resolve;
      this.#rejectOpened = reject;
    });
    // Whoever waits for it is told; nobody has to.
    this.opened.catch(() => {});
  }

  /** The store that it belongs to; undefined before it was open, unless that was asked for. */
  get storeId(): string | undefined {
    return this.#storeId;
  }

  get over(): boolean {
    return this.#link.kind === "over";
  }

  /** Opens it for the first time. */
  start(): void {
    const { openingMs, late } = this.#options;
    if (openingMs !== 0) {
      this.#opening = setTimeout(() => this.fail(late()), openingMs);
    }
    this.#open();
  }

  /**
   * The next item; undefined once it was closed. One call at a time.
   *
   * @throws KvdClientError when the watch is over, after all items that came before.
   */
  async next(): Promise<FeedItem | undefined> {
    while (this.#queue.empty && this.#link.kind !== "over") {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const item = this.#queue.shift();
    if (this.#link.kind === "full" && this.#queue.hasRoom) this.#open();
    if (item === undefined && this.#link.kind === "over" && this.#link.error !== undefined) {
      throw this.#link.error;
    }
    return item;
  }

  /** Forgets what has come: the present entries are listed anew, after a step "relist" or not. */
  beginAnew(how: "list" | "relist"): void {
    if (this.#link.kind === "over") return;
    this.#queue.clear();
    this.#unlink();
    this.#restart(how);
  }

  /** Ends it with an error. */
  fail(error: KvdClientError): void {
    const { next } = this.#position;
    const { resumeRevision: _theirs, ...details } = error.details;
    const known = next !== undefined && error.reason !== "STORE_CHANGED";
    this.#finish(withDetails(error, known ? { ...details, resumeRevision: next } : details));
  }

  /** Ends it quietly, and drops what has come. */
  close(): void {
    this.#queue.clear();
    this.#finish(undefined);
  }

  take(response: WatchResponse, bytes: number): void {
    try {
      const { messageMaxBytes, what } = this.#options;
      if (bytes > messageMaxBytes) {
        const text = `${what}: a message of ${bytes} bytes is above responseMaxBytes`;
        throw new KvdClientError("RESOURCE_EXHAUSTED", `${text}, ${messageMaxBytes}`);
      }
      const step = stepFromMessage(response);
      if (step?.kind === "created") this.#takeCreated(step);
      else if (step?.kind === "events") this.#takeEvents(step, bytes);
      else if (step?.kind === "progress") this.#takeStep(step, bytes);
    } catch (error) {
      if (!(error instanceof KvdClientError)) throw error;
      this.fail(error);
    }
  }

  ended({ reason, message, metadata }: MultiWatchEnded): void {
    const name = reasonName(reason);
    this.#break(errorFromInfo(codeOfReason(name), message, { reason: name, metadata }));
  }

  lost(status: StatusObject): void {
    const { what } = this.#options;
    const silent = new KvdClientError("UNKNOWN", `${what}: the server ended it without a status`);
    this.#break(status.code === 0 ? silent : errorFromStatus(status, what));
  }

  #open(): void {
    const { acquire, request } = this.#options;
    const { next, seen } = this.#position;
    const stream = acquire();
    const startRevision = BigInt(next ?? 0);
    const storeId = this.#storeId ?? "";
    const id = stream.create({ ...request, startRevision, storeId }, this);
    this.#link = { kind: "open", stream, id, unseen: seen };
  }

  #takeCreated(created: Created): void {
    const { storeId } = created;
    if (this.#storeId !== undefined && this.#storeId !== storeId) {
      const text = `the store is ${storeId}, not ${this.#storeId}, whose revisions were watched`;
      const options = { reason: "STORE_CHANGED", details: { storeId } } as const;
      throw new KvdClientError("FAILED_PRECONDITION", text, options);
    }
    this.#storeId = storeId;
    this.#position = positionAfter(this.#position, created);
    this.#resumption.opened();
    const { revision } = created;
    const beginning = this.#beginning;
    this.#beginning = "again";
    clearTimeout(this.#opening);
    this.#settleOpened(created);
    if (beginning === "relist") this.#push({ kind: "relist", revision }, 0);
    const lists = beginning === "first" ? this.#options.includeCurrent : beginning !== "again";
    if (lists) this.#push({ kind: "list", revision }, 0);
  }

  #takeEvents(step: Extract<StreamedStep, { kind: "events" }>, bytes: number): void {
    if (this.#link.kind !== "open") return;
    const fresh = newIn(step, { next: this.#position.next, seen: this.#link.unseen });
    this.#link.unseen -= fresh.skipped;
    if (fresh.step !== undefined) this.#takeStep(fresh.step, bytes);
  }

  #takeStep(step: Exclude<StreamedStep, Created>, bytes: number): void {
    this.#position = positionAfter(this.#position, step);
    this.#resumption.moved();
    this.#push(step, bytes);
    if (this.#link.kind !== "open" || !this.#queue.full) return;
    this.#unlink();
    this.#link = { kind: "full" };
  }

  #push(item: FeedItem, bytes: number): void {
    this.#queue.push(item, bytes);
    this.#wake?.();
  }

  /** It is no longer open on the server: goes on from its position, or is over. */
  #break(error: KvdClientError): void {
    const { resume, relist } = this.#options;
    if (error.reason === "REVISION_COMPACTED") {
      const has = (kind: FeedItem["kind"]) => this.#queue.find((item) => item.kind === kind);
      // Nothing of the present entries was given yet.
      if (has("list") !== undefined)
        this.beginAnew(has("relist") === undefined ? "list" : "relist");
      else if (relist) this.#restart("relist");
      else this.fail(error);
    } else if (resume && this.#resumption.may(error, { isFirst: this.#beginning === "first" })) {
      this.#wait();
    } else {
      this.fail(error);
    }
  }

  #restart(how: "list" | "relist"): void {
    this.#position = { next: undefined, seen: 0 };
    this.#beginning = how;
    this.#wait();
  }

  #wait(): void {
    const timer = setTimeout(() => this.#open(), this.#resumption.nextMs());
    this.#link = { kind: "waiting", timer };
  }

  #unlink(): void {
    if (this.#link.kind === "open") this.#link.stream.cancel(this.#link.id);
    else if (this.#link.kind === "waiting") clearTimeout(this.#link.timer);
  }

  #finish(error: KvdClientError | undefined): void {
    if (this.#link.kind === "over") return;
    this.#unlink();
    this.#link = { kind: "over", error };
    clearTimeout(this.#opening);
    if (error === undefined) this.#settleOpened(undefined);
    else this.#rejectOpened(error);
    this.#wake?.();
    this.#options.onOver();
  }
}
