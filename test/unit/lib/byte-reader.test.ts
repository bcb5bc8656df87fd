// Numbers and bytes are read as they were written, and what nobody could have written is refused.

import test from "ava";
import { ByteReader } from "../../../server/lib/byte-reader.js";
import { ByteWriter } from "../../../server/lib/byte-writer.js";

test("numbers come back as they were written", (t) => {
  const numbers = Array.from({ length: 54 }, (_, bits) => 2 ** bits - 1).flatMap((n) => [n, n - 1]);
  for (const number of numbers.filter((each) => each >= 0)) {
    const writer = new ByteWriter(1);
    writer.varint(number);
    const reader = new ByteReader(writer.take());
    t.is(reader.varint(), number);
    t.true(reader.done);
  }
});

test("a number that is too large, too long or cut is none", (t) => {
  for (let length = 1; length < 400; length += 1) {
    const bytes = Buffer.alloc(length, 0x80);
    t.throws(() => new ByteReader(bytes).varint(), { instanceOf: RangeError });
    for (const last of length < 9 ? [0] : [0, 1, 0x7f]) {
      const ended = Buffer.concat([bytes, Buffer.from([last])]);
      t.throws(() => new ByteReader(ended).varint(), { instanceOf: RangeError }, `${length}`);
    }
  }
});

test("nothing is read beyond the end", (t) => {
  for (const length of [4, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    t.throws(() => new ByteReader(Buffer.alloc(3)).raw(length), { instanceOf: RangeError });
  }
  t.throws(() => new ByteReader(Buffer.alloc(3)).uint32(), { instanceOf: RangeError });
  t.throws(() => new ByteReader(Buffer.alloc(7)).int64(), { instanceOf: RangeError });
});
