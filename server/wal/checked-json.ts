// Small files of facts: JSON with a check over it, so that a fact is never read wrong.

import { createHash } from "node:crypto";
import { DamagedError } from "./data-error.js";
import type { Folder } from "./folder.js";

const FORMAT = 1;
const MAX_BYTES = 4096;

export type Facts = Readonly<Record<string, string | number | null>>;

/** Durable when it is done. */
export async function writeFacts(folder: Folder, name: string, facts: Facts): Promise<void> {
  const body = { format: FORMAT, ...facts };
  const text = `${JSON.stringify({ ...body, check: checkOf(body) }, undefined, 2)}\n`;
  await folder.replace(name, [Buffer.from(text)]);
}

/** @throws DamagedError. */
export async function readFacts(folder: Folder, name: string): Promise<Record<string, unknown>> {
  const path = folder.pathOf(name);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of folder.read(name)) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new DamagedError(path, "it is too long");
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  const { check, ...body } = parsed(path, text);
  if (check !== checkOf(body)) throw new DamagedError(path, "its check is not that of its fields");
  if (text !== `${JSON.stringify({ ...body, check }, undefined, 2)}\n`) {
    throw new DamagedError(path, "it is not as it was written");
  }
  const { format, ...facts } = body;
  if (format !== FORMAT) throw new DamagedError(path, `it has the format ${format}, not ${FORMAT}`);
  return facts;
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
