// MultiWatch: many watches on one stream, each under an id that the client chose.
//
// Each watch has a queue of its own, in its watcher; they take turns in writing into the stream.
// A watch that is refused or ends gives `ended`, its last step, which frees its id, and the
// stream goes on; an id in use, an empty command and the stop of the server end the stream with a
// status. After the client's half-close the watches go on, and the stream ends with the last.
// While the peer does not take what is written, commands are not read; nor, after one that is work
// for each watch, before the next turn of the event loop.

import type {
  MultiWatchRequest,
  MultiWatchResponse,
  WatchRequest,
} from "../../gen/grpc/kvd/v1/watch.js";
import type { Decoded } from "../grpc/codec.js";
import type { StatusOf } from "../grpc/failures.js";
import type { DuplexCall } from "../grpc/service.js";
import { type Gate, type StreamOptions, StreamWriter } from "../grpc/stream.js";
import { pumpWatch } from "../grpc/watch-pump.js";
import type { Watcher } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import type { WatchMessage } from "../kv/types.js";
import { statusFromError } from "./status.js";
import { multiWatchFrameOf, type WatchFrames } from "./watch-frames.js";
import { ENDED_BYTES, endedResponse, weightOfMessage } from "./watch-messages.js";

export type MultiWatchCall = DuplexCall<Decoded<MultiWatchRequest>, MultiWatchResponse>;

export interface MultiWatchOptions extends StreamOptions {
  readonly frames: WatchFrames;
  /** Opens a watch. @throws KvdError when it is refused. */
  readonly open: (request: WatchRequest) => Watcher;
  readonly statusOf: StatusOf;
}

type Command = NonNullable<MultiWatchRequest["command"]>;
type Create = Extract<Command, { $case: "create" }>["value"];

export class MultiWatch {
  readonly #call: MultiWatchCall;
  readonly #options: MultiWatchOptions;
  readonly #writer: StreamWriter<MultiWatchResponse>;
  readonly #commandGate: Gate;
  readonly #watches = new Map<bigint, Watcher>();
  #stopped: KvdError | undefined;
  #halfClosed = false;
  #commandsPaused = false;

  constructor(call: MultiWatchCall, options: MultiWatchOptions) {
    this.#call = call;
    this.#options = options;
    this.#writer = new StreamWriter(call, { ...options, frameOf: multiWatchFrameOf });
    this.#commandGate = this.#writer.gate();
    call.once("cancelled", () => this.#closeAll());
    call.on("data", (request: Decoded<MultiWatchRequest>) => this.#take(request));
    call.on("end", () => {
      this.#halfClosed = true;
      this.#endIfDone();
    });
  }

  /** Ends the stream with this, once the watches that are open have told their end. */
  stop(error: KvdError): void {
    this.#stopped = error;
    this.#endIfDone();
  }

  #take(request: Decoded<MultiWatchRequest>): void {
    if (this.#writer.over) return;
    try {
      if (!request.ok) throw request.error;
      this.#run(request.message.command);
    } catch (error) {
      this.#end(error);
    }
    if (this.#writer.full) this.#pauseCommands(() => this.#commandGate.pass());
  }

  #run(command: Command | undefined): void {
    switch (command?.$case) {
      case undefined:
        throw new KvdError("FIELD_MISSING", "a MultiWatchRequest without a command");
      case "create":
        this.#create(command.value);
        break;
      case "cancel":
        this.#cancel(command.value.id);
        break;
      case "progress":
        this.#askProgress(command.value.id);
        break;
    }
  }

  #create({ id, watch }: Create): void {
    if (this.#watches.has(id)) {
      throw new KvdError("FIELD_CONFLICT", `watch ${id} is open already`, {
        fields: ["create.id"],
      });
    }
    try {
      if (watch === undefined) throw new KvdError("FIELD_MISSING", "create has no watch");
      const watcher = this.#options.open(watch);
      this.#watches.set(id, watcher);
      this.#pump(id, watcher);
    } catch (error) {
      if (!(error instanceof KvdError)) throw error;
      this.#writeEnded(id, error);
    }
  }

  async #pump(id: bigint, watcher: Watcher): Promise<void> {
    const isOpen = () => this.#watches.get(id) === watcher;
    try {
      const error = await pumpWatch(watcher, this.#writer.gate(), (message) => {
        if (isOpen()) this.#give(id, message);
      });
      if (error !== undefined && isOpen()) this.#watchEnded(id, error);
    } catch (bug) {
      this.#end(bug);
    }
  }

  #give(id: bigint, message: WatchMessage): void {
    this.#writer.write(this.#options.frames.step(id, message), weightOfMessage(message));
  }

  #watchEnded(id: bigint, error: KvdError): void {
    this.#watches.delete(id);
    const { stalledMs } = this.#writer;
    if (error.reason === "WATCHER_TOO_SLOW" && stalledMs >= this.#options.idleMaxMs) {
      this.#closeAll();
      // Where to go on is told of one watch; here it would be taken for all.
      this.#writer.abandon(statusFromError(new KvdError(error.reason, error.message)));
    } else {
      this.#writeEnded(id, error);
      this.#endIfDone();
    }
  }

  #cancel(id: bigint): void {
    const watcher = this.#watches.get(id);
    if (watcher === undefined) return;
    this.#watches.delete(id);
    watcher.close();
    this.#writeEnded(id, undefined);
  }

  /** 0 stands for all: few bytes, and as much work as there are watches. */
  #askProgress(id: bigint): void {
    if (id !== 0n) {
      this.#watches.get(id)?.requestProgress();
      return;
    }
    for (const watcher of this.#watches.values()) watcher.requestProgress();
    this.#pauseCommands(() => this.#options.clock.yieldTurn());
  }

  #writeEnded(id: bigint, error: KvdError | undefined): void {
    this.#writer.write(endedResponse(id, error), ENDED_BYTES);
  }

  #pauseCommands(over: () => Promise<void>): void {
    if (this.#commandsPaused) return;
    this.#commandsPaused = true;
    this.#call.pause();
    over().then(() => {
      this.#commandsPaused = false;
      this.#call.resume();
    });
  }

  /** No watch is left, and none can come. */
  #endIfDone(): void {
    if (this.#watches.size > 0 || this.#writer.over) return;
    if (this.#stopped !== undefined) this.#end(this.#stopped);
    else if (this.#halfClosed) this.#writer.finish();
  }

  #end(error: unknown): void {
    this.#closeAll();
    this.#writer.end(this.#options.statusOf(error));
  }

  #closeAll(): void {
    for (const watcher of this.#watches.values()) watcher.close();
    this.#watches.clear();
  }
}
