// A watch on its stream: opened at once, pulled by whoever iterates, ended by whoever is first.
//
// Invariants: the position follows what has been handed out, never what has merely arrived, so the
// resumeRevision of an error misses nothing. Closing is quiet; only an end that came from the
// server or the connection is thrown.

import type { ClientReadableStream } from "@grpc/grpc-js";
import type { WatchResponse } from "../gen/grpc/kvd/v1/watch.js";
import { onAbort } from "./abort.js";
import { errorFromStatus, KvdClientError, withDetails } from "./errors.js";
import { PullStream, type Sized } from "./stream.js";
import { type Position, positionAfter, stepFromMessage } from "./watch-steps.js";
import type { Watch, WatchEvent, WatchOptions, WatchStep } from "./watch-types.js";

type Created = Extract<WatchStep, { kind: "created" }>;

export class OpenWatch implements Watch {
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  #stream: PullStream<WatchResponse> | undefined;
  #closed: boolean;
  #taken = false;
  #created: Promise<Created | undefined> | undefined;
  #position: Position;

  /** `what` names it in error texts. start() follows, unless the signal is aborted already. */
  constructor(what: string, options: WatchOptions) {
    this.#what = what;
    this.#signal = options.signal;
    this.#closed = options.signal?.aborted ?? false;
    this.#position = {
      // 0 means "from now", on the wire too.
      next: options.startRevision || undefined,
      incomplete: options.includeCurrent ?? false,
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** `onOver` is called once, when the stream takes nothing of the connection any more. */
  start(stream: ClientReadableStream<Sized<WatchResponse>>, onOver: () => void): void {
    const forget = onAbort(this.#signal, () => this.close());
    this.#stream = new PullStream(stream, () => {
      forget();
      onOver();
    });
  }

  async ready(): Promise<{ readonly revision: number; readonly storeId: string }> {
    const created = await this.#opened();
    if (created !== undefined) return { revision: created.revision, storeId: created.storeId };
    const cause = this.#signal?.aborted ? this.#signal.reason : undefined;
    throw new KvdClientError("CANCELLED", `${this.#what}: closed before it was open`, { cause });
  }

  steps(): AsyncIterable<WatchStep> {
    return this.#iterate(this.#steps());
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchEvent> {
    return this.#iterate(this.#events())[Symbol.asyncIterator]();
  }

  close(): void {
    this.#closed = true;
    this.#stream?.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async *#events(): AsyncGenerator<WatchEvent, void> {
    for await (const step of this.#steps()) {
      if (step.kind === "events") yield* step.events;
    }
  }

  async *#steps(): AsyncGenerator<WatchStep, void> {
    let step: WatchStep | undefined = await this.#opened();
    while (step !== undefined && !this.#closed) {
      this.#position = positionAfter(this.#position, step);
      yield step;
      step = await this.#pull();
    }
  }

  /** The first step, pulled once, whoever asks first. */
  #opened(): Promise<Created | undefined> {
    this.#created ??= this.#pull().then((step) => {
      if (step === undefined || step.kind === "created") return step;
      throw new KvdClientError("INTERNAL", `${this.#what}: began with ${step.kind}`);
    });
    return this.#created;
  }

  /** The next step; undefined once the watch was closed here. */
  async #pull(): Promise<WatchStep | undefined> {
    for (;;) {
      const response = this.#closed ? undefined : await this.#stream?.next();
      if (this.#closed) return undefined;
      if (response === undefined) throw this.#endError();
      const step = stepFromMessage(response);
      if (step !== undefined) return step;
    }
  }

  #endError(): KvdClientError {
    const status = this.#stream?.status;
    const error =
      status === undefined || status.code === 0
        ? new KvdClientError("UNKNOWN", `${this.#what}: the server ended it without a status`)
        : errorFromStatus(status, this.#what);
    const { next } = this.#position;
    const { resumeRevision: _theirs, ...details } = error.details;
    return withDetails(error, next === undefined ? details : { ...details, resumeRevision: next });
  }

  /** One iteration only; leaving it ends the watch at once, even while a next() is waiting. */
  #iterate<T>(generator: AsyncGenerator<T, void>): AsyncIterableIterator<T> {
    if (this.#taken) throw new TypeError("a watch can be iterated over once");
    this.#taken = true;
    const end = () => this.close();
    return {
      async next() {
        try {
          return await generator.next();
        } catch (error) {
          end();
          throw error;
        }
      },
      async return() {
        end();
        return generator.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
