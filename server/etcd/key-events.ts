// The events of a watch as an asynchronous sequence, for calls that wait for what others do.

import type { Engine } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import type { Selector } from "../kv/selector.js";
import type { Event, Revision } from "../kv/types.js";

export interface EventsQuery {
  readonly selector: Selector;
  readonly startRevision: Revision;
  readonly excludePuts?: boolean;
}

const MESSAGE_BYTES = 64 * 1024;

/**
 * Ends when the history that it began in is gone: whoever waits looks anew at what there is.
 *
 * @throws the signal's reason once it aborts; TOO_MANY_WATCHERS, SHUTTING_DOWN, LOG_FAILED.
 */
export async function* eventsFrom(
  engine: Engine,
  { selector, startRevision, excludePuts = false }: EventsQuery,
  signal: AbortSignal,
): AsyncGenerator<Event> {
  signal.throwIfAborted();
  const watcher = engine.watch({
    selector,
    startRevision,
    storeId: undefined,
    includeCurrent: false,
    previous: false,
    excludePuts,
    excludeDeletes: false,
    progressIntervalMs: 0,
    maxBytes: MESSAGE_BYTES,
    wholeRevisionMaxBytes: 0,
  });
  const close = () => watcher.close();
  signal.addEventListener("abort", close);
  try {
    for (;;) {
      const message = await watcher.next();
      signal.throwIfAborted();
      if (message?.kind === "events") yield* message.events;
    }
  } catch (error) {
    if (!(error instanceof KvdError) || !isBehind(error)) throw error;
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

function isBehind({ reason }: KvdError): boolean {
  return reason === "REVISION_COMPACTED" || reason === "WATCHER_TOO_SLOW";
}
