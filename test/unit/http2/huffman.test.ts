// The Huffman code of HPACK: every symbol, every end that is allowed, and those that are not.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import fc from "fast-check";
import { decodeHuffman } from "../../../server/http2/huffman.js";
import { bitBytes, EOS, HUFFMAN_BITS, huffmanBytes } from "../../support/http2/huffman-codes.js";

function decoded(bytes: Uint8Array): string | undefined {
  return decodeHuffman(bytes, 0, bytes.length);
}

test("each symbol has the code of RFC 7541, appendix B", (t) => {
  for (let symbol = 0; symbol < EOS; symbol += 1) {
    t.is(decoded(huffmanBytes([symbol])), String.fromCharCode(symbol), `symbol ${symbol}`);
  }
});

test("each two symbols in a row are told apart", (t) => {
  for (let first = 0; first < EOS; first += 1) {
    const rest = Array.from({ length: EOS }, (_, symbol) => [first, symbol]).flat();
    t.is(decoded(huffmanBytes(rest)), String.fromCharCode(...rest));
  }
});

test("texts of any bytes are read", (t) => {
  const run = (bytes: Uint8Array) =>
    decoded(huffmanBytes(bytes)) === Buffer.from(bytes).toString("latin1");
  t.notThrows(() => fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), run)));
});

test("only the part that is asked for is read", (t) => {
  const code = huffmanBytes(Buffer.from("www.example.com"));
  const around = Buffer.concat([Buffer.from([0xff, 0x00]), code, Buffer.from([0x00])]);
  t.is(decodeHuffman(around, 2, 2 + code.length), "www.example.com");
});

test("a text takes a byte for each character, though nobody has looked into it", (t) => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  const code = huffmanBytes(Buffer.alloc(4000, "a"));
  gc();
  const before = process.memoryUsage().heapUsed;
  const texts = Array.from({ length: 200 }, () => decoded(code));
  gc();
  const bytes = (process.memoryUsage().heapUsed - before) / texts.length;
  t.true(bytes < 8000, `${bytes}`);
});

test("texts longer than most are read", (t) => {
  for (const length of [818, 819, 820, 1638, 50_000]) {
    const bytes = Buffer.alloc(length, "0a1e2i");
    t.is(decoded(huffmanBytes(bytes)), bytes.toString("latin1"));
  }
});

test("no bytes are an empty text", (t) => {
  t.is(decoded(Buffer.alloc(0)), "");
});

test("padding of up to seven ones ends a text, and no other", (t) => {
  const endings = { 5: "a", 6: " ", 7: "B", 8: "&" } as const;
  for (const [bits, text] of Object.entries(endings)) {
    const code = HUFFMAN_BITS[text.charCodeAt(0)] ?? "";
    t.is(code.length, Number(bits));
    t.is(decoded(bitBytes(code)), text);
    if (code.length === 8) continue;
    t.is(decoded(bitBytes(code, "0")), undefined, `${text} and zeros`);
    t.is(decoded(bitBytes(`${code}${"1".repeat(7 - code.length)}0`)), undefined, "a zero last");
  }
});

test("padding of a byte or more is none", (t) => {
  t.is(decoded(Buffer.from([0xff])), undefined);
  const whole = bitBytes(HUFFMAN_BITS["&".charCodeAt(0)] ?? "");
  t.is(decoded(whole), "&");
  t.is(decoded(Buffer.concat([whole, Buffer.from([0xff])])), undefined);
  t.is(decoded(Buffer.concat([bitBytes("00011"), Buffer.from([0xff])])), undefined);
});

test("EOS in a text is refused, wherever it stands", (t) => {
  const eos = HUFFMAN_BITS[EOS] ?? "";
  for (const before of ["", "a", "ab", "abc", "&", "&a"]) {
    const bits = [...before].map((each) => HUFFMAN_BITS[each.charCodeAt(0)]).join("");
    t.is(decoded(bitBytes(bits + eos)), undefined, `after ${before}`);
    t.is(decoded(bitBytes(`${bits}${eos}00011`)), undefined, `between ${before} and a`);
  }
});

test("a code that breaks off is refused unless it looks like padding", (t) => {
  for (let symbol = 0; symbol < EOS; symbol += 1) {
    const bits = HUFFMAN_BITS[symbol] ?? "";
    for (let cut = 8; cut < bits.length; cut += 8) {
      t.is(decoded(bitBytes(bits.slice(0, cut))), undefined, `${cut} bits of symbol ${symbol}`);
    }
  }
});
