// kvctl watch --table on a terminal: takes the steps of the watch into the rows, and draws them,
// ten times a second at most and once a second at least, because ages grow.

import { setTimeout as after } from "node:timers/promises";
import type { Watch, WatchOptions, WatchStep } from "../../index.js";
import type { Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { lineText } from "../terminal-text.js";
import { frameLines, MARKED_MS } from "./frame.js";
import { LiveRows } from "./live-rows.js";
import { Screen } from "./screen.js";

/** What is not seen anyway is not worth the memory. */
const MAX_KEYS = 10_000;
const DRAW_PAUSE_MS = 100;
const TICK_MS = 1_000;
/** So that the news of a break go when the server is back, though nothing changes. */
const PROGRESS_INTERVAL = "2s";

export async function showTable(
  invocation: Invocation,
  open: (options: WatchOptions) => Watch,
  options: WatchOptions,
): Promise<ExitCode> {
  const { flags } = invocation;
  const job = new TableJob(invocation);
  const onBreak = () => job.tell("lost the server; waiting for it");
  const relist = options.resume ?? false;
  const watch = open({ ...options, relist, onBreak, progressInterval: PROGRESS_INTERVAL });
  await job.run(watch, flags.number("max") || Number.POSITIVE_INFINITY);
  return EXIT.ok;
}

class TableJob {
  readonly #rows = new LiveRows();
  readonly #screen: Screen;
  readonly #output: Invocation["output"];
  readonly #selector: string;
  readonly #over = new AbortController();
  #wake = new AbortController();
  #revision = 0;
  #news: string | undefined;
  #failure: unknown;

  constructor(invocation: Invocation) {
    const { output } = invocation;
    this.#output = output;
    this.#selector = selectorText(invocation);
    this.#screen = new Screen(output, () => this.#wake.abort());
  }

  /** Shown beside the title until something comes. */
  tell(news: string): void {
    this.#news = news;
    this.#wake.abort();
  }

  async run(watch: Watch, max: number): Promise<void> {
    await this.#screen.enter();
    const drawing = this.#keepDrawing(watch);
    try {
      let left = max;
      for await (const step of watch.steps()) {
        left -= this.#take(step);
        this.#wake.abort();
        if (left <= 0) break;
      }
    } finally {
      this.#over.abort();
      await drawing;
      await this.#screen.leave();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** How many changes it holds. */
  #take(step: WatchStep): number {
    this.#news = undefined;
    this.#revision = step.revision;
    const nowMs = Date.now();
    if (step.kind === "relist") this.#rows.clear();
    if (step.kind === "current") for (const entry of step.entries) this.#rows.add(entry, nowMs);
    const events = step.kind === "events" ? step.events : [];
    for (const event of events) this.#rows.take(event, nowMs);
    if (this.#rows.present > MAX_KEYS) {
      const text = `more than ${MAX_KEYS} keys; a table is for fewer: give a longer --prefix`;
      throw new Failure(EXIT.invalid, text);
    }
    return events.length;
  }

  async #keepDrawing(watch: Watch): Promise<void> {
    try {
      while (!this.#over.signal.aborted) {
        this.#wake = new AbortController();
        await this.#draw();
        await after(DRAW_PAUSE_MS, undefined, { signal: this.#over.signal }).catch(() => {});
        const signal = AbortSignal.any([this.#over.signal, this.#wake.signal]);
        await after(TICK_MS, undefined, { signal }).catch(() => {});
      }
    } catch (error) {
      // Nobody looks any more.
      this.#failure = error;
      watch.close();
    }
  }

  async #draw(): Promise<void> {
    const nowMs = Date.now();
    this.#rows.forget(nowMs - MARKED_MS);
    const keys = this.#rows.present === 1 ? "1 key" : `${this.#rows.present} keys`;
    const news = this.#news === undefined ? "" : `  ${this.#news}`;
    const title = `${this.#selector}: ${keys}, revision ${this.#revision}${news}`;
    const style = this.#output.style.bind(this.#output);
    const frame = { ...this.#screen.size, nowMs, title, style };
    await this.#screen.draw(frameLines(this.#rows, frame));
  }
}

/** As it was given. */
function selectorText({ words, flags }: Invocation): string {
  const [key] = words;
  if (key !== undefined) return lineText(Buffer.from(key));
  const given = ["prefix", "start", "end"].flatMap((name) => {
    const text = flags.text(name);
    return text === undefined ? [] : [`--${name} ${lineText(Buffer.from(text))}`];
  });
  return given.length === 0 ? "all keys" : given.join(" ");
}
