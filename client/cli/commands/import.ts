// kvctl import: writes the keys of a JSON Lines file, as export makes them.

import { stat } from "node:fs/promises";
import type { BatchResultItem, Kvd, Status } from "../../index.js";
import { BatchSender, type NumberedPut } from "../batch-sender.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { errorText, exitCodeOf } from "../error-text.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { Previewer } from "../import-preview.js";
import { FormError, type Row, rowFromLine } from "../json-forms.js";
import { type Line, linesOf } from "../lines.js";
import { type Progress, startProgress } from "../progress.js";
import { plainLine } from "../terminal-text.js";
import { openInput } from "../values.js";

export const importCommand: CommandDefinition = {
  usage: "FILE | -",
  details: [
    'Each line is {"key": …, "value": …}, or "key64" and "value64" in base64, and perhaps a "ttl" such',
    'as "30s". Lines of kvctl range --output jsonl are taken too. Writes are not conditional: keys that',
    "are there get the new value. Lines of one key are written in their order. The first line that is",
    "broken, or that the server refuses, ends it: it is named, nothing after a broken line is sent (of",
    "what follows a refused one, up to 4,000 lines may be written already), and the exit code is 8.",
    "Importing the whole file again does no harm. A ttl below one second becomes one second.",
  ].join(" "),
  options: [
    {
      flags: "--dry-run",
      description: "write nothing; count what would be new, changed, unchanged, each line alone",
    },
    { flags: "--keep-going", description: "name broken and refused lines, and go on after them" },
  ],
  examples: [
    { run: "kvctl import store.jsonl", says: "from a file" },
    { run: "zcat cities.jsonl.gz | kvctl import -", says: "from standard input" },
    { run: "kvctl import store.jsonl --dry-run", says: "what would happen" },
    { run: "kvctl import store.jsonl --keep-going 2> broken.txt", says: "all that can be written" },
  ],
  run,
};

/** Room for a value of 1.5 MiB of which every byte is an escape of six. */
const LINE_MAX_BYTES = 16 * 1024 * 1024;
const BATCH_MAX_OPERATIONS = 1_000;
const BATCH_MAX_BYTES = 1024 * 1024;
const MAX_IN_FLIGHT = 4;
const TTL_MIN_MS = 1_000;

/** What a put takes on the wire besides its key and value, at most. */
const PUT_OVERHEAD_BYTES = 64;

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, output } = invocation;
  const [file, excess] = words;
  if (file === undefined) throw new UsageError("import needs a FILE, or - for standard input");
  if (excess !== undefined) throw new UsageError(`import takes one FILE; "${excess}" is too much`);
  const total = await sizeOf(file);
  const kv = await invocation.connect();
  // Fails at once when there is no server, before any input is waited for.
  const { limits } = await kv.maintenance.status({ signal: invocation.signal });
  const label = flags.on("dry-run") ? "comparing" : "importing";
  const progress = await startProgress(output, { label, total });
  const job = new ImportJob(invocation, kv, { progress, limits });
  try {
    await job.run(file);
  } catch (error) {
    progress.stop();
    throw job.withTally(error);
  } finally {
    progress.stop();
  }
  return job.conclude();
}

async function sizeOf(file: string): Promise<number | undefined> {
  if (file === "-") return undefined;
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() === true && found.size > 0 ? found.size : undefined;
}

/** Where the lines go, whether they are written or only compared. */
interface Sink {
  add(put: NumberedPut): Promise<void>;
  finish(): Promise<void>;
}

class ImportJob {
  readonly #invocation: Invocation;
  readonly #progress: Progress;
  readonly #preview: Previewer | undefined;
  readonly #sink: Sink;
  readonly #keepGoing: boolean;
  readonly #startedMs = performance.now();
  #written = 0;
  #failed = 0;
  #revision = 0;

  constructor(
    invocation: Invocation,
    kv: Kvd,
    { progress, limits }: { readonly progress: Progress; readonly limits: Status["limits"] },
  ) {
    const { flags, signal } = invocation;
    this.#invocation = invocation;
    this.#progress = progress;
    this.#keepGoing = flags.on("keep-going");
    const refused = ({ line }: NumberedPut, why: string) => this.#fail(line, why);
    this.#preview = flags.on("dry-run")
      ? new Previewer(kv, { signal, limits, refused })
      : undefined;
    this.#sink =
      this.#preview ??
      new BatchSender(kv, {
        signal,
        maxOperations: BATCH_MAX_OPERATIONS,
        maxBytes: BATCH_MAX_BYTES,
        maxInFlight: MAX_IN_FLIGHT,
        answered: (put, result) => this.#answered(put, result),
      });
  }

