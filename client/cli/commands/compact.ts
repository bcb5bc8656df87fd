// kvctl compact: drops the versions that later ones have replaced.

import type { Kvd } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { isClientError } from "../error-text.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { numberFromText } from "../flags.js";

export const compactCommand: CommandDefinition = {
  usage: "REVISION | now",
  details: [
    "Drops what was superseded at or below REVISION: old values, and keys deleted by then. No present",
    "key goes, and no new revision is made. From then on, reading, watching and exporting below",
    "REVISION is refused (exit code 7), at it and above still work. It cannot be undone. `now` stands",
    "for the newest revision: nothing stays but what is there. The memory is free a moment later. The",
    "server compacts by itself too: --history-bytes and --history-age of kvd. A revision that is",
    "compacted already ends with 7; `now`, when nothing came since, with 0.",
  ].join(" "),
  options: [],
  examples: [
    { run: "kvctl compact 1000", says: "history from revision 1000 on stays" },
    { run: "kvctl compact now", says: "no history stays" },
  ],
  run,
};

interface Compacted {
  readonly revision: number;
  readonly compactRevision: number;
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, output, signal } = invocation;
  const [word, excess] = words;
  if (word === undefined) throw new UsageError("compact needs a REVISION, or now");
  if (excess !== undefined) {
    throw new UsageError(`compact takes one REVISION; "${excess}" is too much`);
  }
  const wanted = word === "now" ? undefined : numberFromText("REVISION (or now)", word);
  const kv = await invocation.connect();
  const result =
    wanted === undefined ? await compactNow(kv, signal) : await compactTo(kv, wanted, signal);
  if (output.format === "json" || output.format === "jsonl") await output.json(result);
  else if (!output.quiet) await output.line(`compact revision ${result.compactRevision}`);
  return EXIT.ok;
}

async function compactNow(kv: Kvd, signal: AbortSignal): Promise<Compacted> {
  const { revision, compactRevision } = await kv.maintenance.status({ signal });
  if (revision === compactRevision) return { revision, compactRevision };
  return compactTo(kv, revision, signal);
}

async function compactTo(kv: Kvd, revision: number, signal: AbortSignal): Promise<Compacted> {
  try {
    return await kv.maintenance.compact(revision, { signal });
  } catch (error) {
    if (!isClientError(error) || error.reason !== "REVISION_COMPACTED") throw error;
    const text = `${error.message}: that was dropped before, nothing has changed`;
    throw new Failure(EXIT.history, text, { cause: error });
  }
}
