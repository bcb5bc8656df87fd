// A file that answers are written to: complete or not there at all.
//
// The bytes go to a neighbour named .partial, which takes the name when all is written, so that an
// export that breaks off does not stand there as if it were whole. What is no regular file (a pipe,
// /dev/null) is written to as it is.

import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { Failure } from "./failure.js";
import { fileErrorText, isFileError } from "./values.js";

export interface FileTargetOptions {
  /** It stays whole, and there, when the machine stops right after close(). */
  readonly durable?: boolean;
  /** Nobody else writes it meanwhile, so that what a killed process left is taken over. */
  readonly alone?: boolean;
}

export class FileTarget {
  readonly #path: string;
  /** The neighbour; undefined when the file itself is written to. */
  readonly #partial: string | undefined;
  readonly #file: FileHandle;
  readonly #durable: boolean;

  private constructor(
    path: string,
    partial: string | undefined,
    file: FileHandle,
    { durable = false }: FileTargetOptions,
  ) {
    this.#path = path;
    this.#partial = partial;
    this.#file = file;
    this.#durable = durable;
  }

  /** @throws Failure when it cannot be written to. */
  static async open(path: string, options: FileTargetOptions = {}): Promise<FileTarget> {
    try {
      const present = await stat(path).catch(() => undefined);
      if (present !== undefined && !present.isFile()) {
        return new FileTarget(path, undefined, await open(path, "w"), options);
      }
      const target = present === undefined ? path : await realpath(path);
      const { alone = false } = options;
      const partial = alone ? `${target}.partial` : `${target}.${process.pid}.partial`;
      const file = await open(partial, alone ? "w" : "wx", present?.mode ?? 0o666);
      return new FileTarget(target, partial, file, options);
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
    const partial = this.#partial;
    try {
      if (partial === undefined) await this.#file.close();
      else if (options.complete) await this.#complete(partial);
      else await this.#file.close().finally(() => rm(partial, { force: true }));
    } catch (error) {
      throw failureOf(this.#path, error, EXIT.internal);
    }
  }

  async #complete(partial: string): Promise<void> {
    try {
      try {
        // A failed sync is never tried again: it would succeed, and the bytes be gone.
        if (this.#durable) await this.#file.sync();
      } finally {
        await this.#file.close();
      }
      await rename(partial, this.#path);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    if (this.#durable) await syncFolder(dirname(this.#path));
  }
}

/** Without it, the old name may be back after a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function failureOf(path: string, error: unknown, exitCode: ExitCode): unknown {
  if (!isFileError(error)) return error;
  const why = error.code === "ENOENT" ? "there is no such folder" : fileErrorText(error);
  const text = `cannot write ${path}: ${why}`;
  return new Failure(exitCode, text, { cause: error });
}
