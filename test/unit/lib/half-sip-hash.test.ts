// HalfSipHash against a slow one in big integers, which is checked with the published vectors.

import test from "ava";
import fc from "fast-check";
import { halfSipHash } from "../../../server/lib/half-sip-hash.js";

const word = (value: bigint) => BigInt.asUintN(32, value);
const turned = (value: bigint, by: bigint) => word((value << by) | (value >> (32n - by)));

/** After the description of SipHash, with words of 32 bits. */
function slowHash(
  bytes: Uint8Array,
  [k0, k1]: readonly [number, number],
  rounds: { readonly each: number; readonly last: number },
): number {
  const low = word(BigInt(k0));
  const high = word(BigInt(k1));
  const v = { a: low, b: high, c: low ^ 0x6c796765n, d: high ^ 0x74656462n };
  const round = () => {
    v.a = word(v.a + v.b);
    v.c = word(v.c + v.d);
    v.b = turned(v.b, 5n) ^ v.a;
    v.d = turned(v.d, 8n) ^ v.c;
    v.a = turned(v.a, 16n);
    v.c = word(v.c + v.b);
    v.a = word(v.a + v.d);
    v.b = turned(v.b, 13n) ^ v.c;
    v.d = turned(v.d, 7n) ^ v.a;
    v.c = turned(v.c, 16n);
  };
  const padded = Buffer.alloc(4 * (Math.floor(bytes.length / 4) + 1));
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length & 0xff;
  for (let at = 0; at < padded.length; at += 4) {
    const next = BigInt(padded.readUInt32LE(at));
    v.d ^= next;
    for (let count = 0; count < rounds.each; count += 1) round();
    v.a ^= next;
  }
  v.c ^= 0xffn;
  for (let count = 0; count < rounds.last; count += 1) round();
  return Number(BigInt.asIntN(32, v.b ^ v.d));
}

test("the slow hash gives what is published for HalfSipHash-2-4", (t) => {
  const published = [
    0x5b9f35a9, 0xb85a4727, 0x03a662fa, 0x04e7fe8a, 0x89466e2a, 0x69b6fac5, 0x23fc6358, 0xc563cf8b,
    0x8f84b8d0, 0x79e706f8, 0x3479b094, 0x50300808, 0x2f87f057, 0xff63e677, 0x7cf8ffd6, 0x972bfe74,
  ];
  for (const [length, expected] of published.entries()) {
    const bytes = Uint8Array.from({ length }, (_, index) => index);
    const found = slowHash(bytes, [0x03020100, 0x07060504], { each: 2, last: 4 });
    t.is(found, expected | 0, `of ${length} bytes`);
  }
});

test("the hash is HalfSipHash-1-3, of whatever part of bytes under whatever secret", (t) => {
  const uint32 = fc.integer({ min: 0, max: 0xffffffff });
  const property = fc.property(
    fc.uint8Array({ maxLength: 300 }),
    fc.nat(20),
    fc.tuple(uint32, uint32),
    (bytes, before, seed) => {
      const start = Math.min(before, bytes.length);
      const expected = slowHash(bytes.subarray(start), seed, { each: 1, last: 3 });
      return halfSipHash(bytes, start, bytes.length, seed) === expected;
    },
  );
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});
