// Writes fields of answers where they belong, into a buffer that is large enough: for the few
// answers that have an encoder of their own (bench: get, put).
//
// Each function gives the place behind what it has written. Fields that have their default are left
// out, as proto3 wants it.

export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

export function writeVarint(buffer: Buffer, at: number, value: number): number {
  let place = at;
  let rest = value;
  while (rest >= 0x80) {
    buffer[place] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
    place += 1;
  }
  buffer[place] = rest;
  return place + 1;
}

/** A number of 0 or more in a field of an int64; numbers of fields are below 16. */
export function writeNumber(buffer: Buffer, at: number, field: number, value: number): number {
  if (value === 0) return at;
  buffer[at] = field << 3;
  return writeVarint(buffer, at + 1, value);
}

/** The tag and the length of a field that is bytes, a text or a message. */
export function writeLength(buffer: Buffer, at: number, field: number, length: number): number {
  buffer[at] = (field << 3) | 2;
  return writeVarint(buffer, at + 1, length);
}

export function writeBytes(buffer: Buffer, at: number, field: number, bytes: Uint8Array): number {
  const start = writeLength(buffer, at, field, bytes.length);
  buffer.set(bytes, start);
  return start + bytes.length;
}

/** What a field with a number takes. */
export function numberBytes(value: number): number {
  return value === 0 ? 0 : 1 + varintBytes(value);
}

/** What a field with so many bytes takes. */
export function bytesFieldBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}
