// One stream of watches: what it has told, by watch, in order. It knows what every server has to
// keep: no events of a watch that is not open, none twice or out of order, a revision in one
// message unless fragments were asked for.

import type { ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import type { Event } from "../../../gen/grpc/etcd/kv.js";
import {
  WatchCreateRequest,
  type WatchRequest,
  type WatchResponse,
} from "../../../gen/grpc/etcd/rpc.js";
import { inTime } from "../process.js";
import { type Plain, plain } from "./outcome.js";

/** What one watch has told. */
export interface WatchView {
  readonly request: WatchCreateRequest;
  readonly created: WatchResponse;
  /** Those that were not taken for the same on both sides yet. */
  events: Event[];
  /** Messages that went on in the next one. */
  fragments: number;
  /** The newest one that was told of. */
  lastRevision: number;
  /** The reply that has ended it. */
  ended: Plain | undefined;
}

type Stream = ClientDuplexStream<WatchRequest, WatchResponse>;

/** Only what is never told takes as long. */
const DEADLINE_MS = 15_000;

/** It is refused, and so shows that what was sent before it has been dealt with. */
const SENTINEL = WatchCreateRequest.create({
  key: Buffer.from("b"),
  rangeEnd: Buffer.from("a"),
});

export class WatchLog {
  readonly views = new Map<bigint, WatchView>();
  /** What no server may do. */
  readonly problems: string[] = [];
  readonly #stream: Stream;
  readonly #replies: WatchResponse[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #strays: Plain[] = [];
  #progress: WatchResponse[] = [];
  #request: WatchCreateRequest = SENTINEL;
  #fragment: bigint | undefined;
  #closed = false;

  constructor(stream: Stream) {
    this.#stream = stream;
    stream.on("data", (message: WatchResponse) => this.#take(message));
    stream.on("error", (error: ServiceError) => {
      if (!this.#closed) this.#problem(`the stream ended: ${error.message}`);
    });
    stream.on("end", () => {
      if (!this.#closed) this.#problem("the stream ended");
    });
  }

  /** The server's first reply. */
  create(request: WatchCreateRequest): Promise<WatchResponse> {
    return this.#created(request);
  }

  /** Settles when a watch that is open has ended; for one that is not, as soon as that is sure. */
  async cancel(id: bigint): Promise<void> {
    this.#send({ $case: "cancelRequest", value: { watchId: id } });
    await this.#created(SENTINEL);
    const view = this.views.get(id);
    if (view !== undefined) await this.until(() => view.ended !== undefined);
  }

  /** Ends of watches that were not open, since this was asked last. */
  takeStrays(): readonly Plain[] {
    return this.#strays.splice(0);
  }

  /**
   * The replies to a request for progress. With a watch that is open there is one, which may be
   * overtaken by the answer to what was asked after it.
   */
  async progress(): Promise<Plain> {
    this.#progress = [];
    this.#send({ $case: "progressRequest", value: {} });
    await this.#created(SENTINEL);
    await this.until(() => this.#progress.length > 0 || !this.#isOpen);
    return plain(this.#progress);
  }

  get #isOpen(): boolean {
    return [...this.views.values()].some(({ ended }) => ended === undefined);
  }

  /** Settles when it holds, asked anew after every message. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    let look = () => {};
    const found = new Promise<void>((resolve) => {
      look = () => {
        if (holds() || this.problems.length > 0) resolve();
      };
    });
    this.#listeners.add(look);
    try {
      await inTime(found, "watches", DEADLINE_MS);
    } finally {
      this.#listeners.delete(look);
    }
  }

  close(): void {
    this.#closed = true;
    this.#stream.cancel();
  }

  async #created(request: WatchCreateRequest): Promise<WatchResponse> {
    this.#request = request;
    this.#send({ $case: "createRequest", value: request });
    await this.until(() => this.#replies.length > 0);
    const reply = this.#replies.shift();
    if (reply === undefined) throw new Error(this.problems.join("\n"));
    return reply;
  }

  #send(requestUnion: WatchRequest["requestUnion"]): void {
    this.#stream.write({ requestUnion });
  }

  #take(message: WatchResponse): void {
    if (message.created) this.#begin(message);
    else if (message.canceled) this.#end(message);
    else if (message.events.length > 0) this.#tell(message);
    else if (message.watchId === -1n) this.#progress.push(message);
    for (const listener of this.#listeners) listener();
  }

  #begin(created: WatchResponse): void {
    this.#replies.push(created);
    if (created.canceled) return;
    const request = this.#request;
    const nothing = { events: [], fragments: 0, lastRevision: 0, ended: undefined };
    this.views.set(created.watchId, { request, created, ...nothing });
  }

  #end(message: WatchResponse): void {
    const view = this.views.get(message.watchId);
    if (view === undefined || view.ended !== undefined) this.#strays.push(plain(message));
    else view.ended = plain(message);
  }

  #tell({ watchId, events, fragment, header }: WatchResponse): void {
    const view = this.views.get(watchId);
    if (view === undefined || view.ended !== undefined) {
      this.#problem(`events of watch ${watchId}, which is not open`);
      return;
    }
    const revisions = events.map(({ kv }) => Number(kv?.modRevision));
    const floor = this.#fragment === watchId ? view.lastRevision : view.lastRevision + 1;
    const isSorted = revisions.every((revision, at) => revision >= (revisions[at - 1] ?? floor));
    if (!isSorted) this.#problem(`watch ${watchId}: ${revisions} after ${view.lastRevision}`);
    if (fragment && !view.request.fragment) this.#problem(`watch ${watchId}: a fragment`);
    view.lastRevision = revisions.at(-1) ?? view.lastRevision;
    if (!fragment && Number(header?.revision) < view.lastRevision) {
      this.#problem(`watch ${watchId}: ${view.lastRevision} is above the header`);
    }
    this.#fragment = fragment ? watchId : undefined;
    if (fragment) view.fragments += 1;
    view.events.push(...events);
  }

  #problem(text: string): void {
    this.problems.push(text);
    for (const listener of this.#listeners) listener();
  }
}
