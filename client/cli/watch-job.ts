// A watch as kvctl runs it: prints its steps, or runs a command for each change, until it ends, and
// keeps its checkpoint. Nothing is noted as done before it has left for standard output, or before
// its command has ended.

import type { Watch, WatchEvent, WatchOptions, WatchStep } from "../index.js";
import type { Invocation } from "./command.js";
import { defined } from "./defined.js";
import { errorText, exitCodeOf, isClientError } from "./error-text.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { Failure } from "./failure.js";
import type { Checkpoint } from "./watch-checkpoint.js";
import { runForEvent } from "./watch-command.js";
import { writeCurrent, writeEvent, writeSynced } from "./watch-output.js";
import { WatchProgress } from "./watch-progress.js";

/** So that a quiet watch's checkpoint does not fall behind what is compacted. */
const PROGRESS_INTERVAL = "5s";

const BEGIN_ANEW = "remove the file to begin anew";

export class WatchJob {
  readonly #invocation: Invocation;
  readonly #options: WatchOptions;
  readonly #checkpoint: Checkpoint | undefined;
  readonly #progress: WatchProgress;
  readonly #late: AbortSignal | undefined;
  #left: number;
  #exitCode: ExitCode = EXIT.ok;

  /** @param parts `late` has ended the watch by its options, when --for is over. */
  constructor(
    invocation: Invocation,
    options: WatchOptions,
    parts: { readonly checkpoint: Checkpoint | undefined; readonly late: AbortSignal | undefined },
  ) {
    const { checkpoint, late } = parts;
    const stored = checkpoint?.stored;
    const { startRevision, includeCurrent, ...others } = options;
    const begin = defined({ startRevision, includeCurrent });
    this.#invocation = invocation;
    this.#checkpoint = checkpoint;
    this.#late = late;
    this.#options = {
      ...others,
      ...(checkpoint === undefined ? {} : { progressInterval: PROGRESS_INTERVAL }),
      ...(stored === undefined
        ? begin
        : { startRevision: stored.position.revision, storeId: stored.storeId }),
    };
    const first = startRevision === undefined ? undefined : { revision: startRevision, events: 0 };
    this.#progress = new WatchProgress(stored?.position ?? first);
    this.#left = invocation.flags.number("max") || Number.POSITIVE_INFINITY;
  }

  async run(open: (options: WatchOptions) => Watch): Promise<ExitCode> {
    try {
      for await (const step of open(this.#options).steps()) {
        if (!(await this.#handle(step))) break;
      }
    } catch (error) {
      throw this.#explained(error);
    } finally {
      await this.#checkpoint?.flush();
    }
    if (this.#exitCode === EXIT.ok && this.#late?.aborted) return this.#tooLate();
    return this.#exitCode;
  }

  /** The time of --for is over: the answer is no if so many changes were wanted. */
  #tooLate(): ExitCode {
    const { flags, output } = this.#invocation;
    const max = flags.number("max") || 0;
    if (max === 0 || this.#left === 0) return EXIT.ok;
    output.error(`${max - this.#left} of ${max} changes came within ${flags.text("for")}`);
    return EXIT.negative;
  }

  /** False when it is the last one. */
  async #handle(step: WatchStep): Promise<boolean> {
    const { output, tail } = this.#invocation;
    if (step.kind === "created") {
      const from = this.#options.startRevision ?? step.revision + 1;
      output.note(`watching from revision ${from} on`);
      if (this.#checkpoint !== undefined) this.#checkpoint.storeId = step.storeId;
    } else if (step.kind === "current" && tail === undefined) {
      for (const entry of step.entries) await writeCurrent(output, entry);
    } else if (step.kind === "synced" && tail === undefined) {
      await writeSynced(output, step.revision);
    } else if (step.kind === "events" && !(await this.#handleEvents(step.events))) {
      return false;
    }
    this.#progress.stepDone(step, { includeCurrent: this.#options.includeCurrent ?? false });
    // A revision that was asked for may be compacted: then nothing shall point there.
    const asked = step.kind === "created" && this.#options.startRevision !== undefined;
    if (!asked) await this.#settle();
    // Before anything is printed that a file which cannot be written would lose.
    if (step.kind === "created") await this.#checkpoint?.flush();
    return true;
  }

  async #handleEvents(events: readonly WatchEvent[]): Promise<boolean> {
    const { tail } = this.#invocation;
    for (const event of events) {
      if (!this.#progress.take(event)) continue;
      if (tail === undefined) await this.#print(event);
      else if (!(await this.#runCommand(tail, event))) return false;
      this.#progress.eventDone();
      this.#left -= 1;
      if (this.#left === 0 || tail !== undefined) await this.#settle();
      if (this.#left === 0) return false;
    }
    return true;
  }

  async #print(event: WatchEvent): Promise<void> {
    const { flags, output } = this.#invocation;
    await writeEvent(output, event, { diff: flags.on("diff"), previous: flags.on("prev") });
  }

  /** False when it has not done its work, and is to do it again. */
  async #runCommand(command: readonly string[], event: WatchEvent): Promise<boolean> {
    const { flags, output, signal } = this.#invocation;
    if (signal.aborted) return false;
    const ended = await runForEvent(command, event, signal);
    if (signal.aborted) return false;
    if (ended === 0) return true;
    this.#exitCode = EXIT.partial;
    const text = `${command[0]} ended with ${ended} for revision ${event.revision}`;
    const stops = flags.on("stop-on-failure");
    if (stops) output.error(text);
    else output.note(text);
    return !stops;
  }

  /** What was printed has left, and only then it is noted that it was. */
  async #settle(): Promise<void> {
    await this.#invocation.output.flush();
    this.#checkpoint?.note(this.#progress.position);
    // A command that runs twice costs more than a write.
    if (this.#invocation.tail !== undefined) await this.#checkpoint?.flush();
  }

  #explained(error: unknown): unknown {
    const checkpoint = this.#checkpoint;
    if (checkpoint === undefined || !isClientError(error)) return error;
    const { settings } = this.#invocation;
    const { path, stored } = checkpoint;
    const { reason, details } = error;
    const goOn = `the same command goes on from there, by ${path}`;
    let text = errorText(error, { settings, writes: false, goOn });
    if (reason === "STORE_CHANGED") {
      const where = `kvd at ${settings.server} has store ${details.storeId}`;
      text = `${path} is of store ${stored?.storeId}, but ${where}; ${BEGIN_ANEW}, or give the --server of that store`;
    } else if (reason === "REVISION_COMPACTED" && stored !== undefined) {
      const { revision } = stored.position;
      text = `${path} goes on at revision ${revision}, but history begins at ${details.compactRevision}: changes in between are lost; ${BEGIN_ANEW}`;
    }
    return new Failure(exitCodeOf(error), text, { cause: error });
  }
}
