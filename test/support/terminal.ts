// A process on a terminal of its own (`script`, of util-linux): tests type, and wait for what they
// are shown.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { inTime, type RunOptions, type Scope } from "./process.js";

// biome-ignore lint/suspicious/noControlCharactersInRegex: what terminals are driven with.
const CONTROL = /\u001b\[[0-9;?]*[A-Za-z]|\u001b[=>]|\u001b\][^\u0007]*\u0007|\r/g;

export class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<unknown>;
  #shown = "";
  #seen = 0;
  #over = false;

  /** @param command a line for sh. */
  constructor(
    scope: Scope,
    command: string,
    { environment = {}, folder }: Omit<RunOptions, "stdin"> = {},
    { columns = 80 } = {},
  ) {
    const { PATH = "", LANG = "C.UTF-8" } = process.env;
    const line = `stty cols ${columns} rows 24; exec ${command}`;
    const args = ["--quiet", "--flush", "--return", "--command", line, "/dev/null"];
    this.#child = spawn("script", args, {
      env: { PATH, LANG, TERM: "xterm", SHELL: "/bin/sh", ...environment },
      ...(folder === undefined ? {} : { cwd: folder }),
      detached: true,
    });
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.#shown += chunk.toString("utf8");
    });
    this.#child.stdin.on("error", () => {});
    this.#closed = once(this.#child, "close").finally(() => {
      this.#over = true;
    });
    this.#closed.catch(() => {});
    scope.teardown(() => this.#kill());
  }

  /** Everything so far, without what moves the cursor or colours. */
  get text(): string {
    return this.#shown.replace(CONTROL, "");
  }

  /** As it came. */
  get raw(): string {
    return this.#shown;
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** Types, and waits for this behind what was waited for before; gives what is up to it. */
  async until(wanted: string, keys = ""): Promise<string> {
    if (keys !== "") this.type(keys);
    for (;;) {
      const rest = this.text.slice(this.#seen);
      const at = rest.indexOf(wanted);
      if (at >= 0) {
        this.#seen += at + wanted.length;
        return rest.slice(0, at + wanted.length);
      }
      if (this.#over) throw new Error(`it ended without "${wanted}":\n${rest}`);
      const more = once(this.#child.stdout, "data");
      const what = `"${wanted}" behind:\n${rest}`;
      await inTime(Promise.race([more, this.#closed]), what, 30_000);
    }
  }

  /** The exit code, when it has ended. */
  async ended(): Promise<number | null> {
    await inTime(this.#closed, "the end of the terminal");
    return this.#child.exitCode;
  }

  async #kill(): Promise<void> {
    if (this.#over || this.#child.pid === undefined) return;
    process.kill(-this.#child.pid, "SIGKILL");
    await this.#closed.catch(() => {});
  }
}
