// A logger that keeps what it is told.

import type { Logger } from "../../server/lib/logger.js";

export interface LogLine {
  readonly level: keyof Logger;
  readonly facts: object;
  readonly text: string;
}

export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = [];

  debug = this.#recorder("debug");
  info = this.#recorder("info");
  warn = this.#recorder("warn");
  error = this.#recorder("error");
  fatal = this.#recorder("fatal");

  /** The texts of one level. */
  texts(level: keyof Logger): string[] {
    return this.lines.filter((line) => line.level === level).map(({ text }) => text);
  }

  #recorder(level: keyof Logger) {
    return (facts: object, text: string) => {
      this.lines.push({ level, facts, text });
    };
  }
}
