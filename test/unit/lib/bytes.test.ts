// Keys as latin1: exact, and in byte order.

import test from "ava";
import fc from "fast-check";
import {
  bytesFromLatin1,
  compareBytes,
  copyBytes,
  latin1FromBytes,
} from "../../../server/lib/bytes.js";

const anyBytes = fc.uint8Array({ maxLength: 12 });

test("bytes go to latin1 and come back", (t) => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      t.deepEqual(bytesFromLatin1(latin1FromBytes(bytes)), bytes);
    }),
  );
});

test("latin1 texts sort like their bytes", (t) => {
  fc.assert(
    fc.property(anyBytes, anyBytes, (left, right) => {
      const texts = [latin1FromBytes(left), latin1FromBytes(right)] as const;
      const order = texts[0] < texts[1] ? -1 : texts[0] > texts[1] ? 1 : 0;
      t.is(Math.sign(compareBytes(left, right)), order);
    }),
  );
});

test("a copy of a Buffer shares no memory with it", (t) => {
  const buffer = Buffer.from("abc");
  const copy = copyBytes(buffer);
  buffer[0] = 0;
  t.is(copy[0], 97);
});
