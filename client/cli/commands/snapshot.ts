// kvctl snapshot: the whole store as one file. Looking into such a file and restoring it is done by
// kvd itself, without a server.

import { stat } from "node:fs/promises";
import type { Kvd } from "../../index.js";
import { type Action, runAction } from "../actions.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { FileTarget } from "../file-target.js";
import type { OptionDefinition } from "../option.js";
import { startProgress } from "../progress.js";
import { SnapshotHash } from "../snapshot-hash.js";
import { tableText } from "../table.js";
import { bytesText, roughBytesText } from "../units.js";

const FORCE: OptionDefinition = {
  flags: "--force",
  description: "save: take the place of a file that is there",
};

const ACTIONS: readonly Action[] = [
  {
    name: "save",
    word: "FILE",
    says: "write the store, with its history and leases, to a file; - is standard output",
    options: [FORCE],
    run: save,
  },
];

export const snapshotCommand: CommandDefinition = {
  usage: "save FILE | save -",
  details: [
    "Saves all keys at one revision, with the history that is not compacted and what remains of the",
    "leases, while the server goes on. The file is complete and synced to disk, or it is not there",
    "under its name. It prints the revision, the size and the SHA-256 that the file ends with, by",
    "which it was checked. --timeout is for the server's first answer. To look into a file: kvd",
    "snapshot status FILE; to make a data directory of it: kvd restore FILE --data-dir DIR; both work",
    "without a server. For the present entries alone, as JSON: kvctl export.",
  ].join(" "),
  options: [FORCE],
  actions: ACTIONS,
  examples: [
    { run: "kvctl snapshot save store.kvd", says: "into a file" },
    { run: "kvctl snapshot save - | ssh backup 'cat > store.kvd'", says: "to another machine" },
    { run: "kvctl snapshot save store.kvd --force --quiet", says: "every night" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const [action] = invocation.words;
  if (action === "status" || action === "restore") {
    const command = action === "status" ? "snapshot status FILE" : "restore FILE --data-dir DIR";
    throw new UsageError(`that works without a server: kvd ${command}`);
  }
  return runAction(invocation, ACTIONS);
}

interface Saved {
  readonly revision: number;
  readonly bytes: number;
  readonly sha256: string;
}

async function save(invocation: Invocation, path: string): Promise<ExitCode> {
  const { flags, output } = invocation;
  const format = flags.text("output");
  if (format === "raw") throw new UsageError("snapshot save - writes the bytes as they are");
  if (path === "-") return saveToOutput(invocation);
  if (path === "") throw new UsageError("snapshot save needs the name of a FILE");
  if (!flags.on("force")) await refusePresent(path);
  const kv = await invocation.connect();
  const file = await FileTarget.open(path, { durable: true });
  let saved: Saved | undefined;
  try {
    saved = await copy(invocation, kv, (chunk) => file.write(chunk));
  } finally {
    await file.close({ complete: saved !== undefined });
  }
  if (output.format === "json" || output.format === "jsonl") {
    await output.json({ file: path, ...saved });
  } else if (output.format === "table") {
    const { revision, bytes, sha256 } = saved;
    const rows = Object.entries({ file: path, revision, bytes, sha256 });
    await output.line(
      await tableText(
        ["what", "value"],
        rows.map(([k, v]) => [k, String(v)]),
      ),
    );
  } else if (!output.quiet) {
    await output.line(savedText(saved));
  }
  return EXIT.ok;
}

/** The bytes are the answer; what is told of them goes beside it. */
async function saveToOutput(invocation: Invocation): Promise<ExitCode> {
  const { flags, output } = invocation;
  const format = flags.text("output");
  if (flags.on("force")) throw new UsageError("--force goes with a FILE");
  if (format !== undefined && format !== "text") {
    throw new UsageError(`with - the snapshot itself is the answer, not ${format}`);
  }
  if (output.toTerminal) {
    throw new UsageError("a terminal cannot show a snapshot: give a FILE, or redirect the output");
  }
  const kv = await invocation.connect();
  const saved = await copy(invocation, kv, (chunk) => output.write(chunk));
  await output.flush();
  output.note(savedText(saved));
  return EXIT.ok;
}

async function refusePresent(path: string): Promise<void> {
  const present = await stat(path).catch(() => undefined);
  if (present?.isFile() !== true) return;
  throw new Failure(EXIT.usage, `${path} is there already; --force writes over it`);
}

async function copy(
  { output, signal }: Invocation,
  kv: Kvd,
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<Saved> {
  // The bytes may take as long as they like, but a server that is there answers in time.
  await kv.maintenance.status({ signal });
  const snapshot = kv.maintenance.snapshot({ signal });
  const told = roughBytesText;
  const progress = await startProgress(output, { label: "saving", total: undefined, told });
  const hash = new SnapshotHash();
  let bytes = 0;
  try {
    for await (const chunk of snapshot) {
      hash.add(chunk);
      await write(chunk);
      bytes += chunk.length;
      progress.update(bytes, bytes);
    }
  } finally {
    progress.stop();
  }
  const sha256 = hash.end();
  if (sha256 !== undefined) return { revision: await snapshot.revision, bytes, sha256 };
  const text = "what arrived does not match the SHA-256 at its end; it is no snapshot";
  throw new Failure(EXIT.internal, text);
}

function savedText({ revision, bytes, sha256 }: Saved): string {
  return `revision ${revision}, ${bytesText(bytes)}, sha256 ${sha256}`;
}
