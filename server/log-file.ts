// The file of --log-file: lines are added at its end, and it never grows without bound. When it is
// full it becomes `<path>.1`, in the place of the one that was that before, and a new one begins.
//
// What cannot be renamed is written on, because a log that is too large is better than none.

import { closeSync, fstatSync, openSync, renameSync } from "node:fs";
import type { LogTarget } from "./log-output.js";

/** About twenty thousand lines; with the one before, twice that. */
const MAX_BYTES = 4 * 1024 * 1024;

export class LogFile implements LogTarget {
  readonly #path: string;
  readonly #maxBytes: number;
  #fd: number;

  /** @throws the system's error when it cannot be opened. */
  constructor(path: string, { maxBytes = MAX_BYTES }: { readonly maxBytes?: number } = {}) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#fd = openLines(path);
  }

  get fd(): number {
    return this.#fd;
  }

  linesEnded(): void {
    try {
      if (fstatSync(this.#fd).size < this.#maxBytes) return;
      renameSync(this.#path, `${this.#path}.1`);
      const full = this.#fd;
      this.#fd = openLines(this.#path);
      closeSync(full);
    } catch {
      // Such as a folder that may not be written to any more: the file goes on.
    }
  }
}

function openLines(path: string): number {
  return openSync(path, "a", 0o600);
}
