// Why a kvd ended, from the end of its log: the last line that says so.

import { open, stat } from "node:fs/promises";

/** Enough for the last lines; what is before them is of no interest here. */
const END_BYTES = 64 * 1024;

export async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** Undefined when nothing was written from `offset` on. */
export async function reasonInLog(path: string, offset: number): Promise<string | undefined> {
  const size = await sizeOf(path);
  // It became shorter when a new one was begun.
  const from = Math.max(size < offset ? 0 : offset, size - END_BYTES);
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    return reasonInText(buffer.toString("utf8", 0, bytesRead));
  } finally {
    await file.close();
  }
}

/** The last fatal line, else the last that is no line of the log but a text about flags. */
export function reasonInText(text: string): string | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const parsed = lines.map(fatalMessage);
  const fatal = parsed.findLast((message) => message !== undefined);
  return fatal ?? lines.findLast((line) => !line.startsWith("{"))?.replace(/^error: /, "");
}

function fatalMessage(line: string): string | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const { level, msg, err } = JSON.parse(line);
    if (level !== "fatal" || typeof msg !== "string") return undefined;
    return typeof err?.message === "string" ? `${msg}: ${err.message}` : msg;
  } catch {
    return undefined;
  }
}
