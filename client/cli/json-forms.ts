// The JSON forms of keys, values and entries: lossless and readable.
//
// Bytes that are UTF-8 are text, under "key" or "value"; others are base64, under "key64" or
// "value64". Lease ids are decimal text, because JSON's numbers lose them. What is written here is
// read back here, bit for bit.

import { isUtf8 } from "node:buffer";
import type { Entry, LeaseInfo, WatchEvent } from "../index.js";
import { msFromText, secondsText } from "./duration.js";

/** A broken form; the text says what is wrong with which member. */
export class FormError extends Error {
  override readonly name = "FormError";
}

export type JsonObject = { readonly [name: string]: unknown };

/** `{"name": text}`, or `{"name64": base64}` for bytes that are no text. */
export function bytesForm(name: string, bytes: Uint8Array): JsonObject {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return { [name]: buffer.toString("utf8") };
  return { [`${name}64`]: buffer.toString("base64") };
}

/** An entry; without its value where only keys were asked for. */
export function entryForm(entry: Entry, options: { readonly keysOnly: boolean }): JsonObject {
  return {
    ...bytesForm("key", entry.keyBytes),
    ...(options.keysOnly ? {} : bytesForm("value", entry.bytes)),
    createRevision: entry.createRevision,
    modRevision: entry.modRevision,
    version: entry.version,
    ...leaseForm(entry.leaseId),
  };
}

/** `{"lease": "7"}`, or nothing for none. */
export function leaseForm(leaseId: bigint): JsonObject {
  return leaseId === 0n ? {} : { lease: leaseId.toString() };
}

/** A lease itself: what remains of it, and what was granted. */
export function leaseInfoForm({ id, ttlMs, grantedTtlMs }: LeaseInfo): JsonObject {
  return {
    lease: id.toString(),
    ttl: secondsText(ttlMs),
    grantedTtl: secondsText(grantedTtlMs),
  };
}

export function eventForm(event: WatchEvent): JsonObject {
  const { previous } = event;
  return {
    type: event.type,
    ...bytesForm("key", event.keyBytes),
    ...(event.type === "put" ? putForm(event.entry) : {}),
    revision: event.revision,
    time: event.commitTime.toISOString(),
    ...(event.type === "delete" ? { reason: event.reason } : {}),
    ...(previous === undefined ? {} : { previous: entryForm(previous, { keysOnly: false }) }),
  };
}

function putForm(entry: Entry): JsonObject {
  return {
    ...bytesForm("value", entry.bytes),
    createRevision: entry.createRevision,
    version: entry.version,
    ...leaseForm(entry.leaseId),
  };
}

/** A line of an export. */
export interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly ttlMs: number | undefined;
}

/** What listings tell of an entry besides; an import takes such lines and leaves these out. */
const TOLD: ReadonlySet<string> = new Set(["createRevision", "modRevision", "version", "lease"]);

/** @throws FormError */
export function rowFromLine(line: Uint8Array): Row {
  const form = objectFromJson(line);
  for (const name of Object.keys(form)) {
    if (/^(?:key|value)(?:64)?$/.test(name) || name === "ttl" || TOLD.has(name)) continue;
    throw new FormError(`"${name}" is not a member of a line; they are key, value and ttl`);
  }
  const key = requiredBytes(form, "key");
  if (key.length === 0) throw new FormError(`"key" is empty`);
  return { key, value: requiredBytes(form, "value"), ttlMs: ttlMember(form) };
}

/** @throws FormError unless it is the UTF-8 text of one JSON object. */
export function objectFromJson(bytes: Uint8Array): JsonObject {
  if (!isUtf8(bytes)) throw new FormError("not UTF-8");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormError(`not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (isObject(value)) return value;
  throw new FormError(`not a JSON object`);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The bytes of `name` or `name64`; undefined when neither is there. @throws FormError */
export function bytesMember(form: JsonObject, name: string): Uint8Array | undefined {
  const text = form[name];
  const base64 = form[`${name}64`];
  if (text !== undefined && base64 !== undefined) {
    throw new FormError(`"${name}" and "${name}64" exclude each other`);
  }
  if (text !== undefined) return bytesFromText(name, text);
  return base64 === undefined ? undefined : bytesFromBase64(`${name}64`, base64);
}

/** @throws FormError */
export function requiredBytes(form: JsonObject, name: string): Uint8Array {
  const bytes = bytesMember(form, name);
  if (bytes !== undefined) return bytes;
  throw new FormError(`"${name}" (or "${name}64") is missing`);
}

/** The milliseconds of a member "ttl", such as "30s". @throws FormError */
export function ttlMember(form: JsonObject): number | undefined {
  const { ttl } = form;
  if (ttl === undefined) return undefined;
  const ms = typeof ttl === "string" ? msFromText(ttl) : undefined;
  if (ms !== undefined) return ms;
  throw new FormError(`"ttl" must be a duration such as "30s"`);
}

function bytesFromText(name: string, text: unknown): Uint8Array {
  if (typeof text !== "string") throw new FormError(`"${name}" must be text`);
  if (/\p{Surrogate}/u.test(text)) throw new FormError(`"${name}" has a lone surrogate`);
  return Buffer.from(text, "utf8");
}

/** Strict: Buffer.from would skip what is not base64 without a word. @throws FormError */
export function bytesFromBase64(name: string, text: unknown): Uint8Array {
  if (typeof text === "string" && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    const bytes = Buffer.from(text, "base64");
    if (bytes.toString("base64") === text) return bytes;
  }
  throw new FormError(`"${name}" is not base64`);
}
