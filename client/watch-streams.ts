// The streams that watches share, on a connection of their own: any number of watches cannot starve
// calls, nor use up the streams that a connection may have (250 by default on the server).

import { type Client, connectivityState, Metadata } from "@grpc/grpc-js";
import { KvServiceService } from "../gen/grpc/kvd/v1/kv.js";
import { MultiWatchRequest, MultiWatchResponse } from "../gen/grpc/kvd/v1/watch.js";
import { method } from "./calls.js";
import { WatchStream } from "./watch-stream.js";

const MULTI_WATCH = method(KvServiceService.multiWatch.path, MultiWatchRequest, MultiWatchResponse);

/** A hundred such streams, which every server must allow, carry the watches that kvd allows. */
const WATCHES_PER_STREAM = 1_000;

export class WatchStreams {
  readonly #openChannel: () => Client;
  /** By whether they wait for a connection, or fail at once. */
  readonly #streams = { patient: new Set<WatchStream>(), hasty: new Set<WatchStream>() };
  #channel: Client | undefined;

  constructor(openChannel: () => Client) {
    this.#openChannel = openChannel;
  }

  get connected(): boolean {
    const state = this.#channel?.getChannel().getConnectivityState(false);
    return state === connectivityState.READY;
  }

  /** A stream with room for one more watch. */
  acquire(kind: "patient" | "hasty"): WatchStream {
    const streams = this.#streams[kind];
    for (const stream of streams) if (stream.size < WATCHES_PER_STREAM) return stream;
    const stream = this.#open(kind, () => streams.delete(stream));
    streams.add(stream);
    return stream;
  }

  /** When no watch is open any more. */
  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  #open(kind: "patient" | "hasty", onOver: () => void): WatchStream {
    this.#channel ??= this.#openChannel();
    const { path, serialize } = MULTI_WATCH;
    const deserialize = (bytes: Buffer) => ({
      message: MULTI_WATCH.deserialize(bytes),
      bytes: bytes.length,
    });
    const metadata = new Metadata({ waitForReady: kind === "patient" });
    const call = this.#channel.makeBidiStreamRequest(path, serialize, deserialize, metadata);
    return new WatchStream(call, onOver);
  }
}
