// Where the lines of the log go: standard output, or a file, at the pace of whoever takes them.
//
// A reader that stalls holds up the log, not the server: what waits for it is bounded, and lines
// beyond the bound are dropped. A disk that is full holds it up likewise, until there is room. A
// reader that is gone is not written to again. pino's own output would try for ever to write the
// last lines to one that is gone, so that kvd did not end.

import { write, writeSync } from "node:fs";

/** About ten thousand lines. What is dropped beyond it is told of nowhere. */
const WAITING_MAX_BYTES = 1024 * 1024;

/** A pipe is full, and its other end wants no writer to wait; a disk is. */
const FULL = new Set(["EAGAIN", "ENOSPC", "EDQUOT"]);
const FULL_PAUSE_MS = 50;
/** At the end of the process, after which the last lines are given up. */
const FULL_PAUSES_MAX = 20;

/** What takes the lines. */
export interface LogTarget {
  /** Where the next bytes go. */
  readonly fd: number;
  /** All that went there so far is whole lines: the moment to go on elsewhere. */
  linesEnded?(): void;
}

export class LogOutput {
  readonly #target: LogTarget;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Something is being written, or will be at the end of this step. */
  #isBusy = false;
  #isGone = false;

  constructor(target: LogTarget) {
    this.#target = target;
  }

  /** Takes a line; those of one step are written together. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#isGone || this.#waitingBytes + bytes.length > WAITING_MAX_BYTES) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#isBusy) return;
    this.#isBusy = true;
    process.nextTick(() => this.#next());
  }

  /** Writes what waits before it returns, which the end of a process needs. */
  flushSync(): void {
    for (let pauses = 0; this.#waitingBytes > 0 && pauses < FULL_PAUSES_MAX; ) {
      const bytes = this.#take();
      try {
        this.#wrote(bytes, writeSync(this.#target.fd, bytes));
      } catch (error) {
        if (this.#isOver(error as NodeJS.ErrnoException)) return;
        this.#putBack(bytes);
        pauses += 1;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PAUSE_MS);
      }
    }
  }

  #next(): void {
    const bytes = this.#take();
    this.#isBusy = bytes.length > 0;
    if (!this.#isBusy) return;
    write(this.#target.fd, bytes, (error, writtenBytes) => {
      if (error === null) {
        this.#wrote(bytes, writtenBytes);
        this.#next();
      } else if (!this.#isOver(error)) {
        this.#putBack(bytes);
        // Nothing else may be left to do: flushSync() has the last word then.
        setTimeout(() => this.#next(), FULL_PAUSE_MS).unref();
      }
    });
  }

  /** Whether there is nobody to write to; what is full will have room. */
  #isOver({ code }: NodeJS.ErrnoException): boolean {
    this.#isGone = !FULL.has(code ?? "");
    if (this.#isGone) this.#take();
    return this.#isGone;
  }

  #wrote(bytes: Buffer, writtenBytes: number): void {
    this.#putBack(bytes.subarray(writtenBytes));
    if (writtenBytes === bytes.length) this.#target.linesEnded?.();
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
  }

  #putBack(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#waiting.unshift(rest);
    this.#waitingBytes += rest.length;
  }
}
