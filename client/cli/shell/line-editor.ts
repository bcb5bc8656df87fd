// One line from the terminal, edited by Node's readline: arrows, history, Tab. Ctrl-R is ours: it
// finds the former line that holds what was typed, and pressed again, the one before that.

import { createInterface, type Interface, type Key } from "node:readline";
import type { Writable } from "node:stream";
import type { Keyboard } from "./keyboard.js";

export type Typed =
  | { readonly kind: "line"; readonly text: string }
  /** Ctrl-C. */
  | { readonly kind: "interrupted" }
  /** Ctrl-D, or the terminal is gone. */
  | { readonly kind: "end" };

/** What may stand there instead of an end of the line. */
export interface Completion {
  readonly choices: readonly string[];
  readonly replaces: string;
}

export interface Prompt {
  readonly text: string;
  /** The newest last. */
  readonly history: readonly string[];
  complete(beforeCursor: string): Promise<Completion>;
  readonly signal: AbortSignal;
}

export function typedLine(keyboard: Keyboard, output: Writable, prompt: Prompt): Promise<Typed> {
  return new Promise((resolve) => {
    const editor = createInterface({
      input: keyboard,
      output,
      terminal: true,
      prompt: prompt.text,
      history: prompt.history.toReversed(),
      historySize: prompt.history.length + 1,
      removeHistoryDuplicates: false,
      completer: (line: string, answer: Answer) => {
        prompt.complete(line).then(
          ({ choices, replaces }) => answer(null, [[...choices], replaces]),
          () => answer(null, [[], line]),
        );
      },
    });
    const search = new Search(editor, prompt.history);
    const pressed = (_: unknown, key: Key | undefined) => search.pressed(key);
    const done = (typed: Typed) => {
      keyboard.off("keypress", pressed);
      prompt.signal.removeEventListener("abort", aborted);
      editor.off("close", ended);
      editor.close();
      keyboard.detach();
      resolve(typed);
    };
    const ended = () => done({ kind: "end" });
    const aborted = () => done({ kind: "end" });
    editor.once("line", (text) => done({ kind: "line", text }));
    editor.once("SIGINT", () => done({ kind: "interrupted" }));
    editor.once("close", ended);
    // Behind Ctrl-Z and fg: readline has paused, and the terminal is to be read anew.
    editor.on("SIGCONT", () => {
      keyboard.detach();
      keyboard.attach();
      editor.prompt(true);
    });
    prompt.signal.addEventListener("abort", aborted, { once: true });
    keyboard.on("keypress", pressed);
    keyboard.attach();
    editor.prompt();
  });
}

type Answer = (error: Error | null, result: [string[], string]) => void;

class Search {
  readonly #editor: Interface;
  readonly #history: readonly string[];
  /** What is looked for, below which place of the history. */
  #current: { readonly text: string; readonly below: number } | undefined;

  constructor(editor: Interface, history: readonly string[]) {
    this.#editor = editor;
    this.#history = history;
  }

  pressed(key: Key | undefined): void {
    if (key?.ctrl !== true || key.name !== "r") {
      this.#current = undefined;
      return;
    }
    const { line } = this.#editor;
    const { text, below } = this.#current ?? { text: line, below: this.#history.length };
    const older = this.#history.slice(0, below);
    const at = older.findLastIndex((former) => former.includes(text) && former !== line);
    this.#current = { text, below: at < 0 ? below : at };
    if (at < 0) return;
    this.#editor.write(null, { ctrl: true, name: "e" });
    this.#editor.write(null, { ctrl: true, name: "u" });
    this.#editor.write(older[at] ?? "");
  }
}
