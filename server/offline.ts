// Runs what works on files without a server, and says what came of it. Exit codes: 0, or with a
// text on stderr 74 when the files are damaged, and 1 otherwise.

import { isOfData, isOfSystem } from "./data-failure.js";
import { type Inspection, inspect, type Repair, repair } from "./engines/inspection.js";
import { checkSnapshot, restoreSnapshot } from "./engines/restore.js";
import { defaultLimits } from "./kv/limits.js";
import { systemClock } from "./lib/clock.js";
import { loadProgress } from "./load-progress.js";
import type { OfflineCommand } from "./offline-commands.js";
import { DataError } from "./wal/data-error.js";
import type { SnapshotSummary } from "./wal/snapshot-reader.js";

/** What was written fits; what may be written to it later, its server limits. */
const ANY_SIZE = { ...defaultLimits(), storeMaxBytes: Number.MAX_SAFE_INTEGER };

const EXIT = { refused: 1, damaged: 74 };

export async function runOffline(command: OfflineCommand): Promise<number> {
  try {
    const { text, exit = 0 } = await outputOf(command);
    process.stdout.write(text);
    return exit;
  } catch (error) {
    if (!(error instanceof Error) || !(error instanceof DataError || isOfSystem(error)))
      throw error;
    process.stderr.write(`kvd: ${error.message}\n`);
    return isOfData(error) ? EXIT.damaged : EXIT.refused;
  }
}

interface Output {
  readonly text: string;
  readonly exit?: number;
}

async function outputOf(command: OfflineCommand): Promise<Output> {
  const clock = systemClock;
  const limits = ANY_SIZE;
  const onProgress = "dataDir" in command ? loadProgress(command.dataDir) : () => {};
  switch (command.kind) {
    case "snapshot-status": {
      const facts = factsOf(await checkSnapshot(command.file, clock));
      return { text: command.json ? json(facts) : lines(facts) };
    }
    case "check": {
      const found = await inspect({ dataDir: command.dataDir, limits, clock, onProgress });
      const facts = inspectionFacts(found);
      const text = command.json ? json(facts) : lines(facts);
      return { text, exit: found.damaged.length === 0 ? 0 : EXIT.damaged };
    }
    case "repair": {
      const { dataDir, to } = command;
      const found = await repair({ dataDir, to, limits, clock, onProgress });
      return { text: command.json ? json(repairFacts(found)) : repairText(found, command) };
    }
    case "restore": {
      const { file, dataDir } = command;
      const { storeId, revision } = await restoreSnapshot({ file, dataDir, limits, clock });
      return { text: `restored ${file} into ${dataDir}: store ${storeId}, revision ${revision}\n` };
    }
  }
}

function json(facts: object): string {
  return `${JSON.stringify(facts)}\n`;
}

function factsOf(summary: SnapshotSummary) {
  const { header, formatVersion, leases, entries, commits, changes, bytes, hash } = summary;
  return {
    format: formatVersion,
    store_id: header.storeId,
    revision: header.revision,
    compact_revision: header.compactRevision,
    entries_at_compact_revision: entries,
    commits,
    changes,
    leases,
    bytes,
    sha256: Buffer.from(hash).toString("hex"),
  };
}

function inspectionFacts(found: Inspection) {
  const { storeId, clean, compactRevision, torn, damaged, ...others } = found;
  const { file, offset, bytes } = torn ?? {};
  const { revision, keys, leases, records, snapshots } = others;
  return {
    store_id: storeId,
    revision,
    compact_revision: compactRevision,
    keys,
    leases,
    records_behind_snapshot: records,
    snapshots,
    clean_stop: clean,
    torn_by_a_crash: torn && `${bytes} bytes of ${file} at offset ${offset}: a start cuts them off`,
    damaged: damaged.length === 0 ? undefined : damaged.join("; "),
  };
}

function repairFacts({ damaged, revision, droppedBytes, made }: Repair) {
  const { storeId = null, revision: goesOnAt = null } = made ?? {};
  return {
    damaged,
    whole_up_to_revision: revision,
    dropped_log_bytes: droppedBytes,
    made_store_id: storeId,
    made_revision: goesOnAt,
  };
}

function repairText(found: Repair, { dataDir, to }: { dataDir: string; to: string | undefined }) {
  const { damaged, revision, droppedBytes, made } = found;
  if (damaged.length === 0) return `${dataDir} needs no repair: it is whole up to ${revision}\n`;
  if (found.startable) {
    return (
      `${damaged.join("\n")}\n${dataDir} is whole up to revision ${revision} without that: ` +
      "a start loses nothing\n"
    );
  }
  const text =
    `${damaged.join("\n")}\n${dataDir} is whole up to revision ${revision}; what comes after it, ` +
    `${droppedBytes} bytes of the log, cannot be saved\n`;
  if (made === undefined)
    return `${text}nothing was changed: say --to FOLDER to save the rest there\n`;
  const { storeId, revision: goesOnAt } = made;
  return `${text}saved in ${to}: store ${storeId}, which goes on at revision ${goesOnAt}\n`;
}

function lines(facts: Readonly<Record<string, unknown>>): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${`${name.replaceAll("_", " ")}:`.padEnd(30)}${value}\n`)
    .join("");
}
