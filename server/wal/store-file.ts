// store.json: whose data this is, and, unless every write is synced before it is answered, up to
// which revision numbers may have been given out.

import type { Revision } from "../kv/types.js";
import { readFacts, writeFacts } from "./checked-json.js";
import { DamagedError } from "./data-error.js";
import type { Folder } from "./folder.js";

export const STORE_FILE = "store.json";

export interface StoreFacts {
  readonly storeId: string;
  /**
   * No higher revision has been given out. 0 when what was given out is synced, always: then the
   * log knows.
   */
  readonly mark: Revision;
  /** Of the system that the mark was made under; a crash of the process alone keeps it. */
  readonly bootId: string;
  /** The log has had a segment of this number: without it, it is not whole. */
  readonly segment: number;
}

export function writeStoreFile(folder: Folder, facts: StoreFacts): Promise<void> {
  return writeFacts(folder, STORE_FILE, { ...facts });
}

/** @throws DamagedError. */
export async function readStoreFile(folder: Folder): Promise<StoreFacts> {
  const { storeId, mark, bootId, segment } = await readFacts(folder, STORE_FILE);
  const isWhole =
    typeof storeId === "string" &&
    /^[0-9a-f]{32}$/.test(storeId) &&
    Number.isSafeInteger(mark) &&
    typeof bootId === "string" &&
    Number.isSafeInteger(segment);
  if (!isWhole) throw new DamagedError(folder.pathOf(STORE_FILE), "a field is missing");
  return { storeId, mark: mark as number, bootId, segment: segment as number };
}
