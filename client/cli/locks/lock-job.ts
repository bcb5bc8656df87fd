// A lock, or the lead of an election, from queueing to release: waits for its turn, runs the
// command, or just holds, and leaves, whatever happens in between.
//
// The command never runs without the lock: it is told to stop before the lease can end, and killed
// when it does not. A place that is lost while it waits is taken anew, at the end of the queue.

import type { Entry, Kvd } from "../../index.js";
import type { Invocation } from "../command.js";
import { roughText } from "../duration.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { lineText } from "../terminal-text.js";
import { HeldCommand } from "./held-command.js";
import { holderFrom, nameOfHolder } from "./holder.js";
import { patiently } from "./patience.js";
import { type Loss, Place } from "./place.js";
import { LockQueue } from "./queue.js";
import { Signals } from "./signals.js";

export interface LockJobOptions {
  /** "lock" or "election", as texts call it. */
  readonly noun: string;
  readonly name: Uint8Array;
  readonly ttlMs: number;
  /** How long to wait behind others; undefined: for ever. */
  readonly waitMs: number | undefined;
  /** Of a wait in vain. */
  readonly conflictExitCode: ExitCode;
  /** Begin anew when it was lost while it was held. */
  readonly again: boolean;
  readonly value: string | Uint8Array;
  /** What the key says from when it is held on; undefined: the same. */
  heldValue(): string | undefined;
  /** Undefined: hold it until interrupted. */
  readonly command: readonly string[] | undefined;
  environment(place: Place): Readonly<Record<string, string>>;
  /** It is held, and there is no command. */
  announce(place: Place): Promise<void>;
}

/** The end, or that it is to begin anew. */
type Outcome = ExitCode | "again";

/** How long before the lease may end a command is told to: a quarter of the ttl, up to 5 s. */
const MARGIN_MAX_MS = 5_000;

export class LockJob {
  readonly #invocation: Invocation;
  readonly #options: LockJobOptions;
  readonly #signals: Signals;
  readonly #shown: string;
  #others: readonly Entry[] = [];

  private constructor(invocation: Invocation, options: LockJobOptions) {
    this.#invocation = invocation;
    this.#options = options;
    this.#signals = new Signals(invocation.signal);
    this.#shown = `${options.noun} ${lineText(options.name)}`;
  }

  static async run(invocation: Invocation, options: LockJobOptions): Promise<ExitCode> {
    const kv = await invocation.connect();
    const job = new LockJob(invocation, options);
    try {
      return await job.#run(kv);
    } finally {
      job.#signals.giveBack();
    }
  }