  /** Ends early after a failed line, unless it is to keep going. */
  async run(file: string): Promise<void> {
    const { signal } = this.#invocation;
    let bytes = 0;
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of openInput(file)) {
        bytes += chunk.length;
        yield chunk;
      }
    };
    for await (const line of linesOf(counted(), { maxBytes: LINE_MAX_BYTES })) {
      if (signal.aborted || this.#stopped) break;
      const put = this.#putOf(line);
      if (put !== undefined) await this.#sink.add(put);
      if (line.number % 256 === 0) this.#progress.update(bytes, this.#written);
    }
    signal.throwIfAborted();
    await this.#sink.finish();
  }

  /** The summary, on standard error; as JSON it is the answer. */
  async conclude(): Promise<ExitCode> {
    const { output } = this.#invocation;
    const failed = this.#failed;
    const tally = this.#preview?.preview ?? { written: this.#written };
    if (output.format === "json" || output.format === "jsonl") {
      const at = this.#revision === 0 ? {} : { revision: this.#revision };
      await output.json({ ...tally, failed, ...at });
    }
    output.note(`${this.#summary()}${this.#stopped ? "; stopped there" : ""}`);
    return failed === 0 ? EXIT.ok : EXIT.partial;
  }

  /** An error ends the import; what was written before it must be told. */
  withTally(error: unknown): unknown {
    const { settings, signal, output } = this.#invocation;
    if (this.#written === 0) return error;
    if (signal.aborted) {
      output.note(`${this.#summary()}, then it was interrupted; importing again does no harm`);
      return error;
    }
    const before = `${this.#written} keys were written before; importing again does no harm`;
    const text = `${errorText(error, { settings, writes: false })}; ${before}`;
    return new Failure(exitCodeOf(error), text, { cause: error });
  }

  get #stopped(): boolean {
    return this.#failed > 0 && !this.#keepGoing;
  }

  #summary(): string {
    const failed = this.#failed === 0 ? "" : `, ${this.#failed} failed`;
    if (this.#preview !== undefined) {
      const { added, updated, unchanged } = this.#preview.preview;
      return `would add ${added}, update ${updated}, leave ${unchanged} unchanged${failed}`;
    }
    const seconds = (performance.now() - this.#startedMs) / 1_000;
    const pace = `, ${Math.round(this.#written / seconds)} a second`;
    const keys = this.#written === 1 ? "1 key" : `${this.#written} keys`;
    return `imported ${keys}${failed} in ${seconds.toFixed(1)}s${seconds < 1 ? "" : pace}`;
  }

  #putOf(line: Line): NumberedPut | undefined {
    if (line.kind === "too long") {
      const limit = LINE_MAX_BYTES / 1024 / 1024;
      this.#fail(line.number, `it is longer than ${limit} MiB`);
      return undefined;
    }
    const bytes = line.number === 1 ? withoutMark(line.bytes) : line.bytes;
    if (isBlank(bytes)) return undefined;
    try {
      return putFromRow(rowFromLine(bytes), line.number);
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      this.#fail(line.number, error.message);
      return undefined;
    }
  }

  #answered(put: NumberedPut, result: BatchResultItem): void {
    if (result.kind === "failure") {
      this.#fail(put.line, `${result.message} (${result.reason})`);
    } else {
      this.#written += 1;
      this.#revision = Math.max(this.#revision, result.revision);
    }
  }

  #fail(line: number, what: string): void {
    this.#failed += 1;
    this.#invocation.output.error(`line ${line}: ${plainLine(what)}`);
  }
}

function putFromRow({ key, value, ttlMs }: Row, line: number): NumberedPut {
  const options = ttlMs === undefined ? {} : { ttl: Math.max(TTL_MIN_MS, ttlMs) };
  return {
    operation: { kind: "put", key, value, options },
    key: Buffer.from(key).toString("latin1"),
    bytes: key.length + value.length + PUT_OVERHEAD_BYTES,
    line,
  };
}

/** Without the byte order mark that some editors put first. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
