// clean.json: how the log ended, written by a clean stop and removed by the next start. With it, a
// tail that is missing is damage; without it, the log may end in what a crash cut.

import { readFacts, writeFacts } from "./checked-json.js";
import { DamagedError } from "./data-error.js";
import type { Folder } from "./folder.js";

export const CLEAN_FILE = "clean.json";

/** Where a log ends. */
export interface LogEnd {
  readonly segment: number;
  /** Bytes of the segment. */
  readonly length: number;
  /** The CRC of the last record. */
  readonly crc: number;
}

export function writeCleanFile(folder: Folder, end: LogEnd): Promise<void> {
  return writeFacts(folder, CLEAN_FILE, { ...end });
}

/** @throws DamagedError. */
export async function readCleanFile(folder: Folder): Promise<LogEnd> {
  const { segment, length, crc } = await readFacts(folder, CLEAN_FILE);
  if (![segment, length, crc].every(Number.isSafeInteger)) {
    throw new DamagedError(folder.pathOf(CLEAN_FILE), "a field is missing");
  }
  return { segment: segment as number, length: length as number, crc: crc as number };
}
