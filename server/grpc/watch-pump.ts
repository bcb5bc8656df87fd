// Carries the messages of one watch to its stream: pull, give, and wait while the peer does not
// keep up.
//
// Nothing is pulled while the gate is shut, so what a slow peer has not taken waits in the watcher,
// which bounds it. A watch that ends while its gate is shut is noticed at once.

import type { Watcher } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import type { WatchMessage } from "../kv/types.js";
import type { Gate } from "./stream.js";

/**
 * Runs until the watch is over, and frees it: answers why it ended, undefined when it was closed by
 * us. What `give` answers with is waited for.
 *
 * @throws what is no KvdError, an error of ours.
 */
export async function pumpWatch(
  watcher: Watcher,
  gate: Gate,
  give: (message: WatchMessage) => Promise<void> | undefined | void,
): Promise<KvdError | undefined> {
  watcher.ended.then(() => gate.open());
  try {
    for (;;) {
      await gate.pass();
      const message = await watcher.next();
      if (message === undefined) return undefined;
      const given = give(message);
      if (given !== undefined) await given;
    }
  } catch (error) {
    if (error instanceof KvdError) return error;
    throw error;
  } finally {
    watcher.close();
  }
}
