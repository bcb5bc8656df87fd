// What is UTF-8, as Node's own check says.

import { isUtf8 as nodeSays } from "node:buffer";
import test from "ava";
import fc from "fast-check";
import { isUtf8 } from "../../../server/lib/utf8.js";
import { viewedBytes } from "../../../server/lib/viewed-bytes.js";

/** Between bytes that are none, and that must not be looked at. */
function says(bytes: Uint8Array): boolean {
  const source = viewedBytes(Buffer.concat([Buffer.of(0xff), bytes, Buffer.of(0x80)]));
  return isUtf8(source, 1, 1 + bytes.length);
}

test("one byte and two bytes are UTF-8 where Node says so", (t) => {
  const wrong: number[] = [];
  for (let pair = 0; pair < 0x1_0000; pair += 1) {
    const two = Buffer.of(pair >> 8, pair & 0xff);
    const one = two.subarray(1);
    if (says(two) !== nodeSays(two) || says(one) !== nodeSays(one)) wrong.push(pair);
  }
  t.deepEqual(wrong, []);
});

test("every start of three and four bytes is UTF-8 where Node says so", (t) => {
  const wrong: string[] = [];
  const ends = [0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff];
  for (let lead = 0xc0; lead <= 0xff; lead += 1) {
    for (let second = 0; second <= 0xff; second += 1) {
      for (const third of ends) {
        for (const fourth of ends) {
          const four = Buffer.of(lead, second, third, fourth);
          const three = four.subarray(0, 3);
          if (says(four) !== nodeSays(four)) wrong.push(four.toString("hex"));
          if (says(three) !== nodeSays(three)) wrong.push(three.toString("hex"));
        }
      }
    }
  }
  t.deepEqual(wrong, []);
});

test("texts are UTF-8, and what is left of them when a byte changes is what Node says", (t) => {
  const text = fc.string({ unit: "binary", maxLength: 20 }).map((each) => Buffer.from(each));
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(255), (bytes, place, byte) => {
      const changed = Buffer.from(bytes);
      changed[place % (bytes.length + 1)] = byte;
      const cut = bytes.subarray(0, place % (bytes.length + 1));
      return says(bytes) && [changed, cut].every((each) => says(each) === nodeSays(each));
    }),
    { numRuns: 5000 },
  );
  t.pass();
});
