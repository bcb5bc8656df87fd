// CRC-32C against the published values, and over pieces.

import test from "ava";
import { crc32c } from "../../../server/lib/crc32c.js";
import { viewOf } from "../../../server/lib/viewed-bytes.js";

const crcOf = (bytes: Uint8Array) => crc32c(viewOf(bytes), 0, bytes.length);

test("the CRCs of RFC 3720 come out", (t) => {
  t.is(crcOf(Buffer.from("123456789")), 0xe3069283);
  t.is(crcOf(Buffer.alloc(32)), 0x8a9136aa);
  t.is(crcOf(Buffer.alloc(32, 0xff)), 0x62a8ab43);
  t.is(crcOf(Buffer.from(Array.from({ length: 32 }, (_, index) => index))), 0x46dd794e);
});

test("a CRC goes on over pieces of any length, from any place", (t) => {
  const bytes = Buffer.from(Array.from({ length: 100 }, (_, index) => (index * 37) & 0xff));
  const view = viewOf(bytes);
  const whole = crcOf(bytes.subarray(3, 97));
  for (let cut = 3; cut <= 97; cut += 1) {
    t.is(crc32c(view, cut, 97, crc32c(view, 3, cut)), whole);
  }
});
