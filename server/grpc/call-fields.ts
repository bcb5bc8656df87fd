// The fields of HTTP/2 that gRPC gives a meaning: those of a request, and those of its answer.
//
// See PROTOCOL-HTTP2.md of gRPC.

import { type Metadata, status } from "@grpc/grpc-js";
import type { RequestHead } from "../http2/request-head.js";
import type { HeaderField } from "../http2/static-table.js";
import { CallError } from "./call-error.js";
import { ENCODINGS } from "./message-reader.js";
import type { Failure } from "./service.js";

/** The head of every answer. */
export const HEAD: readonly HeaderField[] = [
  { name: ":status", value: "200" },
  { name: "content-type", value: "application/grpc" },
  { name: "grpc-accept-encoding", value: ENCODINGS.join(",") },
];

/** What ends an answer that is good. */
export const GOOD_END: readonly HeaderField[] = [{ name: "grpc-status", value: "0" }];

/** For what is no call of gRPC. */
export const NOT_GRPC: readonly HeaderField[] = [{ name: ":status", value: "415" }];
export const NOT_POST: readonly HeaderField[] = [
  { name: ":status", value: "405" },
  { name: "allow", value: "POST" },
];

export interface CallFields {
  /** Undefined: none. */
  readonly encoding: string | undefined;
  /** In milliseconds; undefined: as long as it takes. */
  readonly timeoutMs: number | undefined;
}

/** Undefined when the request is none of gRPC. @throws CallError */
export function callFields({ method, fields }: RequestHead): CallFields | undefined {
  let isGrpc = false;
  let encoding: string | undefined;
  let timeoutMs: number | undefined;
  for (const { name, value } of fields) {
    if (name === "content-type") isGrpc = CONTENT_TYPE.test(value);
    else if (name === "grpc-encoding") encoding = value;
    else if (name === "grpc-timeout") timeoutMs = timeoutOf(value);
  }
  if (!isGrpc || method !== "POST") return undefined;
  if (encoding !== undefined && !(ENCODINGS as readonly string[]).includes(encoding)) {
    throw new CallError(status.UNIMPLEMENTED, `Unsupported compression: ${encoding.slice(0, 40)}`);
  }
  return { encoding, timeoutMs };
}

/** Proto is what all do by default; others name something that we do not speak. */
const CONTENT_TYPE = /^application\/grpc(\+proto)?\s*(;|$)/i;

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Eight digits at most, and a unit. */
function timeoutOf(value: string): number {
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(value) ?? [];
  if (digits === undefined) {
    throw new CallError(status.INTERNAL, `Invalid grpc-timeout value "${value.slice(0, 40)}"`);
  }
  return Number(digits) * (UNIT_MS[unit] as number);
}

/** What ends a call that has failed; all of its answer when nothing was sent before. */
export function failureFields(failure: Failure, hasHead: boolean): readonly HeaderField[] {
  const { code, details, metadata } = failure;
  const fields = [{ name: "grpc-status", value: String(code) }];
  if (details !== "") fields.push({ name: "grpc-message", value: percentEncoded(details) });
  if (metadata !== undefined) fields.push(...metadataFields(metadata));
  return hasHead ? fields : [...HEAD, ...fields];
}

function metadataFields(metadata: Metadata): HeaderField[] {
  return Object.entries(metadata.toHttp2Headers()).flatMap(([name, values]) =>
    [values].flat().map((value) => ({ name, value: String(value) })),
  );
}

/**
 * All that is not printable ASCII, and the percent sign; spaces where no field may have them, at
 * its beginning and its end (RFC 9113, section 8.2.1).
 */
function percentEncoded(text: string): string {
  let encoded = "";
  const bytes = Buffer.from(text, "utf8");
  for (const [index, byte] of bytes.entries()) {
    const isEdge = index === 0 || index === bytes.length - 1;
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    if (isPlain && !(isEdge && byte === 0x20)) encoded += String.fromCharCode(byte);
    else encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
