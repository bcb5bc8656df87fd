// A snapshot as it streams in: its chunks, pulled one by one, and the revision that the first piece
// tells. It is never cut short quietly: it ends whole, or throws, or is left by its consumer.

import type { ClientReadableStream } from "@grpc/grpc-js";
import type { SnapshotResponse } from "../gen/grpc/kvd/v1/maintenance.js";
import { onAbort } from "./abort.js";
import { abortedError } from "./calls.js";
import { errorFromStatus, KvdClientError } from "./errors.js";
import type { Snapshot } from "./maintenance-types.js";
import { numberFromInt64 } from "./numbers.js";
import { PullStream, type Sized } from "./stream.js";

export interface SnapshotParts {
  readonly stream: ClientReadableStream<Sized<SnapshotResponse>>;
  /** For error texts. */
  readonly what: string;
  readonly signal: AbortSignal | undefined;
  /** Called once, when it takes nothing of the connection any more. */
  readonly onOver: () => void;
}

export class StreamedSnapshot implements Snapshot {
  readonly revision: Promise<number>;
  readonly #what: string;
  readonly #pieces: PullStream<SnapshotResponse>;
  readonly #first: Promise<SnapshotResponse | undefined>;
  #canceled: KvdClientError | undefined;
  #taken = false;

  constructor({ stream, what, signal, onOver }: SnapshotParts) {
    this.#what = what;
    const forget = onAbort(signal, () => this.#cancel(abortedError(what, signal)));
    this.#pieces = new PullStream(stream, () => {
      forget();
      onOver();
    });
    if (signal?.aborted) this.#cancel(abortedError(what, signal));
    this.#first = this.#pull();
    this.revision = this.#first.then((piece) => {
      if (piece !== undefined) return numberFromInt64(piece.revision, "revision");
      throw new KvdClientError("INTERNAL", `${what}: the server sent an empty one`);
    });
    // Whoever waits for it, or iterates, is told; nobody has to.
    this.revision.catch(() => {});
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    if (this.#taken) throw new TypeError("a snapshot can be iterated over once");
    this.#taken = true;
    return this.#chunks();
  }

  close(): void {
    this.#cancel(new KvdClientError("CANCELLED", `${this.#what}: closed before its end`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async *#chunks(): AsyncGenerator<Uint8Array, void> {
    try {
      for (let piece = await this.#first; piece !== undefined; piece = await this.#pull()) {
        if (piece.chunk.length > 0) yield piece.chunk;
      }
    } finally {
      this.close();
    }
  }

  /** Undefined at its end. */
  async #pull(): Promise<SnapshotResponse | undefined> {
    const piece = await this.#pieces.next();
    if (this.#canceled !== undefined) throw this.#canceled;
    if (piece !== undefined) return piece;
    const { status } = this.#pieces;
    if (status?.code === 0) return undefined;
    if (status !== undefined) throw errorFromStatus(status, this.#what);
    throw new KvdClientError("UNKNOWN", `${this.#what}: it ended without a status`);
  }

  #cancel(why: KvdClientError): void {
    this.#canceled ??= why;
    this.#pieces.cancel();
  }
}
