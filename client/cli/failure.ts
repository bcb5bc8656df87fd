// How a command ends without success: a text of one line and an exit code.

import { EXIT, type ExitCode } from "./exit-codes.js";

export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly exitCode: ExitCode;
  /** Lines to show below the text, such as the place of a mistake. */
  readonly detail: string | undefined;

  constructor(
    exitCode: ExitCode,
    message: string,
    options: ErrorOptions & { readonly detail?: string } = {},
  ) {
    super(message, options);
    this.exitCode = exitCode;
    this.detail = options.detail;
  }
}

/** What was typed cannot be meant; nothing was sent. The text says what to type instead. */
export class UsageError extends Failure {
  override readonly name: string = "UsageError";

  constructor(message: string, options?: ErrorOptions & { readonly detail?: string }) {
    super(EXIT.usage, message, options);
  }
}

/** The reader of standard output is gone: `kvctl export | head`. Not an error, a clean end. */
export class OutputClosed extends Error {
  override readonly name: string = "OutputClosed";
}
