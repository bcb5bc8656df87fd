// The lines of former shells, a command a line, in a file that all shells of a user share and that
// nobody else reads: $XDG_STATE_HOME/kvctl/history.
//
// A line is appended in one write, so several shells do not mix theirs. The file is cut when a
// shell begins and it has grown. Without a file that can be written, a shell remembers its own.

import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";

const LINES_MAX = 1_000;
/** It is cut to LINES_MAX lines when it is larger than this. */
const FILE_MAX_BYTES = 256 * 1024;
/** A longer line is a value more than a command. */
const LINE_MAX_BYTES = 4 * 1024;

type Environment = Readonly<Record<string, string | undefined>>;

export function historyFile({ XDG_STATE_HOME: state, HOME: home }: Environment): string {
  const named = state !== undefined && isAbsolute(state);
  return join(named ? state : join(home || homedir(), ".local/state"), "kvctl/history");
}

export class History {
  readonly #path: string;
  #lines: string[] = [];
  #seen = "";
  #broken = false;

  constructor(path: string) {
    this.#path = path;
    this.#try(() => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      // Whoever made it.
      chmodSync(path, 0o600);
      this.#cut();
    });
  }

  /** The newest last; with what other shells added meanwhile. */
  get lines(): readonly string[] {
    this.#try(() => {
      const { size, mtimeMs } = statSync(this.#path);
      const version = `${size} ${mtimeMs}`;
      if (version !== this.#seen) this.#lines = linesOf(readFileSync(this.#path, "utf8"));
      this.#seen = version;
    });
    return this.#lines;
  }

  /** Not twice in a row. */
  add(line: string): void {
    if (line === "" || line.includes("\n") || Buffer.byteLength(line) > LINE_MAX_BYTES) return;
    if (this.lines.at(-1) === line) return;
    this.#lines = [...this.#lines, line].slice(-LINES_MAX);
    this.#try(() => appendFileSync(this.#path, `${line}\n`, { mode: 0o600 }));
  }

  #cut(): void {
    if (statSync(this.#path).size <= FILE_MAX_BYTES) return;
    const before = readFileSync(this.#path);
    const neighbour = `${this.#path}.${process.pid}`;
    const kept = linesOf(before.toString("utf8")).map((line) => `${line}\n`);
    writeFileSync(neighbour, kept.join(""), { mode: 0o600 });
    // What another shell added since.
    appendFileSync(neighbour, readFileSync(this.#path).subarray(before.length));
    try {
      renameSync(neighbour, this.#path);
    } finally {
      rmSync(neighbour, { force: true });
    }
  }

  /** A history is never a reason to fail. */
  #try(act: () => void): void {
    if (this.#broken) return;
    try {
      act();
    } catch (error) {
      this.#broken = (error as NodeJS.ErrnoException).code !== "ENOENT";
    }
  }
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .slice(-LINES_MAX);
}
