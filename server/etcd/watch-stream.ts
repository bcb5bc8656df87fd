// One stream of etcd's Watch service: watches under ids, each with a queue of its own, that take
// turns in writing.
//
// A request is answered at once by `created`, so those come in the order of the requests. A watch
// that ends tells `canceled`, which frees its id. Progress of the whole stream is told once each
// watch has told its own. The stream goes on after the client's half-close, as etcd's does, and
// until the call is over; while the peer does not take what is written, requests are not read.

import type { WatchCreateRequest, WatchRequest, WatchResponse } from "../../gen/grpc/etcd/rpc.js";
import type { Decoded } from "../grpc/codec.js";
import type { OpenStream } from "../grpc/open-streams.js";
import type { DuplexCall } from "../grpc/service.js";
import { type Gate, StreamWriter } from "../grpc/stream.js";
import { pumpWatch } from "../grpc/watch-pump.js";
import type { Watcher } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import type { Revision, WatchMessage, WatchSpec } from "../kv/types.js";
import type { EtcdContext } from "./context.js";
import { FragmentTurn } from "./fragment-turn.js";
import { ProgressRound } from "./progress-round.js";
import { watchFrameOf } from "./watch-frames.js";
import { specFromCreate, watchResponse, weightOfEvents } from "./watch-messages.js";

export type WatchCall = DuplexCall<Decoded<WatchRequest>, WatchResponse>;

/** What the transport may hold for a peer before its watches wait. */
const UNSENT_MAX_BYTES = 64 * 1024;

/** A message without events. */
const SHORT_BYTES = 64;

/** Stands for no watch, or for all of them. */
const NO_WATCH = -1n;

/** In the answer that what was asked for is compacted; etcd's has none either. */
const NO_REVISION = 0;

/** Told in the answer to a request, as etcd does. */
class RefusedWatch extends Error {}

interface OpenWatch {
  readonly watcher: Watcher;
  readonly startRevision: Revision;
}

export class WatchStream implements OpenStream {
  readonly #call: WatchCall;
  readonly #context: EtcdContext;
  readonly #writer: StreamWriter<WatchResponse>;
  readonly #requestGate: Gate;
  readonly #watches = new Map<bigint, OpenWatch>();
  readonly #progress: ProgressRound;
  readonly #fragments = new FragmentTurn();
  #nextId = 0n;
  #paused = false;

  constructor(call: WatchCall, context: EtcdContext) {
    this.#call = call;
    this.#context = context;
    const { clock, limits } = context;
    const idleMaxMs = limits.watcherIdleMaxMs;
    const pace = { unsentMaxBytes: UNSENT_MAX_BYTES, idleMaxMs, clock };
    this.#writer = new StreamWriter(call, { ...pace, frameOf: watchFrameOf });
    this.#requestGate = this.#writer.gate();
    this.#progress = new ProgressRound((revision) => this.#write(NO_WATCH, revision));
    call.once("cancelled", () => this.#closeAll());
    call.on("data", (request: Decoded<WatchRequest>) => this.#take(request));
  }

  stop(error: KvdError): void {
    this.#end(error);
  }

  #take(request: Decoded<WatchRequest>): void {
    if (this.#writer.over) return;
    try {
      if (!request.ok) throw request.error;
      this.#run(request.message.requestUnion);
    } catch (error) {
      this.#end(error);
    }
    if (this.#writer.full) this.#pauseRequests();
  }

  #run(request: WatchRequest["requestUnion"]): void {
    switch (request?.$case) {
      case "createRequest":
        this.#create(request.value);
        break;
      case "cancelRequest":
        this.#cancel(request.value.watchId);
        break;
      case "progressRequest":
        this.#askProgress();
        break;
    }
  }

  #create(request: WatchCreateRequest): void {
    try {
      const spec = this.#specOf(request);
      const watcher = this.#context.engine.watch(spec);
      const id = request.watchId === 0n ? this.#chooseId() : request.watchId;
      this.#watches.set(id, { watcher, startRevision: spec.startRevision });
      this.#write(id, this.#context.engine.revision, { created: true });
      this.#pump(id, watcher);
    } catch (error) {
      if (error instanceof RefusedWatch) this.#refuse(error.message);
      else if (!(error instanceof KvdError) || error.reason === "SHUTTING_DOWN") throw error;
      else this.#refuse(this.#reason(error));
    }
  }

  /** @throws RefusedWatch. */
  #specOf(request: WatchCreateRequest): WatchSpec {
    const spec = specFromCreate(request, this.#context.limits);
    if (spec === undefined) throw new RefusedWatch("mvcc: watcher range is empty");
    if (request.startRevision < 0n) {
      throw new RefusedWatch("etcdserver: mvcc: required revision has been compacted");
    }
    if (request.watchId !== 0n && this.#watches.has(request.watchId)) {
      throw new RefusedWatch("mvcc: duplicate watch ID provided on the WatchStream");
    }
    return spec;
  }

  #chooseId(): bigint {
    while (this.#watches.has(this.#nextId)) this.#nextId += 1n;
    const id = this.#nextId;
    this.#nextId += 1n;
    return id;
  }

  #refuse(cancelReason: string): void {
    const { revision } = this.#context.engine;
    this.#write(NO_WATCH, revision, { created: true, canceled: true, cancelReason });
  }

