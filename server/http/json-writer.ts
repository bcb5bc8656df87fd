// The JSON of a message that is served, straight from the message: the names of the proto, bytes as
// base64, 64-bit numbers as texts, enums by name; what has its default is left out.
//
// How a field is found and written is worked out once for each type of message, by its descriptor.
// The text is counted before it is made, so that no answer takes more than its room.

import {
  create,
  type DescField,
  type DescMessage,
  type DescOneof,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { KvdError } from "../kv/errors.js";
import { LONGS } from "./json-text.js";

/** Of a message as the generated code that is served has it. @throws KvdError. */
export function jsonOf(message: unknown, desc: DescMessage, maxBytes: number): string {
  return messageWriter(desc)(message, new Room(maxBytes));
}

class Room {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#maxBytes) return;
    const text = `the answer has more than ${this.#maxBytes} bytes of JSON`;
    throw new KvdError("RESULT_TOO_LARGE", `${text}: ask for less at a time, or over gRPC`);
  }
}

type Write<Value = unknown> = (value: Value, room: Room) => string;

interface FieldWriter {
  /** Quoted, with its colon. */
  readonly name: string;
  /** Undefined: left out. */
  readonly valueIn: (message: object) => unknown;
  readonly write: Write;
}

const writers = new WeakMap<DescMessage, Write>();

function messageWriter(desc: DescMessage): Write {
  const written = writers.get(desc);
  if (written !== undefined) return written;
  const fields: FieldWriter[] = [];
  const write = desc.typeName.startsWith("google.protobuf.")
    ? standardWriter(desc)
    : objectWriter(fields);
  // Before its fields, which may have it in them.
  writers.set(desc, write as Write);
  for (const field of desc.fields) fields.push(fieldWriter(field));
  return write as Write;
}

function objectWriter(fields: readonly FieldWriter[]): Write<object> {
  return (message, room) => {
    let text = "";
    for (const { name, valueIn, write } of fields) {
      const value = valueIn(message);
      if (value === undefined) continue;
      room.take(name.length + 1);
      text += `${text === "" ? "" : ","}${name}${write(value, room)}`;
    }
    room.take(2);
    return `{${text}}`;
  };
}

/** Durations and the like are short, and have a JSON of their own. */
function standardWriter(desc: DescMessage): Write<object> {
  return (message, room) =>
    counted(JSON.stringify(toJson(desc, create(desc, { ...message }))), room);
}

function fieldWriter(field: DescField): FieldWriter {
  const name = `${JSON.stringify(field.name)}:`;
  return { name, valueIn: valueFinder(field), write: valueWriter(field) };
}

function valueFinder(field: DescField): FieldWriter["valueIn"] {
  const { localName, oneof, presence } = field;
  if (oneof !== undefined) return (message) => chosen(message, oneof, localName);
  const isKept =
    presence === Presence.IMPLICIT ? (value: unknown) => !isDefault(value) : () => true;
  return (message) => {
    const value: unknown = Reflect.get(message, localName);
    return isKept(value) ? value : undefined;
  };
}

interface Choice {
  readonly $case: string;
  readonly value: unknown;
}

function chosen(message: object, oneof: DescOneof, name: string): unknown {
  const choice: Choice | undefined = Reflect.get(message, oneof.localName);
  return choice?.$case === name ? choice.value : undefined;
}

function isDefault(value: unknown): boolean {
  if (typeof value !== "object") return !value;
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length === 0;
  return value === null || Object.keys(value).length === 0;
}

function valueWriter(field: DescField): Write {
  switch (field.fieldKind) {
    case "list":
      return listWriter(singleWriter(field)) as Write;
    case "map":
      return mapWriter(singleWriter(field)) as Write;
    default:
      return singleWriter(field);
  }
}

function singleWriter({ message, enum: ofNames, scalar }: DescField): Write {
  if (message !== undefined) return lazily(message);
  if (ofNames !== undefined) {
    return (value, room) => {
      const name = ofNames.value[value as number]?.name;
      return counted(JSON.stringify(name ?? value), room);
    };
  }
  if (scalar === ScalarType.BYTES) return writeBytes as Write;
  if (LONGS.has(scalar)) return (value, room) => counted(`"${value}"`, room);
  return (value, room) => counted(JSON.stringify(value), room);
}

/** Types of messages may have each other in them. */
function lazily(message: DescMessage): Write {
  let write: Write | undefined;
  return (value, room) => {
    write ??= messageWriter(message);
    return write(value, room);
  };
}

function writeBytes(value: Uint8Array, room: Room): string {
  room.take(Math.ceil(value.length / 3) * 4 + 2);
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return `"${bytes.toString("base64")}"`;
}

function listWriter(write: Write): Write<readonly unknown[]> {
  return (list, room) => {
    room.take(list.length + 1);
    let text = "";
    for (const value of list) text += `${text === "" ? "" : ","}${write(value, room)}`;
    return `[${text}]`;
  };
}

function mapWriter(write: Write): Write<Readonly<Record<string, unknown>>> {
  return (map, room) => {
    const entries = Object.entries(map).map(([key, value]) => {
      return `${counted(JSON.stringify(key), room)}:${write(value, room)}`;
    });
    room.take(2 * entries.length + 2);
    return `{${entries.join(",")}}`;
  };
}

function counted(text: string, room: Room): string {
  room.take(text.length);
  return text;
}
