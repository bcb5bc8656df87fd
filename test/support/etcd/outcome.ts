// What a call came to, in a form that can be compared and printed: texts, numbers, lists and
// fields. Of a header only the revision counts, and which of the other fields are set.

import type { ServiceError } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";

export type Plain =
  | string
  | number
  | boolean
  | readonly Plain[]
  | { readonly [field: string]: Plain };

export interface Outcome {
  readonly reply?: Plain;
  readonly error?: { readonly code: string; readonly text: string };
  /** Seconds that a lease has left: they go by. */
  readonly remaining?: number;
}

export function outcomeOf(reply: unknown): Outcome {
  return { reply: plain(reply) };
}

export function outcomeOfError({ code, details }: ServiceError): Outcome {
  return { error: { code: status[code] ?? `${code}`, text: details } };
}

export function plain(value: unknown): Plain {
  if (typeof value === "bigint") return `${value}`;
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString("hex")}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) return plainFields(value);
  if (typeof value === "string" || typeof value === "number") return value;
  return value === true;
}

function plainFields(value: object): Plain {
  const fields: Record<string, Plain> = {};
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined) continue;
    fields[name] = name === "header" ? plainHeader(field) : plain(field);
  }
  return fields;
}

interface Header {
  readonly revision: bigint | string;
  /** Of a header that was made plain before. */
  readonly from?: string;
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly raftTerm: bigint;
}

function plainHeader({ revision, clusterId, memberId, raftTerm, ...done }: Header): Plain {
  if (done.from !== undefined) return { revision: `${revision}`, from: done.from };
  const from = [clusterId, memberId, raftTerm].map((id) => (id === 0n ? "-" : "+")).join("");
  return { revision: `${revision}`, from };
}

/** The whole of it, for comparing. */
export function textOf(value: unknown): string {
  return JSON.stringify(plain(value));
}

const SHOWN_MAX = 6_000;

/** Without the fields that are not set. */
export function shown(value: unknown): string {
  const text = JSON.stringify(plain(value), (_, field) => (isUnset(field) ? undefined : field));
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

function isUnset(field: Plain): boolean {
  return field === "0" || field === "x" || field === false || field === 0;
}

/** Whether two outcomes are the same, but for the time that goes by between two calls. */
export function isSame(one: Outcome, other: Outcome): boolean {
  return (
    JSON.stringify([one.reply, one.error]) === JSON.stringify([other.reply, other.error]) &&
    Math.abs((one.remaining ?? 0) - (other.remaining ?? 0)) <= TOLERANCE_SECONDS
  );
}

/** Two servers are asked at the same time; the machine may be busy. */
const TOLERANCE_SECONDS = 10;
