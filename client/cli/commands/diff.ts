// kvctl diff: what differs between two prefixes, revisions, servers, or a file and any of them.

import type { Kvd } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { errorText, exitCodeOf, isClientError } from "../error-text.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { KEYS_ONLY } from "../listing.js";
import { KEY_ENCODING } from "../selectors.js";
import { type DiffTally, diffWriter, kindOf } from "../transfer/diff-output.js";
import { type DiffRow, rowsOfFile, rowsOfServer, selectorOfPrefix } from "../transfer/diff-rows.js";
import { type DiffSide, type DiffSides, sidesFrom } from "../transfer/diff-sides.js";
import { CSV_OPTIONS, FORMAT_OPTION } from "../transfer/format.js";
import { KEY_CHANGE_OPTIONS } from "../transfer/key-change.js";
import { merged } from "../transfer/merge.js";

const RIGHT_SERVER = "right-server";

export const diffCommand: CommandDefinition = {
  usage: "LEFT [RIGHT]",
  details: [
    "Each side is a PREFIX, PREFIX@REVISION, @REVISION for all keys, a FILE that kvctl import takes",
    "(file:PATH if its name does not end in .jsonl, .csv or .words), or -; prefix:X is never a file.",
    "Without RIGHT, it is the same as it is now. Two prefixes are compared by what follows them; a file",
    "and a prefix by the keys of the file that start so. The answer has + for what is on the right",
    "alone, - for what is on the left alone, and ~ for other values, with the lines that differ.",
    "Values count, leases and revisions do not. Ends with 1 when there is a difference, as diff does.",
  ].join(" "),
  options: [
    { flags: `--${RIGHT_SERVER} <address>`, description: "the server of RIGHT, if it is another" },
    KEYS_ONLY,
    { flags: "--summary", description: "only how many differ" },
    FORMAT_OPTION,
    ...KEY_CHANGE_OPTIONS,
    ...CSV_OPTIONS,
    KEY_ENCODING,
  ],
  examples: [
    { run: "kvctl diff staging/ production/", says: "two prefixes" },
    { run: "kvctl diff @41", says: "what changed since revision 41" },
    { run: "kvctl diff app/@41 app/@57", says: "between two revisions" },
    { run: "kvctl diff store.jsonl", says: "what changed since an export" },
    { run: "kvctl diff app/ --right-server other:7856 --keys-only", says: "two servers" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, output } = invocation;
  const sides = await sidesFrom(words, flags);
  const writer = diffWriter(output, {
    keysOnly: flags.on("keys-only"),
    summary: flags.on("summary"),
  });
  const tally: DiffTally = { added: 0, removed: 0, changed: 0, same: 0 };
  const opened = await open(invocation, sides);
  try {
    for await (const { left, right } of merged(opened.left, opened.right)) {
      const key = left?.key ?? right?.key ?? new Uint8Array(0);
      if (left !== undefined && right !== undefined && equal(left, right)) {
        tally.same += 1;
        continue;
      }
      const difference = { key, left: left?.value, right: right?.value };
      tally[kindOf(difference)] += 1;
      await writer.difference(difference);
    }
  } finally {
    await opened.close();
  }
  await writer.end(tally);
  return tally.added + tally.removed + tally.changed === 0 ? EXIT.ok : EXIT.negative;
}

function equal(left: DiffRow, right: DiffRow): boolean {
  return Buffer.compare(left.value, right.value) === 0;
}

interface OpenSides {
  readonly left: AsyncIterable<DiffRow>;
  readonly right: AsyncIterable<DiffRow>;
  close(): Promise<void>;
}

async function open(invocation: Invocation, { left, right }: DiffSides): Promise<OpenSides> {
  const { flags, settings } = invocation;
  const address = flags.text(RIGHT_SERVER);
  const far = address === undefined ? undefined : await connectTo(address, settings.timeoutMs);
  const close = async () => far?.close();
  try {
    const cuts = left.kind === "keys" && right.kind === "keys" && !equalPrefixes(left, right);
    const near = left.kind === "keys" || (right.kind === "keys" && far === undefined);
    const own = near ? await invocation.connect() : undefined;
    // What is "now" is one revision for both sides.
    const now = own === undefined || far !== undefined ? undefined : await nowOf(own, left, right);
    const rows = (side: DiffSide, other: DiffSide, kv: Kvd | undefined) => {
      if (side.kind === "file") {
        const prefix = other.kind === "keys" ? other.prefix : new Uint8Array(0);
        return rowsOfFile(invocation, side.path, prefix);
      }
      if (kv === undefined) throw new Error("a side of keys has no connection");
      return rowsOfServer(kv, {
        ...{ prefix: side.prefix, cut: cuts ? side.prefix.length : 0, signal: invocation.signal },
        revision: side.revision ?? now,
      });
    };
    const lefts = rows(left, right, own);
    const rights = rows(right, left, far ?? own);
    const named = address === undefined ? rights : ofServer(rights, address, invocation);
    return { left: lefts, right: named, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function equalPrefixes(left: DiffSide, right: DiffSide): boolean {
  if (left.kind === "file" || right.kind === "file") return false;
  return Buffer.compare(left.prefix, right.prefix) === 0;
}

async function nowOf(kv: Kvd, left: DiffSide, right: DiffSide): Promise<number | undefined> {
  const both = left.kind === "keys" && right.kind === "keys";
  if (!both || (left.revision !== undefined && right.revision !== undefined)) return undefined;
  return (await kv.count(selectorOfPrefix(left.prefix), { limit: 1 })).revision;
}

async function connectTo(address: string, timeout: number): Promise<Kvd> {
  const { connect } = await import("../../index.js");
  try {
    return connect(address, { timeout, retry: false, batching: false });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(`--${RIGHT_SERVER}: ${error.message}`, { cause: error });
  }
}

/** Errors name the server that they come from. */
async function* ofServer(
  rows: AsyncIterable<DiffRow>,
  server: string,
  { settings }: Invocation,
): AsyncGenerator<DiffRow> {
  try {
    yield* rows;
  } catch (error) {
    if (!isClientError(error)) throw error;
    const text = errorText(error, { settings: { ...settings, server }, writes: false });
    throw new Failure(exitCodeOf(error), text, { cause: error });
  }
}
