// Rows as lines of CSV (RFC 4180). The columns have to be known first: key64 and value64 are there
// only when some row has bytes that are not UTF-8, ttl when one has a lease.

import { isUtf8 } from "node:buffer";
import type { Entry } from "../../index.js";
import { secondsText } from "../duration.js";
import type { Row } from "../json-forms.js";

const SPECIAL = /[",\r\n]|^\s|\s$|^$/;

export class CsvLayout {
  #key64 = false;
  #value64 = false;
  #ttl = false;

  /** Takes notice of an entry that will be written. */
  see(entry: Entry): void {
    this.#key64 ||= !isUtf8(entry.keyBytes);
    this.#value64 ||= !isUtf8(entry.bytes);
    this.#ttl ||= entry.leaseId !== 0n;
  }

  /** Nothing that is seen can change it any more. */
  get complete(): boolean {
    return this.#key64 && this.#value64 && this.#ttl;
  }

  header(): string {
    return [
      "key",
      ...(this.#key64 ? ["key64"] : []),
      "value",
      ...(this.#value64 ? ["value64"] : []),
      ...(this.#ttl ? ["ttl"] : []),
    ].join(",");
  }

  line({ key, value, ttlMs }: Row): string {
    return [
      ...fields(key, this.#key64),
      ...fields(value, this.#value64),
      ...(this.#ttl ? [ttlMs === undefined ? "" : secondsText(ttlMs)] : []),
    ].join(",");
  }
}

function fields(bytes: Uint8Array, with64: boolean): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = isUtf8(buffer);
  const plain = text ? fieldText(buffer.toString("utf8")) : "";
  if (!with64) return [plain];
  return [plain, text ? "" : buffer.toString("base64")];
}

function fieldText(text: string): string {
  return SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
