// Where a value comes from: an argument, standard input (`-`), or a file (`-i FILE`). After `--`, a
// `-` is just text.

import { open } from "node:fs/promises";
import { bytesOfWord } from "./argument-bytes.js";
import type { Invocation } from "./command.js";
import { EXIT } from "./exit-codes.js";
import { Failure, UsageError } from "./failure.js";
import type { OptionDefinition } from "./option.js";
import { standardInput } from "./standard-input.js";

export const INPUT_OPTION: OptionDefinition = {
  flags: "-i, --input <file>",
  description: "take the value from a file; - is standard input",
};

/** No server takes more; what is larger is not read to its end. */
const VALUE_MAX_BYTES = 64 * 1024 * 1024;

/** The value of `verb KEY VALUE`, whose KEY is the first word. @throws UsageError */
export async function valueFrom(invocation: Invocation): Promise<string | Uint8Array> {
  const { verb, words, tail, flags } = invocation;
  const [, value, excess] = words;
  if (excess !== undefined) {
    throw new UsageError(`${verb} takes KEY VALUE; "${excess}" is too much (quote blanks)`);
  }
  const file = flags.text("input");
  if (file !== undefined) {
    if (value !== undefined) throw new UsageError("VALUE and --input exclude each other");
    return readInput(file);
  }
  if (value === undefined) {
    throw new UsageError(`${verb} needs a value: ${verb} KEY VALUE, or - for standard input`);
  }
  const literal = tail !== undefined && tail.length > 0;
  return value === "-" && !literal ? readInput("-") : bytesOfWord(value);
}

/** All of a file, or of standard input for "-". @throws Failure when it is too large. */
export async function readInput(file: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of openInput(file)) {
    bytes += chunk.length;
    if (bytes > VALUE_MAX_BYTES) {
      const name = file === "-" ? "standard input" : file;
      throw new Failure(EXIT.invalid, `${name} holds more than 64 MiB, which no server takes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** The bytes of a file, or of standard input for "-", as they come. @throws Failure */
export async function* openInput(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* file === "-" ? standardInput() : (await open(file)).createReadStream();
  } catch (error) {
    if (!isFileError(error)) throw error;
    throw new Failure(EXIT.usage, `cannot read ${file}: ${fileErrorText(error)}`, { cause: error });
  }
}

export function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of its path is not a directory",
  ENOSPC: "no space left on the device",
  EROFS: "the file system is read-only",
};

export function fileErrorText(error: NodeJS.ErrnoException): string {
  return FILE_ERRORS[error.code ?? ""] ?? error.code ?? error.message;
}
