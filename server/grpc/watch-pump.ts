// Carries the messages of one watch to its stream: pull, give, and wait while the peer does not
// keep up.
//
// Nothing is pulled while the gate is shut, so what a slow peer has not taken waits in the watcher,
// which bounds it. A watch that ends while its gate is shut is noticed at once. What is there is
// pulled without promises: a watch that waits costs one each time that it is woken.

import type { Watcher } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import type { WatchMessage } from "../kv/types.js";
import type { Gate } from "./stream.js";

type Give = (message: WatchMessage) => Promise<void> | undefined | void;

/**
 * Runs until the watch is over, and frees it: answers why it ended, undefined when it was closed by
 * us. What `give` answers with is waited for.
 *
 * @throws what is no KvdError, an error of ours.
 */
export function pumpWatch(watcher: Watcher, gate: Gate, give: Give): Promise<KvdError | undefined> {
  watcher.ended.then(() => gate.open());
  return new Promise((resolve, reject) => {
    const pump = new Pump({ watcher, gate, give, resolve, reject });
    pump.run();
  });
}

interface PumpOptions {
  readonly watcher: Watcher;
  readonly gate: Gate;
  readonly give: Give;
  readonly resolve: (error: KvdError | undefined) => void;
  readonly reject: (error: unknown) => void;
}

class Pump {
  readonly #options: PumpOptions;

  constructor(options: PumpOptions) {
    this.#options = options;
  }

  readonly run = (): void => {
    if (this.#options.gate.enter(this.#pull)) this.#pull();
  };

  /** Behind the gate. */
  readonly #pull = (): void => {
    const { watcher, gate } = this.#options;
    try {
      do {
        const message = watcher.take?.();
        if (message === undefined) {
          watcher.next().then(this.#took, this.#failed);
          return;
        }
        if (!this.#give(message)) return;
      } while (gate.enter(this.#pull));
    } catch (error) {
      this.#failed(error);
    }
  };

  readonly #took = (message: WatchMessage | undefined): void => {
    try {
      if (this.#give(message)) this.run();
    } catch (error) {
      this.#failed(error);
    }
  };

  readonly #failed = (error: unknown): void => {
    const { watcher, resolve, reject } = this.#options;
    watcher.close();
    if (error instanceof KvdError) resolve(error);
    else reject(error);
  };

  /** Whether to go on at once. */
  #give(message: WatchMessage | undefined): boolean {
    const { watcher, give, resolve } = this.#options;
    if (message === undefined) {
      watcher.close();
      resolve(undefined);
      return false;
    }
    const given = give(message);
    given?.then(this.run, this.#failed);
    return given === undefined;
  }
}
