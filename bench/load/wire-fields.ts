// Looks at the fields of an encoded message without decoding it: what a load has to know of an
// answer, such as the token of the next page, at the price of a few bytes a field.

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** The contents of every length-delimited field of this number, in order. */
export function* fieldsOf(message: Buffer, number: number): Generator<Buffer> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; at < message.length; scale *= 128) {
      const byte = message[at] ?? 0;
      at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < message.length) {
    const tag = varint();
    const type = tag & 7;
    if (type === VARINT) varint();
    else if (type === FIXED64) at += 8;
    else if (type === FIXED32) at += 4;
    else if (type === LENGTH) {
      const length = varint();
      if (tag >>> 3 === number) yield message.subarray(at, at + length);
      at += length;
    } else throw new Error(`wire type ${type} at ${at}`);
  }
}

export function countOf(message: Buffer, number: number): number {
  let count = 0;
  for (const _ of fieldsOf(message, number)) count += 1;
  return count;
}

/** The last of them: for a field that is not repeated, its value. */
export function lastOf(message: Buffer, number: number): Buffer | undefined {
  let last: Buffer | undefined;
  for (const field of fieldsOf(message, number)) last = field;
  return last;
}
