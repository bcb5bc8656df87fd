// Watch and MultiWatch: requests to watches of the engine, and what these give to the stream.
//
// What a peer does not take waits in the watch, within the watch's bound, and not in the transport.
// A watch ends with a status that carries the revision to go on with; if the peer does not take
// that either, its stream is reset, and what the transport holds for it is freed.

import type { WatchRequest, WatchResponse } from "../../gen/grpc/kvd/v1/watch.js";
import type { Decoded } from "../grpc/codec.js";
import type { AnsweringCall } from "../grpc/service.js";
import { releaseRequest } from "../grpc/service.js";
import { type StreamOptions, StreamWriter } from "../grpc/stream.js";
import { pumpWatch } from "../grpc/watch-pump.js";
import type { Watcher } from "../kv/engine.js";
import type { Clock } from "../lib/clock.js";
import type { ServiceOptions } from "./kv-service.js";
import { MultiWatch, type MultiWatchCall } from "./multi-watch.js";
import { statusFromError } from "./status.js";
import { type WatchFrames, watchFrameOf } from "./watch-frames.js";
import { watchSpecFromMessage, weightOfMessage } from "./watch-messages.js";

export type WatchCall = AnsweringCall<Decoded<WatchRequest>, WatchResponse>;

export interface WatchOptions extends ServiceOptions {
  readonly clock: Clock;
  readonly watchFrames: WatchFrames;
}

/**
 * Large enough that a message's own cost does not count: 171,000 events come in 0.35 s with
 * messages of 64, 128 and 256 KiB alike. A peer that does not read has one of them in the
 * transport.
 */
const WATCH_MESSAGE_BYTES = 128 * 1024;

/** Each of many watches may have one message in hand, so they are smaller. */
const MULTI_WATCH_MESSAGE_BYTES = 64 * 1024;

/** What the transport may hold for a peer before its watches wait. */
const UNSENT_MAX_BYTES = 64 * 1024;

/** Runs until the watch or the call is over, and frees both. */
export async function serveWatch(call: WatchCall, options: WatchOptions): Promise<void> {
  const frameOf = watchFrameOf;
  const writer = new StreamWriter(call, { ...streamOptions(options), frameOf });
  try {
    const { request } = call;
    releaseRequest(call);
    const watcher = openWatch(request, options);
    call.once("cancelled", () => watcher.close());
    if (writer.over) watcher.close();
    const error = await pumpWatch(watcher, writer.gate(), (message) =>
      writer.write(options.watchFrames.response(message), weightOfMessage(message)),
    );
    if (error?.reason === "WATCHER_TOO_SLOW") writer.abandon(statusFromError(error));
    else if (error !== undefined) writer.end(statusFromError(error));
  } catch (error) {
    writer.end(options.statusOf(error));
  }
}

export function multiWatch(call: MultiWatchCall, options: WatchOptions): MultiWatch {
  const { engine, limits, statusOf } = options;
  return new MultiWatch(call, {
    ...streamOptions(options),
    frames: options.watchFrames,
    statusOf,
    open: (request) =>
      engine.watch(watchSpecFromMessage(request, limits, MULTI_WATCH_MESSAGE_BYTES)),
  });
}

function openWatch(request: Decoded<WatchRequest>, { engine, limits }: WatchOptions): Watcher {
  if (!request.ok) throw request.error;
  return engine.watch(watchSpecFromMessage(request.message, limits, WATCH_MESSAGE_BYTES));
}

function streamOptions({ limits, clock }: WatchOptions): StreamOptions {
  return { unsentMaxBytes: UNSENT_MAX_BYTES, idleMaxMs: limits.watcherIdleMaxMs, clock };
}
