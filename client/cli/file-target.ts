// A file that answers are written to: complete or not there at all.
//
// The bytes go to a neighbour named .partial, which takes the name when all is written, so that an
// export that breaks off does not stand there as if it were whole. What is no regular file (a pipe,
// /dev/null) is written to as it is.

import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { Failure } from "./failure.js";
import { fileErrorText, isFileError } from "./values.js";

export class FileTarget {
  readonly #path: string;
  /** The neighbour; undefined when the file itself is written to. */
  readonly #partial: string | undefined;
  readonly #file: FileHandle;

  private constructor(path: string, partial: string | undefined, file: FileHandle) {
    this.#path = path;
    this.#partial = partial;
    this.#file = file;
  }

  /** @throws Failure when it cannot be written to. */
  static async open(path: string): Promise<FileTarget> {
    try {
      const present = await stat(path).catch(() => undefined);
      if (present !== undefined && !present.isFile()) {
        return new FileTarget(path, undefined, await open(path, "w"));
      }
      const target = present === undefined ? path : await realpath(path);
      const partial = `${target}.${process.pid}.partial`;
      const file = await open(partial, "wx", present?.mode ?? 0o666);
      return new FileTarget(target, partial, file);
    } catch (error) {
      throw failureOf(path, error, EXIT.usage);
    }
  }

  /** @throws Failure */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#file.writeFile(bytes);
    } catch (error) {
      throw failureOf(this.#path, error, EXIT.internal);
    }
  }

  /** Closes the file; it keeps its name only when it is `complete`. @throws Failure */
  async close(options: { readonly complete: boolean }): Promise<void> {
    try {
      await this.#file.close();
      if (this.#partial === undefined) return;
      if (options.complete) await rename(this.#partial, this.#path);
      else await rm(this.#partial, { force: true });
    } catch (error) {
      throw failureOf(this.#path, error, EXIT.internal);
    }
  }
}

function failureOf(path: string, error: unknown, exitCode: ExitCode): unknown {
  if (!isFileError(error)) return error;
  const text = `cannot write ${path}: ${fileErrorText(error)}`;
  return new Failure(exitCode, text, { cause: error });
}
