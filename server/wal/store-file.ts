// store.json: whose data this is, and up to which revision numbers may have been given out. Without
// it nobody could tell a new revision from one that a crash has lost.

import { createHash } from "node:crypto";
import type { Revision } from "../kv/types.js";
import { DamagedError } from "./data-error.js";
import type { Folder } from "./folder.js";

export const STORE_FILE = "store.json";
const FORMAT = 1;
const MAX_BYTES = 4096;

export interface StoreFacts {
  readonly storeId: string;
  /**
   * No higher revision has been given out. Equal to that of the newest snapshot after a stop that
   * saved everything.
   */
  readonly highestRevision: Revision;
}

export async function writeStoreFile(folder: Folder, facts: StoreFacts): Promise<void> {
  const body = { format: FORMAT, ...facts };
  const text = `${JSON.stringify({ ...body, check: checkOf(body) }, undefined, 2)}\n`;
  await folder.replace(STORE_FILE, [Buffer.from(text)]);
}

/** @throws DamagedError. */
export async function readStoreFile(folder: Folder): Promise<StoreFacts> {
  const path = folder.pathOf(STORE_FILE);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of folder.read(STORE_FILE)) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new DamagedError(path, "it is too long");
    chunks.push(chunk);
  }
  const { check, ...body } = parsed(path, Buffer.concat(chunks).toString());
  const { format, storeId, highestRevision } = body;
  if (check !== checkOf(body)) throw new DamagedError(path, "its check is not that of its fields");
  if (format !== FORMAT) throw new DamagedError(path, `it has the format ${format}, not ${FORMAT}`);
  if (typeof storeId !== "string" || !Number.isSafeInteger(highestRevision)) {
    throw new DamagedError(path, "a field is missing");
  }
  return { storeId, highestRevision: highestRevision as number };
}

function parsed(path: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return { ...value };
  } catch {
    // Told below.
  }
  throw new DamagedError(path, "it is not JSON");
}

function checkOf(body: Readonly<Record<string, unknown>>): string {
  return createHash("sha256").update(JSON.stringify(body)).digest("hex").slice(0, 32);
}
