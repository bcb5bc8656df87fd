// One line from the terminal, edited by Node's readline: arrows, history, Tab.

import { createInterface } from "node:readline";
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
    const done = (typed: Typed) => {
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
    prompt.signal.addEventListener("abort", aborted, { once: true });
    keyboard.attach();
    editor.prompt();
  });
}

type Answer = (error: Error | null, result: [string[], string]) => void;