  async #pump(id: bigint, watcher: Watcher): Promise<void> {
    const isOpen = () => this.#watches.get(id)?.watcher === watcher;
    const give = (message: WatchMessage): Promise<void> | undefined => {
      if (!isOpen()) return undefined;
      const turn = this.#fragments.comes(id);
      if (turn !== undefined) return turn.then(() => give(message));
      this.#give(id, message);
      return undefined;
    };
    try {
      const error = await pumpWatch(watcher, this.#writer.gate(), give);
      if (error !== undefined && isOpen()) this.#watchEnded(id, error);
    } catch (bug) {
      this.#end(bug);
    }
  }

  #give(id: bigint, message: WatchMessage): void {
    const { revision } = message;
    if (message.kind === "events") {
      const response = this.#context.watchFrames.response(id, message);
      this.#writer.write(response, weightOfEvents(message.events));
      this.#fragments.given(id, message);
    } else if (message.kind === "progress" && !this.#progress.take(id, revision)) {
      this.#write(id, revision);
    }
  }

  #watchEnded(id: bigint, error: KvdError): void {
    this.#forget(id);
    const { idleMaxMs, stalledMs } = this.#pace;
    if (error.reason === "SHUTTING_DOWN" || error.reason === "LOG_FAILED") {
      this.#end(error);
    } else if (error.reason === "WATCHER_TOO_SLOW" && stalledMs >= idleMaxMs) {
      this.#closeAll();
      this.#writer.abandon(this.#context.statusOf(error));
    } else {
      const { compactRevision } = error.details;
      if (error.reason === "REVISION_COMPACTED" && compactRevision !== undefined) {
        const fields = { canceled: true, compactRevision: BigInt(compactRevision) };
        this.#write(id, NO_REVISION, fields);
      } else {
        const { revision } = this.#context.engine;
        this.#write(id, revision, { canceled: true, cancelReason: this.#reason(error) });
      }
    }
  }

  #cancel(id: bigint): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    this.#forget(id);
    watch.watcher.close();
    this.#write(id, this.#context.engine.revision, { canceled: true });
  }

  /** Without a watch there is nothing to tell. */
  #askProgress(): void {
    if (this.#watches.size === 0) return;
    const { revision } = this.#context.engine;
    this.#progress.ask(this.#watches, revision);
  }

  #forget(id: bigint): void {
    this.#watches.delete(id);
    this.#fragments.end(id);
    this.#progress.leave(id);
  }

  get #pace() {
    const { watcherIdleMaxMs: idleMaxMs } = this.#context.limits;
    return { idleMaxMs, stalledMs: this.#writer.stalledMs };
  }

  /** As etcd's clients are told by a status. */
  #reason(error: KvdError): string {
    return this.#context.statusOf(error).details;
  }

  /** What is no event. */
  #write(id: bigint, revision: Revision, fields: Partial<WatchResponse> = {}): void {
    this.#fragments.after(() => this.#send(id, revision, fields, SHORT_BYTES));
  }

  #send(id: bigint, revision: Revision, fields: Partial<WatchResponse>, bytes: number): void {
    const header = this.#context.identity.header(revision);
    this.#writer.write(watchResponse(header, id, fields), bytes);
  }

  #pauseRequests(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#call.pause();
    this.#requestGate.pass().then(() => {
      this.#paused = false;
      this.#call.resume();
    });
  }

  #end(error: unknown): void {
    this.#closeAll();
    this.#writer.end(this.#context.statusOf(error));
  }

  #closeAll(): void {
    for (const { watcher } of this.#watches.values()) watcher.close();
    this.#watches.clear();
    this.#fragments.close();
  }
}
