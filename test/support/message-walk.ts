// What a message may look like on the wire, by its descriptor: a strict check that shares no code
// with the decoders, and the paths to all fields.

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import {
  END_GROUP,
  FIXED32,
  FIXED64,
  field,
  LENGTH_DELIMITED,
  START_GROUP,
  VARINT,
} from "./wire.js";

class Malformed extends Error {}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Whether the bytes are a message of this type: whole, within its bounds, its texts UTF-8. */
export function isWellFormed(desc: DescMessage, bytes: Uint8Array): boolean {
  try {
    new Walk(bytes).message(desc, bytes.length);
    return true;
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

/** Parsers may stop at groups in groups that are deeper than this. */
const GROUPS_MAX = 90;

class Walk {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  message(desc: DescMessage, end: number): void {
    while (this.#at < end) {
      const { number, wireType } = this.#tag(end);
      const known = desc.fields.find((each) => each.number === number);
      if (known !== undefined && wireType === LENGTH_DELIMITED) this.#known(known, end);
      else this.#skip(number, wireType, end, 0);
    }
  }

  #known(known: DescField, end: number): void {
    const until = this.#lengthDelimited(end);
    const kind = known.fieldKind === "list" ? known.listKind : known.fieldKind;
    if (kind === "message" && known.message !== undefined) {
      this.message(known.message, until);
    } else if (kind === "scalar" && known.scalar === ScalarType.STRING) {
      this.#text(until);
    } else if (known.fieldKind === "list" && kind !== "message" && isPackable(known)) {
      while (this.#at < until) this.#varint(until);
    }
    this.#at = until;
  }

  #text(until: number): void {
    try {
      utf8.decode(this.#bytes.subarray(this.#at, until));
    } catch {
      throw new Malformed("a text is not UTF-8");
    }
  }

  #skip(number: number, wireType: number, end: number, depth: number): void {
    if (wireType === VARINT) this.#varint(end);
    else if (wireType === FIXED64) this.#advance(8, end);
    else if (wireType === FIXED32) this.#advance(4, end);
    else if (wireType === LENGTH_DELIMITED) this.#at = this.#lengthDelimited(end);
    else if (wireType === START_GROUP) this.#group(number, end, depth);
    else throw new Malformed(`wire type ${wireType}`);
  }

  #group(number: number, end: number, depth: number): void {
    if (depth > GROUPS_MAX) throw new Malformed("groups are too deep");
    for (;;) {
      const inner = this.#tag(end);
      if (inner.wireType === END_GROUP) {
        if (inner.number === number) return;
        throw new Malformed("another group ends");
      }
      this.#skip(inner.number, inner.wireType, end, depth + 1);
    }
  }

  #tag(end: number): { number: number; wireType: number } {
    const tag = this.#varint(end);
    const number = Number(tag >> 3n);
    if (number < 1 || number > 2 ** 29 - 1) throw new Malformed(`field number ${number}`);
    return { number, wireType: Number(tag & 7n) };
  }

  #lengthDelimited(end: number): number {
    const length = this.#varint(end);
    if (length > BigInt(end - this.#at)) throw new Malformed("longer than what is around it");
    return this.#at + Number(length);
  }

  #advance(count: number, end: number): void {
    if (this.#at + count > end) throw new Malformed("it ends too early");
    this.#at += count;
  }

  #varint(end: number): bigint {
    let value = 0n;
    for (let index = 0; index < 10; index += 1) {
      if (this.#at >= end) throw new Malformed("it ends too early");
      const byte = this.#bytes[this.#at] as number;
      this.#at += 1;
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return value;
    }
    throw new Malformed("a number does not end");
  }
}

function isPackable(known: DescField): boolean {
  return known.fieldKind === "list" && (known.listKind === "enum" || known.listKind === "scalar");
}

/** A field, by the fields that lead to it from the request. */
export type FieldPath = readonly DescField[];

/** The paths to all fields of a message; no type of message is in a path twice. */
export function fieldPaths(desc: DescMessage, around: readonly DescMessage[] = []): FieldPath[] {
  if (around.includes(desc)) return [];
  return desc.fields.flatMap((each): FieldPath[] => {
    const below = each.message === undefined ? [] : fieldPaths(each.message, [...around, desc]);
    return [[each], ...below.map((path) => [each, ...path])];
  });
}

export function pathText(path: FieldPath): string {
  return path.map(({ name }) => name).join(".");
}

/** The message that has, at the end of the path, these bytes instead of the field. */
export function messageWith(path: FieldPath, bytes: Uint8Array): Uint8Array {
  return path
    .slice(0, -1)
    .reduceRight((inner: Uint8Array, around) => field(around.number, inner), bytes);
}

export function lastOf(path: FieldPath): DescField {
  return path.at(-1) as DescField;
}
