// INT, TERM, HUP and QUIT of the process, for as long as a lock is held or waited for.
//
// They either end the waiting, with 128 and the number as the exit code, or are passed on to the
// command that runs. What listened to them before waits until they are given back.

import { constants } from "node:os";
import type { ExitCode } from "../exit-codes.js";

const NAMES = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
export type PassedSignal = (typeof NAMES)[number];

type Listener = (name: NodeJS.Signals) => void;

export class Signals {
  readonly #ending = new AbortController();
  readonly #before = new Map<PassedSignal, Listener[]>();
  #pass: ((name: PassedSignal) => void) | undefined;

  /** Takes them. */
  constructor(outer: AbortSignal) {
    for (const name of NAMES) {
      this.#before.set(name, process.listeners(name) as Listener[]);
      process.removeAllListeners(name);
      process.on(name, this.#receive);
    }
    if (outer.aborted) this.#ending.abort(outer.reason);
    else outer.addEventListener("abort", () => this.#ending.abort(outer.reason), { once: true });
  }

  /** Aborted by the first one that was not passed on; the reason is the exit code. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** From here on they go there, until it is told otherwise. */
  passTo(pass: ((name: PassedSignal) => void) | undefined): void {
    this.#pass = pass;
  }

  giveBack(): void {
    for (const name of NAMES) {
      process.removeListener(name, this.#receive);
      for (const listener of this.#before.get(name) ?? []) process.on(name, listener);
    }
  }

  readonly #receive = (name: NodeJS.Signals): void => {
    if (this.#pass !== undefined) {
      this.#pass(name as PassedSignal);
      return;
    }
    // Who asks twice does not want to wait for the server; the lease ends by itself.
    if (this.#ending.signal.aborted) process.exit(signalExitCode(name));
    this.#ending.abort(signalExitCode(name));
  };
}

/** As shells tell it. A code of its own, like those of commands, which the table cannot list. */
export function signalExitCode(name: NodeJS.Signals): ExitCode {
  return (128 + (constants.signals[name] ?? 0)) as ExitCode;
}
