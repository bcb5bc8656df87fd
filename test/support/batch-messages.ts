// Batches as bytes for property tests: what clients send, what they could send as well, and what
// no client should. Few keys, so that they meet, and lengths around the limits of ODD_LIMITS.

import fc from "fast-check";
import { defaultLimits } from "../../server/kv/limits.js";
import {
  concat,
  FIXED32,
  FIXED64,
  field,
  group,
  LENGTH_DELIMITED,
  tag,
  VARINT,
  varint,
  varintField,
} from "./wire.js";

/** So small that random batches reach them. */
export const ODD_LIMITS = defaultLimits({
  keyMaxBytes: 8,
  valueMaxBytes: 200,
  batchMaxOperations: 13,
  responseMaxBytes: 1600,
});

const keyBytes = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("a", "b", "ab", "é", "日本", "\u{1f600}") },
  fc.constantFrom("", "12345678", "123456789"),
);
const oddBytes = fc.constantFrom("ff", "61ff", "c080", "eda080", "f4908080", "e697", "c3a9");
const rawBytes = fc.oneof(
  { weight: 2, arbitrary: keyBytes.map((text) => Buffer.from(text)) },
  oddBytes.map((text) => Buffer.from(text, "hex")),
);
const valueBytes = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0, 1, 5, 64, 127, 128) },
  fc.constantFrom(199, 200, 200, 201),
);
const value = valueBytes.map((length) => Buffer.alloc(length, "v"));

/** A varint that is longer than it need be. */
export function padded(number: number | bigint, zeros: number): Uint8Array {
  const bytes = Buffer.from(varint(number));
  if (zeros === 0) return bytes;
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] as number) | 0x80;
  return concat(bytes, Buffer.alloc(zeros - 1, 0x80), Buffer.of(0));
}

const zeros = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  fc.constantFrom(1, 2, 3, 4, 5, 8, 9),
);

/** A field with a payload whose length may be longer than it need be. */
const lengthField = (number: number, payload: fc.Arbitrary<Uint8Array>) =>
  fc
    .tuple(payload, zeros)
    .map(([bytes, more]) =>
      concat(tag(number, LENGTH_DELIMITED), padded(bytes.length, more), bytes),
    );

const numberField = (number: number, values: readonly bigint[]) =>
  fc
    .tuple(fc.constantFrom(...values), zeros)
    .map(([one, more]) => concat(tag(number, VARINT), padded(one, one < 0n ? 0 : more)));

const key = lengthField(
  1,
  keyBytes.map((text) => Buffer.from(text)),
);
const rawKey = lengthField(2, rawBytes);
const anyKey = fc.oneof({ weight: 3, arbitrary: key }, rawKey);

/** A text that is none, a field that nobody knows, one of the wrong wire type. */
const odd = fc.oneof(
  lengthField(
    1,
    oddBytes.map((text) => Buffer.from(text, "hex")),
  ),
  fc.constantFrom(
    varintField(1, 5),
    varintField(3, 5),
    varintField(77, 5),
    field(9, "unknown"),
    field(1000, Buffer.alloc(3)),
    concat(tag(2, FIXED32), Buffer.alloc(4)),
    concat(tag(3, FIXED64), Buffer.alloc(8)),
    group(4, varintField(1, 2), field(2, "in a group")),
    tag(4, 4),
    Buffer.of(0),
  ),
);

const REVISIONS = [0n, 1n, 2n, 3n, 5n, 9n, 1000n, -1n, 2n ** 53n];

const getOptions = numberField(3, REVISIONS);
const putOptions = fc.oneof(
  lengthField(3, value),
  fc.constantFrom(1, 30, 0).map((seconds) => field(4, varintField(1, seconds))),
  numberField(5, [0n, 7n, -8n, 404n]),
  numberField(6, [0n, 1n]),
  numberField(7, REVISIONS),
  numberField(8, [0n, 1n]),
);
const deleteOptions = fc.oneof(
  lengthField(
    3,
    keyBytes.map((text) => Buffer.from(text)),
  ),
  lengthField(4, rawBytes),
  fc.constant(field(5, field(1, field(1, "a")))),
  numberField(6, [0n, 1n]),
  numberField(7, [0n, 1n, 2n, -1n]),
  numberField(8, REVISIONS),
  numberField(9, [0n, 1n]),
);

/** As a client writes it: the key, then a value. */
const plain = fc.oneof(
  anyKey.map((bytes) => field(1, bytes)),
  fc.tuple(anyKey, lengthField(3, value)).map((parts) => field(2, concat(...parts))),
  anyKey.map((bytes) => field(2, bytes)),
  anyKey.map((bytes) => field(3, bytes)),
);

/** Fields in any order, repeated, none. */
const member = (number: number, options: fc.Arbitrary<Uint8Array>) =>
  lengthField(
    number,
    fc
      .array(
        fc.oneof(
          { weight: 6, arbitrary: anyKey },
          { weight: 6, arbitrary: options },
          { weight: 1, arbitrary: odd },
        ),
        { maxLength: 4 },
      )
      .map((parts) => concat(...parts)),
  );

const anyMember = fc.oneof(
  { weight: 3, arbitrary: plain },
  member(1, getOptions),
  member(2, putOptions),
  member(3, deleteOptions),
);

const operation = fc.oneof(
  { weight: 8, arbitrary: plain },
  { weight: 6, arbitrary: anyMember },
  fc
    .array(fc.oneof({ weight: 4, arbitrary: anyMember }, odd), { maxLength: 3 })
    .map((parts) => concat(...parts)),
);

const IDS = [0n, 1n, 127n, 128n, 2n ** 31n, 2n ** 53n, 2n ** 63n - 1n, -1n, -(2n ** 63n)];

/** A message with operations in this field and, where there is one, an id in that. */
export function batchMessage(fields: {
  readonly operations: number;
  readonly id?: number;
}): fc.Arbitrary<Uint8Array> {
  const operations = lengthField(fields.operations, operation);
  const { id } = fields;
  const ids = id === undefined ? [] : [{ weight: 3, arbitrary: numberField(id, IDS) }];
  const part = fc.oneof({ weight: 60, arbitrary: operations }, ...ids, {
    weight: 1,
    arbitrary: odd,
  });
  return fc.array(part, { maxLength: 14, size: "max" }).map((parts) => concat(...parts));
}

/** The same bytes with some of them changed, gone, or more than they were. */
export function damaged(message: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    place: fc.nat(),
    byte: fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x1a), fc.nat(255)),
    kind: fc.constantFrom("set", "flip", "remove", "insert"),
  });
  return fc
    .tuple(message, fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([bytes, edits]) => edits.reduce(edited, bytes));
}

function edited(
  bytes: Uint8Array,
  { place, byte, kind }: { place: number; byte: number; kind: string },
): Uint8Array {
  const at = place % (bytes.length + 1);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at + 1);
  if (kind === "remove") return concat(before, after);
  if (kind === "insert") return concat(before, Buffer.of(byte), bytes.subarray(at));
  const old = bytes[at];
  if (old === undefined) return bytes;
  return concat(before, Buffer.of(kind === "flip" ? old ^ (1 << (byte % 8)) : byte), after);
}
