// Commands from a file, or from standard input that is no terminal: one after the other, up to the
// first that fails, without a prompt.

import { wordFromBytes } from "../argument-bytes.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { linesOf } from "../lines.js";
import type { Output } from "../output.js";
import { commandFromWords } from "./old-commands.js";
import type { Session } from "./session.js";
import { Unfinished } from "./unfinished.js";

/** A value of 1.5 MiB of which every byte is an escape of four. */
const LINE_MAX_BYTES = 8 * 1024 * 1024;

export interface Script {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** As errors call it. */
  readonly name: string;
  readonly keepGoing: boolean;
  readonly signal: AbortSignal;
  /** Nobody reads the answers any more. */
  readonly closed: () => boolean;
}

interface Piece {
  /** Where it begins. */
  readonly line: number;
  readonly words: readonly string[];
}

export async function runScript(
  session: Session,
  output: Output,
  script: Script,
): Promise<ExitCode> {
  const { name, keepGoing, signal, closed } = script;
  let failed = 0;
  for await (const { line, words } of commandsOf(script)) {
    if (signal.aborted) return signal.reason as ExitCode;
    if (closed()) return EXIT.ok;
    const exitCode = await runLine(session, output, { words, signal });
    if (exitCode === "end") break;
    if (exitCode === EXIT.ok) continue;
    if (signal.aborted) return signal.reason as ExitCode;
    failed += 1;
    const where = `line ${line} of ${name} ended with ${exitCode}`;
    if (!keepGoing) {
      output.note(`${where}; stopped there (--keep-going goes on)`);
      return exitCode;
    }
    output.note(where);
  }
  return failed === 0 ? EXIT.ok : EXIT.partial;
}

async function runLine(
  session: Session,
  output: Output,
  { words, signal }: { readonly words: readonly string[]; readonly signal: AbortSignal },
): Promise<ExitCode | "end"> {
  const command = commandFromWords(words);
  if (command.kind === "nothing") return EXIT.ok;
  if (command.kind === "end") return "end";
  try {
    session.check(command);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.error(error.message);
    return error.exitCode;
  }
  return session.run(command, { signal });
}

async function* commandsOf({ chunks, name }: Script): AsyncGenerator<Piece> {
  const unfinished = new Unfinished();
  let begin = 1;
  for await (const line of linesOf(chunks, { maxBytes: LINE_MAX_BYTES })) {
    if (unfinished.before === "") begin = line.number;
    if (line.kind === "too long" || unfinished.before.length > LINE_MAX_BYTES) {
      const limit = LINE_MAX_BYTES / 1024 / 1024;
      throw new UsageError(`line ${begin} of ${name} is longer than ${limit} MiB`);
    }
    const command = unfinished.add(wordFromBytes(withoutReturn(line.bytes)));
    if (command === undefined) continue;
    yield { line: begin, words: command.words.map(({ text }) => text) };
  }
  if (unfinished.before === "") return;
  const text = `${name} ends within the command that begins in line ${begin}`;
  throw new UsageError(`${text}: a quote is open, or a backslash is last`);
}

function withoutReturn(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes;
}
