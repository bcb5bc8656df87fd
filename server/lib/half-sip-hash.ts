// HalfSipHash-1-3 with 32 bits of output: a hash under a secret, so that who does not know it
// cannot choose keys that collide. SipHash is by Aumasson and Bernstein (2012); the variant for
// 32-bit words is Aumasson's (2016, github.com/veorq/SipHash, CC0), and with these rounds it is
// what Linux keys its tables with on 32-bit machines.

/** Two words of 32 bits. */
export type HashSeed = readonly [number, number];

const FINAL_ROUNDS = 3;

/** The hash of bytes[start, end) as a signed number of 32 bits: a small integer to V8. */
export function halfSipHash(bytes: Uint8Array, start: number, end: number, seed: HashSeed): number {
  const [k0, k1] = seed;
  let v0 = k0 | 0;
  let v1 = k1 | 0;
  let v2 = k0 ^ 0x6c796765;
  let v3 = k1 ^ 0x74656462;
  let index = start;
  // One round a word; the last word of the message is its tail; the final rounds take no word.
  for (let round = ((end - start) >>> 2) + 1 + FINAL_ROUNDS; round > 0; round -= 1) {
    let word = 0;
    if (round > FINAL_ROUNDS + 1) {
      word =
        (bytes[index] as number) |
        ((bytes[index + 1] as number) << 8) |
        ((bytes[index + 2] as number) << 16) |
        ((bytes[index + 3] as number) << 24);
      index += 4;
    } else if (round === FINAL_ROUNDS + 1) {
      word = lastWord(bytes, start, end);
    } else if (round === FINAL_ROUNDS) {
      v2 ^= 0xff;
    }
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}

/** What is left behind whole words, and the length modulo 256 in the highest byte. */
function lastWord(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let word = length << 24;
  for (let left = length & 3; left > 0; left -= 1) {
    word |= (bytes[end - (length & 3) + left - 1] as number) << (8 * (left - 1));
  }
  return word;
}
