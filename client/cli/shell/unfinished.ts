// Lines put together to commands: one with an open quote, or a backslash at its end, goes on with
// the next.

import { type Line, lineFromText, type Quote } from "./words.js";

export class Unfinished {
  #text: string | undefined;
  #quote: Quote = "none";

  /** What stands before the next line; "" when a new command begins. */
  get before(): string {
    return this.#text === undefined ? "" : `${this.#text}\n`;
  }

  /** The command that ends with this line; undefined when it goes on. */
  add(text: string): (Line & { readonly text: string }) | undefined {
    const whole = this.before + text;
    this.#text = whole;
    // Within a quote, most lines of a long value need no look at all that came before.
    if (this.#quote !== "none" && !/['"\\]/.test(text)) return undefined;
    const line = lineFromText(whole);
    this.#quote = line.quote;
    if (line.open) return undefined;
    this.#text = undefined;
    return { ...line, text: whole };
  }
}
