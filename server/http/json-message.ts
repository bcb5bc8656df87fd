// From JSON to the message that a method's handler gets, by way of its encoded bytes: so a request
// passes the same decoder, with its limits and checks, as one that comes over gRPC.
//
// Unknown fields are ignored, as the protocol's gateway does; an unknown name of an enum is not.
// 64-bit numbers may be texts or numbers, and numbers keep all their digits.

import {
  type DescField,
  type DescMessage,
  type DescMethod,
  fromJson,
  type JsonValue,
  toBinary,
} from "@bufbuild/protobuf";
import type { AnsweringMethod, Decoded } from "../grpc/codec.js";
import { KvdError } from "../kv/errors.js";
import { LONGS, parseJson } from "./json-text.js";

/** A method as it is served: its codecs take and give whatever its handler does. */
export type ServedMethod = AnsweringMethod<Decoded<unknown>, unknown>;

export function requestFromJson(
  text: string,
  { input }: DescMethod,
  { requestDeserialize }: ServedMethod,
): Decoded<unknown> {
  let bytes: Uint8Array;
  try {
    bytes = toBinary(input, fromJson(input, known(parseJson(text), input)));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return { ok: false, error: new KvdError("MALFORMED", why, {}, { cause }) };
  }
  return requestDeserialize(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/** Without the fields that the message does not have. */
function known(json: JsonValue, message: DescMessage): JsonValue {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  const kept: Record<string, JsonValue> = {};
  for (const field of message.fields) {
    for (const name of new Set([field.name, field.jsonName])) {
      const value = Object.hasOwn(json, name) ? json[name] : undefined;
      if (value !== undefined) kept[name] = knownOf(field, value);
    }
  }
  return kept;
}

function knownOf(field: DescField, value: JsonValue): JsonValue {
  if (field.fieldKind === "map") return value;
  if (field.fieldKind === "list" && Array.isArray(value)) {
    return value.map((each) => singleOf(field, each));
  }
  return singleOf(field, value);
}

function singleOf(field: DescField, value: JsonValue): JsonValue {
  if (field.message !== undefined) return known(value, field.message);
  if (LONGS.has(field.scalar) && typeof value === "string" && !INTEGER.test(value)) {
    throw new Error(`${field.name}: ${JSON.stringify(value.slice(0, 100))} is not a whole number`);
  }
  return value;
}

/** Parsers of numbers take more: none, spaces, other bases. */
const INTEGER = /^-?\d+$/;
