// The head of a request: its fields, checked as RFC 9113, section 8, wants them.

import type { HeaderField } from "./static-table.js";

export interface RequestHead {
  readonly method: string;
  readonly path: string;
  /** As the peer calls the server; "" when it does not. */
  readonly authority: string;
  /** All but those whose name begins with a colon. */
  readonly fields: readonly HeaderField[];
  /** Of the body, if the request says so. */
  readonly contentBytes: number | undefined;
}

/** Undefined when the fields are no request. */
export function requestHead(fields: readonly HeaderField[]): RequestHead | undefined {
  let method: string | undefined;
  let scheme: string | undefined;
  let path: string | undefined;
  let authority: string | undefined;
  let pseudo = 0;
  for (; pseudo < fields.length; pseudo += 1) {
    const { name, value } = fields[pseudo] as HeaderField;
    if (name === ":method" && method === undefined) method = value;
    else if (name === ":scheme" && scheme === undefined) scheme = value;
    else if (name === ":path" && path === undefined) path = value;
    else if (name === ":authority" && authority === undefined) authority = value;
    else if (name.startsWith(":")) return undefined;
    else break;
    if (NO_VALUE.test(value)) return undefined;
  }
  if (!method || scheme === undefined || !path) return undefined;
  const others = fields.slice(pseudo);
  if (!areFields(others)) return undefined;
  const contentBytes = contentBytesOf(others);
  if (Number.isNaN(contentBytes)) return undefined;
  return { method, path, authority: authority ?? hostOf(others), fields: others, contentBytes };
}

/** NaN when it is not one number. */
function contentBytesOf(fields: readonly HeaderField[]): number | undefined {
  let bytes: number | undefined;
  for (const { name, value } of fields) {
    if (name !== "content-length") continue;
    const said = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (bytes !== undefined && bytes !== said) return Number.NaN;
    bytes = said;
  }
  return bytes;
}

/** Whether they may stand in a message of HTTP/2, in its head or after its end. */
export function areFields(fields: readonly HeaderField[]): boolean {
  return fields.every(isField);
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Nor do spaces belong to its ends (section 8.2.1). */
const NO_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;

/** Of HTTP/1's connections. */
const NOT_HERE = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

function isField(field: HeaderField): boolean {
  if (field.isSound === true) return true;
  const { name, value } = field;
  if (!NAME.test(name) || NO_VALUE.test(value) || NOT_HERE.has(name)) return false;
  if (name === "te" && value !== "trailers") return false;
  field.isSound = true;
  return true;
}

function hostOf(fields: readonly HeaderField[]): string {
  return fields.find(({ name }) => name === "host")?.value ?? "";
}
