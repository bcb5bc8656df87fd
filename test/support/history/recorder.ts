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
  readonly calls: OpenCall[] = [];
  readonly watches: WatchStart[] = [];
  readonly sightings: Sighting[] = [];
  /** Calls that were answered. */
  answers = 0;
  #tick = 0;
  readonly #waiting = new Set<() => void>();

  call(client: string, commands: readonly Command[]): Pending {
    this.#tick += 1;
    const tick = this.#tick;
    const calls = commands.map(
      (command): OpenCall => ({ client, tick, command, outcome: { kind: "unknown" } }),
    );
    this.calls.push(...calls);
    const end = (outcomeOf: (index: number, tick: number) => Outcome) => {
      this.#tick += 1;
      for (const [index, call] of calls.entries()) call.outcome = outcomeOf(index, this.#tick);
    };
    return {
      answered: (replies) => {
        if (replies.length !== calls.length) throw new Error(`${replies.length} replies`);
        end((index, tick) => {
          const reply = replies[index];
          if (reply === undefined) return { kind: "refused", tick };
          return { kind: "answered", tick, ...reply };
        });
        this.answers += 1;
        for (const tell of [...this.#waiting]) tell();
      },
      refused: () => end((_, tick) => ({ kind: "refused", tick })),
    };
  }

  watch(start: WatchStart): void {
    this.watches.push(start);
  }

  saw(watch: string, revision: number, changes: readonly Change[]): void {
    this.#tick += 1;
    this.sightings.push({ watch, tick: this.#tick, revision, changes });
  }

  /** Resolves when so many calls more were answered, or at the signal. */
  async answered(count: number, signal: AbortSignal): Promise<void> {
    const due = this.answers + count;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (this.answers < due && !signal.aborted) return;
        this.#waiting.delete(look);
        signal.removeEventListener("abort", look);
        resolve();
      };
      this.#waiting.add(look);
      signal.addEventListener("abort", look);
      look();
    });
  }
}
