// Runs what works on files without a server, and says what came of it. Exit codes: 0, or with a
// text on stderr 74 when the files are damaged, and 1 otherwise.

import { type Inspection, inspect, type Repair, repair } from "./engines/inspection.js";
import { checkSnapshot, restoreSnapshot } from "./engines/restore.js";
import { defaultLimits } from "./kv/limits.js";
import { systemClock } from "./lib/clock.js";
import { loadProgress } from "./load-progress.js";
import type { OfflineCommand } from "./offline-commands.js";
import { DamagedError, DataError } from "./wal/data-error.js";
import type { SnapshotSummary } from "./wal/snapshot-reader.js";

/** What was written fits; what may be written to it later, its server limits. */
const ANY_SIZE = { ...defaultLimits(), storeMaxBytes: Number.MAX_SAFE_INTEGER };

const EXIT = { refused: 1, damaged: 74 };

export async function runOffline(command: OfflineCommand): Promise<number> {
  try {
    process.stdout.write(await outputOf(command));
    return 0;
  } catch (error) {
    const expected = error instanceof DataError || (error instanceof Error && "syscall" in error);
    if (!expected) throw error;
    process.stderr.write(`kvd: ${error.message}\n`);
    return error instanceof DamagedError ? EXIT.damaged : EXIT.refused;
  }
}

async function outputOf(command: OfflineCommand): Promise<string> {
  const clock = systemClock;
  const onProgress = "dataDir" in command ? loadProgress(command.dataDir) : () => {};
  switch (command.kind) {
    case "snapshot-status": {
      const facts = factsOf(await checkSnapshot(command.file, clock));
      return command.json ? `${JSON.stringify(facts)}\n` : lines(facts);
    }
    case "check": {
      const { dataDir } = command;
      const facts = inspectionFacts(
        await inspect({ dataDir, limits: ANY_SIZE, clock, onProgress }),
      );
      return command.json ? `${JSON.stringify(facts)}\n` : lines(facts);
    }
    case "repair": {
      const { dataDir, to } = command;
      const found = await repair({ dataDir, to, limits: ANY_SIZE, clock, onProgress });
      return command.json ? `${JSON.stringify(repairFacts(found))}\n` : repairText(found, command);
    }
    case "restore": {
      const { file, dataDir } = command;
      const limits = ANY_SIZE;
      const { storeId, revision } = await restoreSnapshot({ file, dataDir, limits, clock });
      return `restored ${file} into ${dataDir}: store ${storeId}, revision ${revision}\n`;
    }
  }
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
  const { storeId, clean, compactRevision, warnings, ...others } = found;
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
    warnings: warnings.length === 0 ? "none" : warnings.join("; "),
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
    .map(([name, value]) => `${`${name.replaceAll("_", " ")}:`.padEnd(30)}${value}\n`)
    .join("");
}
