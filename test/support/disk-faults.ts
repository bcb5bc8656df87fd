// What can be wrong with a disk while it is used: operations that fail, by kind and number, short
// writes, no room, no writing at all, and operations that hang until the test lets them go.

import type { DiskFile } from "./disk-file.js";

/** Those that change something are the steps of a history: at each of them a crash can be. */
export const CHANGES = [
  "makeFolder",
  "create",
  "write",
  "truncate",
  "sync",
  "rename",
  "remove",
  "syncFolder",
] as const;
export type Change = (typeof CHANGES)[number];
export type DiskOperation = Change | "names" | "open" | "size" | "read" | "stat" | "lock";

const TEXTS = {
  EIO: "i/o error",
  ENOSPC: "no space left on device",
  EROFS: "read-only file system",
  ENOENT: "no such file or directory",
  EBADF: "bad file descriptor",
} as const;
export type DiskErrorCode = keyof typeof TEXTS;

/** As the system's own: with `code`, `syscall` and `path`. */
export function diskError(code: DiskErrorCode, syscall: string, path: string): Error {
  const error = new Error(`${code}: ${TEXTS[code]}, ${syscall} '${path}'`);
  return Object.assign(error, { code, syscall, path });
}

export interface Failure {
  readonly of: DiskOperation;
  readonly code: DiskErrorCode;
  /** The first that fails, counted from now: 1 by default. */
  readonly nth?: number;
  /** How many fail: 1 by default. */
  readonly times?: number;
  /** Only where the path holds this text. */
  readonly in?: string;
}

interface Held {
  readonly of: DiskOperation;
  readonly in: string;
  readonly released: Promise<void>;
  waiting: number;
}

export interface Hold {
  /** How many operations hang. */
  readonly waiting: number;
  release(): void;
}

export class DiskFaults {
  /** What all files together may take; what is removed while it is open takes room. */
  capacityBytes = Number.POSITIVE_INFINITY;
  isReadOnly = false;
  readonly #failures = new Map<Failure, { seen: number; failed: number }>();
  readonly #holds = new Set<Held>();
  #shortWrite: { inWrites: number; bytes: number } | undefined;

  /** What it answers counts how many have failed. */
  fail(failure: Failure): { readonly failed: number } {
    const count = { seen: 0, failed: 0 };
    this.#failures.set({ ...failure }, count);
    return count;
  }

  /** Nothing fails any more. */
  clear(): void {
    this.#failures.clear();
  }

  /** The nth write from now takes so many bytes, or all if it has no more. */
  shortenWrite({ nth = 1, bytes }: { readonly nth?: number; readonly bytes: number }): void {
    this.#shortWrite = { inWrites: nth, bytes };
  }

  /** Operations of this kind hang from now on. */
  hold(of: DiskOperation, { in: text = "" }: { readonly in?: string } = {}): Hold {
    let letGo = () => {};
    const released = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const held: Held = { of, in: text, released, waiting: 0 };
    this.#holds.add(held);
    return {
      get waiting() {
        return held.waiting;
      },
      release: () => {
        this.#holds.delete(held);
        letGo();
      },
    };
  }

  async letGo(of: DiskOperation, path: string): Promise<void> {
    for (const held of this.#holds) {
      if (held.of !== of || !path.includes(held.in)) continue;
      held.waiting += 1;
      await held.released;
    }
  }

  /** The error that this operation ends with, if any. */
  errorOf(of: DiskOperation, path: string): Error | undefined {
    for (const [failure, count] of this.#failures) {
      const { nth = 1, times = 1, code } = failure;
      if (failure.of !== of || !path.includes(failure.in ?? "")) continue;
      count.seen += 1;
      if (count.seen < nth || count.seen >= nth + times) continue;
      count.failed += 1;
      return diskError(code, of, path);
    }
    if (this.isReadOnly && isChange(of)) return diskError("EROFS", of, path);
    return undefined;
  }

  /** How many bytes a write takes when the files have taken so many; 0: there is no room. */
  roomFor(file: DiskFile, length: number, at: number, takenBytes: number): number {
    let allowed = length;
    if (this.#shortWrite !== undefined) {
      this.#shortWrite.inWrites -= 1;
      if (this.#shortWrite.inWrites === 0) {
        allowed = Math.min(length, this.#shortWrite.bytes);
        this.#shortWrite = undefined;
      }
    }
    const free = this.capacityBytes - takenBytes;
    if (file.roomFor(allowed, at) <= free) return allowed;
    let fits = 0;
    let step = 2 ** Math.floor(Math.log2(allowed));
    for (; step >= 1; step /= 2) {
      if (fits + step <= allowed && file.roomFor(fits + step, at) <= free) fits += step;
    }
    return fits;
  }
}

export function isChange(operation: DiskOperation): operation is Change {
  return (CHANGES as readonly string[]).includes(operation);
}
