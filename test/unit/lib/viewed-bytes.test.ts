// Copies of every length, from and to any place.

import test from "ava";
import { copyViewed, viewedBytes } from "../../../server/lib/viewed-bytes.js";

test("what is from start to end is copied, and nothing around it", (t) => {
  const source = viewedBytes(Buffer.from(Array.from({ length: 300 }, (_, index) => index & 0xff)));
  for (let length = 0; length <= 200; length += 1) {
    const start = length % 7;
    const to = length % 5;
    const target = viewedBytes(Buffer.alloc(length + 10, 0xee).subarray(1));
    copyViewed(target, to, source, start, start + length);
    const expected = Buffer.alloc(length + 9, 0xee);
    source.bytes.slice(start, start + length).forEach((byte, index) => {
      expected[to + index] = byte;
    });
    t.deepEqual(target.bytes, expected, `${length} bytes`);
  }
});
