// Protobuf's wire format by hand, for messages that no generated code would write.

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const START_GROUP = 3;
export const END_GROUP = 4;
export const FIXED32 = 5;

/** As many bytes as it needs; negative numbers take ten, as in protobuf. */
export function varint(value: bigint | number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}

export function tag(number: number, wireType: number): Uint8Array {
  return varint(BigInt(number) * 8n + BigInt(wireType));
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

export function varintField(number: number, value: bigint | number): Uint8Array {
  return concat(tag(number, VARINT), varint(value));
}

/** A text, bytes, or a message. */
export function field(number: number, payload: string | Uint8Array): Uint8Array {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "utf8") : payload;
  return concat(tag(number, LENGTH_DELIMITED), varint(bytes.length), bytes);
}

/** A field whose length says something else than what follows. */
export function fieldOfLength(
  number: number,
  length: bigint | number,
  payload: Uint8Array,
): Uint8Array {
  return concat(tag(number, LENGTH_DELIMITED), varint(length), payload);
}

export function group(number: number, ...fields: readonly Uint8Array[]): Uint8Array {
  return concat(tag(number, START_GROUP), ...fields, tag(number, END_GROUP));
}

/** What can be made around nothing, so many times; built from the inside, at linear cost. */
export function nested(levels: number, numbers: readonly number[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let level = levels; level > 0; level -= 1) {
    for (const number of numbers.toReversed()) {
      const size = varint(length);
      parts.push(size, tag(number, LENGTH_DELIMITED));
      length += size.length + tag(number, LENGTH_DELIMITED).length;
    }
  }
  return Buffer.concat(parts.reverse());
}
