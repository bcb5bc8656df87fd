// Runs what works on files without a server, and says what came of it. Exit codes: 0, or 1 with a
// text on stderr.

import { checkSnapshot, restoreSnapshot } from "./engines/restore.js";
import { defaultLimits } from "./kv/limits.js";
import { systemClock } from "./lib/clock.js";
import type { OfflineCommand } from "./offline-commands.js";
import { DataError } from "./wal/data-error.js";
import type { SnapshotSummary } from "./wal/snapshot-reader.js";

export async function runOffline(command: OfflineCommand): Promise<number> {
  try {
    process.stdout.write(await outputOf(command));
    return 0;
  } catch (error) {
    const expected = error instanceof DataError || (error instanceof Error && "syscall" in error);
    if (!expected) throw error;
    process.stderr.write(`kvd: ${error.message}\n`);
    return 1;
  }
}

async function outputOf(command: OfflineCommand): Promise<string> {
  const clock = systemClock;
  switch (command.kind) {
    case "snapshot-status": {
      const facts = factsOf(await checkSnapshot(command.file, clock));
      return command.json ? `${JSON.stringify(facts)}\n` : lines(facts);
    }
    case "restore": {
      const { file, dataDir } = command;
      // A snapshot that was taken fits; what may be written to it later, its server limits.
      const limits = { ...defaultLimits(), storeMaxBytes: Number.MAX_SAFE_INTEGER };
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

function lines(facts: ReturnType<typeof factsOf>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${`${name.replaceAll("_", " ")}:`.padEnd(30)}${value}\n`)
    .join("");
}
