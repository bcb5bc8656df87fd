// What writers were told, and what watches were shown, to hold against what a store has in the end.
//
// Each write has a key of its own, so its event is known by its text: it must be there at the
// revision that was answered; it must not be there if it was refused; and what was neither answered
// nor refused may be there once.

import type { Engine } from "../../server/kv/engine.js";
import { KvdError } from "../../server/kv/errors.js";
import { ALL, del, put, watch } from "./commands.js";
import { lineOfEvent } from "./store-view.js";
import { historyOf } from "./take.js";

/** Those of which a caller knows that nothing has been written. */
const REFUSALS = ["NO_SPACE"];

export class Ledger {
  /** What each write would look like, and what its writer was told. */
  readonly #writes = new Map<string, { revision: number } | { refused: boolean } | "unknown">();
  readonly #shown = new Set<string>();
  #keys = 0;

  /** How many writes were answered. */
  answered = 0;
  /** The keys that are there. */
  readonly present: string[] = [];

  /** Puts a new key. The revision, or the reason why not. */
  async put(engine: Engine, bytes = 0): Promise<number | string> {
    this.#keys += 1;
    const key = `k${this.#keys}`;
    const told = await this.#write(`put ${key}`, () => engine.put(put(key, "x".repeat(bytes))));
    if (typeof told === "number") this.present.push(key);
    return told;
  }

  /** Deletes the oldest key that is there. */
  async delete(engine: Engine): Promise<number | string> {
    const key = this.present.shift();
    if (key === undefined) throw new Error("there is no key");
    return this.#write(`deleted ${key}`, () => engine.delete(del(key)));
  }

  /** Writes down all that a watch from the beginning on is shown, until it ends. */
  async watch(engine: Engine): Promise<void> {
    const watcher = engine.watch(watch(ALL, { startRevision: 1 }));
    try {
      for (;;) {
        const message = await watcher.next();
        if (message === undefined) return;
        if (message.kind !== "events") continue;
        for (const event of message.events) this.#shown.add(shortLine(lineOfEvent(event)));
      }
    } catch (error) {
      if (!(error instanceof KvdError)) throw error;
    }
  }

  /** @throws what is missing, or there and should not be. */
  async check(engine: Engine): Promise<void> {
    const history = (await historyOf(engine, 1)).map((event) => shortLine(lineOfEvent(event)));
    const there = new Map<string, number>();
    for (const line of history) {
      const [revision, ...words] = line.split(" ");
      const text = words.join(" ");
      if (there.has(text)) throw new Error(`${text} happened twice`);
      there.set(text, Number(revision));
    }
    for (const [text, told] of this.#writes) {
      const revision = there.get(text);
      there.delete(text);
      if (told === "unknown") continue;
      const due = "revision" in told ? told.revision : undefined;
      if (revision !== due) throw new Error(`${text}: at ${revision}, and ${due} was answered`);
    }
    for (const text of there.keys()) throw new Error(`${text}: nobody wrote that`);
    const missing = [...this.#shown].filter((line) => !history.includes(line));
    if (missing.length > 0) throw new Error(`shown, and not there: ${missing}`);
  }

  async #write(text: string, write: () => Promise<{ revision: number }>) {
    this.#writes.set(text, "unknown");
    try {
      const { revision } = await write();
      this.#writes.set(text, { revision });
      this.answered += 1;
      return revision;
    } catch (error) {
      if (!(error instanceof KvdError)) throw error;
      if (REFUSALS.includes(error.reason)) this.#writes.set(text, { refused: true });
      return error.reason;
    }
  }
}

/** `5 put key`, `6 deleted key`. */
function shortLine(line: string): string {
  return line.replace(/(?: after |=).*$/, "");
}
