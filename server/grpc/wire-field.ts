// One field of an encoded message: where it is, and where it ends. Of its payload it looks at a
// length, and into a group.
//
// Strict where a decoder is lenient: the number 0, wire types that there are none of, varints that
// do not end, groups that do not close and payloads that reach beyond the message around them are
// no fields.

const VARINT = 0;
const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const FIXED32 = 5;

export interface WireField {
  readonly number: number;
  readonly wireType: number;
  /** Of the payload. */
  readonly start: number;
  /** Where the next field begins. */
  readonly end: number;
}

const FIELD_NUMBER_MAX = 2 ** 29 - 1;

/** The field that begins at `at` in a message that ends at `end`; undefined when it is none. */
export function wireFieldAt(bytes: Uint8Array, at: number, end: number): WireField | undefined {
  const field = partAt(bytes, at, end);
  if (field === undefined || field.wireType === END_GROUP) return undefined;
  if (field.wireType !== START_GROUP) return field;
  const groupEnd = endOfGroup(bytes, field, end);
  return groupEnd === undefined ? undefined : { ...field, end: groupEnd };
}

/** Where a group ends, with all groups in it. */
function endOfGroup(bytes: Uint8Array, group: WireField, end: number): number | undefined {
  const open = [group.number];
  let at = group.start;
  while (open.length > 0) {
    const part = partAt(bytes, at, end);
    if (part === undefined) return undefined;
    if (part.wireType === START_GROUP) open.push(part.number);
    if (part.wireType === END_GROUP && open.pop() !== part.number) return undefined;
    at = part.end;
  }
  return at;
}

/** A field, or the beginning or the end of a group, whose payload is taken to be empty. */
function partAt(bytes: Uint8Array, at: number, end: number): WireField | undefined {
  const tag = varintAt(bytes, at, end);
  if (tag === undefined) return undefined;
  const number = Math.floor(tag.value / 8);
  const wireType = tag.value % 8;
  if (number === 0 || number > FIELD_NUMBER_MAX) return undefined;
  const payload = payloadAt(bytes, tag.next, end, wireType);
  if (payload === undefined || payload.end > end) return undefined;
  return { number, wireType, start: payload.start, end: payload.end };
}

function payloadAt(bytes: Uint8Array, at: number, end: number, wireType: number) {
  switch (wireType) {
    case VARINT: {
      const value = varintAt(bytes, at, end);
      return value && { start: at, end: value.next };
    }
    case FIXED64:
      return { start: at, end: at + 8 };
    case FIXED32:
      return { start: at, end: at + 4 };
    case LENGTH_DELIMITED: {
      const length = varintAt(bytes, at, end);
      return length && { start: length.next, end: length.next + length.value };
    }
    case START_GROUP:
    case END_GROUP:
      return { start: at, end: at };
    default:
      return undefined;
  }
}

/** A varint of at most 10 bytes, exact up to 2^53; undefined when it does not end. */
function varintAt(bytes: Uint8Array, at: number, end: number) {
  let value = 0;
  let factor = 1;
  for (let index = at; index < end && index < at + 10; index += 1) {
    const byte = bytes[index] as number;
    value += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) return { value, next: index + 1 };
  }
  return undefined;
}
