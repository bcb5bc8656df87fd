// Writes a history down while it happens: a call before it is sent, its outcome when it is known.

import type {
  Answered,
  Call,
  Change,
  Command,
  History,
  Outcome,
  Sighting,
  WatchStart,
} from "./history.js";

/** What is answered to one command, without its time. */
export type Reply = Omit<Answered, "kind" | "tick">;

/** A call, or the calls of one batch, that wait for their outcome: until told, it is unknown. */
export interface Pending {
  /** One for each command; undefined: that one was refused. */
  answered(replies: readonly (Reply | undefined)[]): void;
  refused(): void;
}

interface OpenCall extends Call {
  outcome: Outcome;
}

export class HistoryRecorder implements History {
  readonly watches: WatchStart[] = [];
  readonly sightings: Sighting[] = [];
  /** Calls that were answered. */
  answers = 0;
  refusals = 0;
  #tick = 0;
  readonly #calls = new Set<OpenCall>();
  readonly #waiting = new Set<() => void>();

  /** What was refused is left out: should it have happened, then nobody has done it. */
  get calls(): readonly Call[] {
    return [...this.#calls];
  }

  call(client: string, commands: readonly Command[]): Pending {
    this.#tick += 1;
    const tick = this.#tick;
    const calls = commands.map(
      (command): OpenCall => ({ client, tick, command, outcome: { kind: "unknown" } }),
    );
    for (const call of calls) this.#calls.add(call);
    const end = (replies: readonly (Reply | undefined)[]) => {
      this.#tick += 1;
      for (const [index, call] of calls.entries()) {
        const reply = replies[index];
        if (reply === undefined) this.#calls.delete(call);
        else call.outcome = { kind: "answered", tick: this.#tick, ...reply };
      }
    };
    return {
      answered: (replies) => {
        if (replies.length !== calls.length) throw new Error(`${replies.length} replies`);
        end(replies);
        this.answers += 1;
        for (const tell of [...this.#waiting]) tell();
      },
      refused: () => {
        this.refusals += 1;
        end([]);
        for (const tell of [...this.#waiting]) tell();
      },
    };
  }

  /**
   * The server is gone, and nobody has a call under way: what is unknown by now has taken effect,
   * or never will.
   */
  died(): void {
    this.#tick += 1;
    for (const call of this.#calls) {
      const { outcome } = call;
      if (outcome.kind !== "unknown" || outcome.until !== undefined) continue;
      call.outcome = { kind: "unknown", until: this.#tick };
    }
  }

  watch(start: WatchStart): void {
    this.watches.push(start);
  }

  saw(watch: string, revision: number, changes: readonly Change[]): void {
    this.#tick += 1;
    this.sightings.push({ watch, tick: this.#tick, revision, changes });
  }

  /** Resolves when so many calls more were answered, or at the signal. */
  async answered(count: number, signal?: AbortSignal): Promise<void> {
    const due = this.answers + count;
    await this.until(() => this.answers >= due, signal);
  }

  /** Waits until it holds, or for the signal; it is looked at whenever a call has its outcome. */
  async until(holds: () => boolean, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!holds() && signal?.aborted !== true) return;
        this.#waiting.delete(look);
        signal?.removeEventListener("abort", look);
        resolve();
      };
      this.#waiting.add(look);
      signal?.addEventListener("abort", look);
      look();
    });
  }
}