  async #run(kv: Kvd): Promise<ExitCode> {
    const queue = new LockQueue(kv, this.#options.name);
    if (this.#options.waitMs === 0) {
      this.#others = await queue.members({ keysOnly: true, signal: this.#signals.ending });
      if (this.#others.length > 0) return this.#inVain(kv);
    }
    let late = new Deadline(this.#options.waitMs);
    for (let round = 0; ; round += 1) {
      const ending = AbortSignal.any([this.#signals.ending, late.signal]);
      const place = await this.#join(kv, queue, { first: round === 0, ending });
      if (place === undefined) return this.#inVain(kv);
      let outcome: Outcome;
      try {
        const mine = await this.#wait(kv, place, { late, ending });
        if (mine) late = late.over();
        outcome = mine ? await this.#hold(place) : "again";
      } finally {
        await this.#leave(place);
      }
      if (outcome !== "again") return outcome;
      if (this.#signals.ending.aborted || late.signal.aborted) return this.#inVain(kv);
    }
  }

  async #join(kv: Kvd, queue: LockQueue, how: { first: boolean; ending: AbortSignal }) {
    const { ttlMs, value } = this.#options;
    const { output, settings } = this.#invocation;
    const trouble = (sureForMs: number) => {
      const rest = sureForMs > 0 ? `, for ${roughText(sureForMs)} at least` : "";
      output.note(`no answer from kvd at ${settings.server}; the lease lives on${rest}`);
    };
    const options = { ttlMs, value, signal: how.ending, trouble };
    if (!how.first) return patiently(() => Place.join(kv, queue, options), how.ending);
    try {
      return await Place.join(kv, queue, options);
    } catch (error) {
      if (how.ending.aborted) return undefined;
      throw error;
    }
  }

  /** False when it did not get there. */
  async #wait(kv: Kvd, place: Place, { late, ending }: { late: Deadline; ending: AbortSignal }) {
    const { output } = this.#invocation;
    const waiting = AbortSignal.any([ending, place.gone]);
    let told = false;
    await place.turn(waiting, (others) => {
      this.#others = others;
      late.begin();
      if (!told && !waiting.aborted) void this.#tellWaiting(kv, others);
      told = true;
    });
    if (ending.aborted) return false;
    const { ending: signal } = this.#signals;
    const held = !place.gone.aborted && (await place.confirm(this.#options.heldValue(), signal));
    if (!held && !signal.aborted) output.note(`lost the place in ${this.#shown}; queueing again`);
    return held;
  }

  async #hold(place: Place): Promise<Outcome> {
    const { command } = this.#options;
    return command === undefined ? this.#holdAlone(place) : this.#holdFor(place, command);
  }

  async #holdAlone(place: Place): Promise<Outcome> {
    const { ending } = this.#signals;
    await this.#options.announce(place);
    await this.#invocation.output.flush();
    const loss = await place.loss({ marginMs: 0, signal: ending });
    return loss === undefined ? (ending.reason as ExitCode) : this.#lost(loss);
  }

  async #holdFor(place: Place, command: readonly string[]): Promise<Outcome> {
    const { ttlMs } = place;
    const marginMs = Math.min(MARGIN_MAX_MS, ttlMs / 4);
    const environment = this.#options.environment(place);
    await this.#invocation.output.flush();
    if (this.#signals.ending.aborted) return this.#signals.ending.reason as ExitCode;
    const running = new HeldCommand(command, { environment, ttlMs });
    const over = new AbortController();
    this.#signals.passTo((name) => running.pass(name));
    try {
      const loss = await Promise.race([
        running.ended.then(() => undefined),
        place.loss({ marginMs, signal: over.signal }),
      ]);
      if (loss === undefined) return await running.ended;
      const outcome = this.#lost(loss, command[0]);
      // From here on a signal means kvctl: the command is being ended already.
      this.#signals.passTo(undefined);
      await running.stop(marginMs);
      return outcome;
    } finally {
      over.abort();
      this.#signals.passTo(undefined);
    }
  }

  /** Says so. */
  #lost(loss: Loss, command?: string): Outcome {
    const { output, settings } = this.#invocation;
    const why = {
      gone: "its lease is gone",
      deleted: "somebody deleted its key",
      silence: `no answer from kvd at ${settings.server}, and the lease may end any moment`,
    }[loss.kind];
    const stops = command === undefined ? "" : `; stopping ${command}`;
    output.error(`lost ${this.#shown}: ${why}${stops}`);
    if (this.#options.again) return "again";
    return loss.kind === "silence" ? EXIT.unreachable : EXIT.negative;
  }

  async #leave(place: Place): Promise<void> {
    if (await place.leave()) return;
    const { output } = this.#invocation;
    output.note(`${this.#shown} could not be released; it ends within ${roughText(place.ttlMs)}`);
  }

  /** The end of a wait: interrupted, or it took too long. */
  async #inVain(kv: Kvd): Promise<ExitCode> {
    const { ending } = this.#signals;
    if (ending.aborted) return ending.reason as ExitCode;
    const { output } = this.#invocation;
    const { waitMs = 0, conflictExitCode } = this.#options;
    const [first] = this.#others;
    const waited = waitMs === 0 ? "" : `, waited ${roughText(waitMs)}`;
    output.error(`did not get ${this.#shown}${await this.#heldBy(kv, first)}${waited}`);
    return conflictExitCode;
  }

  async #tellWaiting(kv: Kvd, others: readonly Entry[]): Promise<void> {
    const heldBy = await this.#heldBy(kv, others[0]);
    const more = others.length === 1 ? "" : `, ${others.length - 1} wait before`;
    this.#invocation.output.note(`waiting for ${this.#shown}${heldBy}${more}`);
  }

  async #heldBy(kv: Kvd, first: Entry | undefined): Promise<string> {
    if (first === undefined) return "";
    const entry = await kv.get(first.keyBytes).catch(() => undefined);
    const holder = holderFrom(entry?.bytes ?? new Uint8Array(0));
    const { held } = holder;
    const since = held === undefined ? "" : ` since ${lineText(Buffer.from(held))}`;
    return `: ${nameOfHolder(holder, first)} has it${since}`;
  }
}

/** Counts from when somebody else is before us: what is free is got, however short the wait. */
class Deadline {
  readonly #waitMs: number | undefined;
  readonly #late = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(waitMs: number | undefined) {
    this.#waitMs = waitMs;
  }

  get signal(): AbortSignal {
    return this.#late.signal;
  }

  begin(): void {
    if (this.#waitMs === undefined || this.#timer !== undefined) return;
    if (this.#waitMs === 0) this.#late.abort();
    else this.#timer = setTimeout(() => this.#late.abort(), this.#waitMs);
  }

  /** It came in time; the next one, should there be another wait. */
  over(): Deadline {
    clearTimeout(this.#timer);
    return new Deadline(this.#waitMs);
  }
}
