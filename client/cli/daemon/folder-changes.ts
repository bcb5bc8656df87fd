// Waking up whoever waits for something to happen in a folder, or to a process.
//
// Where the system tells of no changes (some network file systems, too many watches), it wakes up
// a few times a second instead.

import { type FSWatcher, watch } from "node:fs";

const TICK_MS = 250;

export class FolderChanges {
  readonly #watcher: FSWatcher | undefined;
  readonly #timer: NodeJS.Timeout;
  #happened = false;
  #wake: () => void = () => {};

  constructor(folder: string) {
    this.#watcher = watcherOf(folder, () => this.notice());
    this.#timer = setInterval(() => this.notice(), TICK_MS);
  }

  /** Something happened. */
  readonly notice = (): void => {
    this.#happened = true;
    this.#wake();
  };

  /** After something has happened since it was called last. */
  async next(): Promise<void> {
    if (!this.#happened) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#happened = false;
  }

  close(): void {
    this.#watcher?.close();
    clearInterval(this.#timer);
  }
}

function watcherOf(folder: string, notice: () => void): FSWatcher | undefined {
  try {
    return watch(folder, notice).on("error", () => {});
  } catch {
    return undefined;
  }
}
