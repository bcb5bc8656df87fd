// Reading header blocks: the examples of RFC 7541's appendix C, what no block may be, and random
// blocks of an encoder that uses every form there is.

import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { HpackDecoder, HpackError } from "../../../server/http2/hpack-decoder.js";
import { STATIC_TABLE } from "../../../server/http2/static-table.js";
import {
  huffmanText,
  indexed,
  integer,
  literal,
  plainText,
  rawHuffman,
  tableSize,
} from "../../support/http2/header-block.js";
import { type Field, TableEncoder } from "../../support/http2/table-encoder.js";

const STATIC_FIELDS = STATIC_TABLE.map(({ name, value }): Field => [name, value]);
const FIRST_KEPT = STATIC_FIELDS.length + 1;

function decoderOf(limits: { tableMaxBytes?: number; listMaxBytes?: number } = {}) {
  const decoder = new HpackDecoder({ tableMaxBytes: 4096, listMaxBytes: 65_536, ...limits });
  const cut = (block: Buffer) => decoder.decode(block).isCut;
  const read = (...parts: (Buffer | string)[]): Field[] => {
    const bytes = parts.map((part) => (typeof part === "string" ? hex(part) : part));
    const { fields } = decoder.decode(Buffer.concat(bytes));
    return fields.map(({ name, value }) => [name, value]);
  };
  return { read, cut };
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}

const GET: Field[] = [
  [":method", "GET"],
  [":scheme", "http"],
];
const HOST: Field = [":authority", "www.example.com"];
const REQUESTS: Field[][] = [
  [...GET, [":path", "/"], HOST],
  [...GET, [":path", "/"], HOST, ["cache-control", "no-cache"]],
  [
    [":method", "GET"],
    [":scheme", "https"],
    [":path", "/index.html"],
    HOST,
    ["custom-key", "custom-value"],
  ],
];
const DATE = "Mon, 21 Oct 2013 20:13:21 GMT";
const CACHED: Field = ["cache-control", "private"];
const LOCATION: Field = ["location", "https://www.example.com"];
const RESPONSES: Field[][] = [
  [[":status", "302"], CACHED, ["date", DATE], LOCATION],
  [[":status", "307"], CACHED, ["date", DATE], LOCATION],
  [
    [":status", "200"],
    CACHED,
    ["date", DATE.replace("21 GMT", "22 GMT")],
    LOCATION,
    ["content-encoding", "gzip"],
    ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
  ],
];

const example = test.macro((t: ExecutionContext, blocks: string[], lists: Field[][]) => {
  // Appendix C.5 and C.6 let the table have 256 bytes, which the requests do not fill.
  const { read } = decoderOf({ tableMaxBytes: 256 });
  for (const [index, block] of blocks.entries()) t.deepEqual(read(block), lists[index]);
});

test("single fields are read (C.2)", (t) => {
  const { read } = decoderOf();
  t.deepEqual(read("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572"), [
    ["custom-key", "custom-header"],
  ]);
  t.deepEqual(read("040c 2f73 616d 706c 652f 7061 7468"), [[":path", "/sample/path"]]);
  t.deepEqual(read("1008 7061 7373 776f 7264 0673 6563 7265 74"), [["password", "secret"]]);
  t.deepEqual(read("82"), [[":method", "GET"]]);
  t.deepEqual(read(indexed(FIRST_KEPT)), [["custom-key", "custom-header"]], "the first alone");
  t.throws(() => read(indexed(FIRST_KEPT + 1)), { instanceOf: HpackError });
});

test(
  "requests without Huffman's code are read (C.3)",
  example,
  [
    "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
    "8286 84be 5808 6e6f 2d63 6163 6865",
    "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
  ],
  REQUESTS,
);

test(
  "requests in Huffman's code are read (C.4)",
  example,
  [
    "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
    "8286 84be 5886 a8eb 1064 9cbf",
    "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
  ],
  REQUESTS,
);

test(
  "responses without Huffman's code are read, while entries are evicted (C.5)",
  example,
  [
    `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133
     3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
    "4803 3330 37c1 c0bf",
    `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a
     6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d
     6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
  ],
  RESPONSES,
);

test(
  "responses in Huffman's code are read, while entries are evicted (C.6)",
  example,
  [
    `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d
     29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
    "4883 640e ffc1 c0bf",
    `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d
     d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106
     3d50 07`,
  ],
  RESPONSES,
);

const refused = test.macro((t: ExecutionContext, ...parts: (Buffer | string)[]) => {
  const { read } = decoderOf();
  t.throws(() => read(...parts), { instanceOf: HpackError });
});

const PLAIN = plainText("x");

test("index 0 is no field", refused, "80");
test("an index beyond the static table is none while nothing is kept", refused, indexed(62));
test("an index far beyond all tables is none", refused, indexed(100_000));
test("the name of a field has an index that exists", refused, integer(0x40, 6, 62), PLAIN);
test("so has that of one that is not kept", refused, integer(0x00, 4, 62), PLAIN);
test("so has that of one that is never kept", refused, integer(0x10, 4, 62), PLAIN);
test("EOS in a text", refused, "00", rawHuffman(hex("3fffffff")), PLAIN);
test("EOS in a value", refused, "00", PLAIN, rawHuffman(hex("ffff fffc")));
test("padding of zeros", refused, "00", PLAIN, rawHuffman(hex("18")));
test("padding of more than seven bits", refused, "00", PLAIN, rawHuffman(hex("1fff")));
test("an integer that does not end in the block", refused, "ff");
test("an integer that goes on and does not end in the block", refused, "ff80");
test("an integer of more than 32 bits", refused, "ff ffff ffff ff0f");
test("an integer that goes on and on", refused, Buffer.from([0xff, ...Array(100).fill(0x80), 0]));
test("a length of more than 32 bits", refused, "00 7fff ffff ffff 0f");
test("a length that wraps around", refused, "00 7f81 ffff ff0f");
test("a length that wraps below 0", refused, "00 7f80 8080 8008 61");
test("a field without a name", refused, "00");
test("a name that is cut off", refused, "00 05 6162");
test("a field without a value", refused, "00 01 61");
test("a value that is cut off", refused, "00 01 61 02 62");
test("a coded name that is cut off", refused, "00 88 25a8");
test("a table larger than was agreed", refused, tableSize(4097));
test("a huge table", refused, tableSize(2 ** 31));
test("a size of the table after a field", refused, indexed(2), tableSize(0));
test("a size of the table between fields", refused, indexed(2), tableSize(4096), indexed(3));
test("a size of the table at the end of it all", refused, literal({ name: "a", value: "b" }), "20");

test("every block that is cut off is refused, or is that of fewer fields", (t) => {
  const parts = [
    tableSize(200),
    indexed(2),
    literal({ name: "content-type", value: "application/grpc", keeping: "kept" }),
    literal({ name: 4, value: "/kvd.v1.Kv/Put", isHuffman: true, keeping: "never kept" }),
    literal({ name: "x".repeat(200), value: "y".repeat(300), isHuffman: true }),
  ];
  const ends = parts.map((_, index) => Buffer.concat(parts.slice(0, index + 1)).length);
  const block = Buffer.concat(parts);
  for (let length = 0; length <= block.length; length += 1) {
    const { read } = decoderOf();
    const whole = ends.filter((end) => end <= length).length;
    if (length === 0 || ends.includes(length)) {
      t.is(read(block.subarray(0, length)).length, Math.max(0, whole - 1));
    } else t.throws(() => read(block.subarray(0, length)), { instanceOf: HpackError });
  }
});

test("a field that is not kept, or never, has no index afterwards", (t) => {
  for (const keeping of ["not kept", "never kept"] as const) {
    const { read } = decoderOf();
    t.deepEqual(read(literal({ name: "a", value: "b", keeping })), [["a", "b"]]);
    t.throws(() => read(indexed(FIRST_KEPT)), { instanceOf: HpackError });
  }
});

const kept = (name: string, value: string) => literal({ name, value, keeping: "kept" });

test("an entry counts 32 bytes beside its texts: the oldest go when there is no room", (t) => {
  const { read } = decoderOf({ tableMaxBytes: 2 * 34 });
  read(kept("a", "1"), kept("b", "2"));
  t.deepEqual(read(indexed(FIRST_KEPT), indexed(FIRST_KEPT + 1)), [
    ["b", "2"],
    ["a", "1"],
  ]);
  read(kept("c", "3"));
  t.deepEqual(read(indexed(FIRST_KEPT), indexed(FIRST_KEPT + 1)), [
    ["c", "3"],
    ["b", "2"],
  ]);
  t.throws(() => read(indexed(FIRST_KEPT + 2)), { instanceOf: HpackError });
});

test("a field may take its name from the entry that it evicts", (t) => {
  const { read } = decoderOf({ tableMaxBytes: 40 });
  read(kept("name", "1234"));
  const next = literal({ name: FIRST_KEPT, value: "5678", keeping: "kept" });
  t.deepEqual(read(next, indexed(FIRST_KEPT)), [
    ["name", "5678"],
    ["name", "5678"],
  ]);
});

test("a field larger than the table is read, and empties it", (t) => {
  const { read } = decoderOf({ tableMaxBytes: 40 });
  read(kept("a", "1"));
  t.deepEqual(read(kept("name", "12345")), [["name", "12345"]]);
  t.throws(() => read(indexed(FIRST_KEPT)), { instanceOf: HpackError });
});

test("a smaller table forgets the oldest; a larger one brings nothing back", (t) => {
  const { read } = decoderOf();
  read(kept("a", "1"), kept("b", "2"));
  t.deepEqual(read(tableSize(67), tableSize(4096), indexed(FIRST_KEPT)), [["b", "2"]]);
  t.throws(() => read(indexed(FIRST_KEPT + 1)), { instanceOf: HpackError });
});

test("a table of no size keeps nothing, until it may be larger again", (t) => {
  const { read } = decoderOf();
  read(tableSize(0), kept("a", "1"));
  t.deepEqual(read(tableSize(34), kept("b", "2"), indexed(FIRST_KEPT)), [
    ["b", "2"],
    ["b", "2"],
  ]);
});

test("what no longer fits into a smaller table is not kept", (t) => {
  const { read } = decoderOf();
  read(tableSize(40), kept("a", "1"), kept("a", "x".repeat(10)));
  t.throws(() => read(indexed(FIRST_KEPT)), { instanceOf: HpackError });
});

test("a block of nothing, and one of a table's size alone, have no fields", (t) => {
  const { read } = decoderOf();
  t.deepEqual(read(""), []);
  t.deepEqual(read(tableSize(0), tableSize(4096)), []);
});

test("texts may be empty, and bytes above 127 are kept as they are", (t) => {
  const { read } = decoderOf();
  const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
  t.deepEqual(read(literal({ name: "", value: "" })), [["", ""]]);
  t.deepEqual(read("00", huffmanText(""), huffmanText("")), [["", ""]]);
  t.deepEqual(read(literal({ name: "a", value: bytes })), [["a", bytes]]);
  t.deepEqual(read(literal({ name: "a", value: bytes, isHuffman: true })), [["a", bytes]]);
});

test("a list too large is cut, and its block decoded to the end all the same", (t) => {
  const { read, cut } = decoderOf({ listMaxBytes: 100 });
  t.false(cut(Buffer.concat([kept("a", "x".repeat(67))])), "100 bytes");
  t.true(cut(kept("b", "x".repeat(68))), "101 bytes");
  t.true(cut(Buffer.concat([kept("c", "1"), indexed(FIRST_KEPT), indexed(FIRST_KEPT)])));
  t.deepEqual(read(indexed(FIRST_KEPT)), [["c", "1"]]);
  t.throws(() => read(kept("d", "x".repeat(200)), "80"), { instanceOf: HpackError });
});

test("a block that names one large field over and over makes no large list", (t) => {
  const { cut } = decoderOf({ listMaxBytes: 32_768 });
  const large = kept("a", "x".repeat(4000));
  t.true(cut(Buffer.concat([large, Buffer.alloc(60_000, indexed(FIRST_KEPT))])));
});

const text = fc.string({ maxLength: 40, unit: fc.integer({ min: 0, max: 255 }).map(char) });
const anyName = fc.oneof(text, fc.constantFrom(...STATIC_FIELDS.map(([name]) => name)));
const anyField = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(anyName, text) },
  fc.constantFrom<[string, string]>(["a", "1"], ["a", "2"], ["bb", "1"], ["cc", "y".repeat(90)]),
  fc.constantFrom(...STATIC_FIELDS.map(([name, value]): [string, string] => [name, value])),
);
const anyChoice = fc.record({
  field: anyField,
  keeping: fc.constantFrom("kept" as const, "not kept" as const, "never kept" as const),
  isHuffman: fc.boolean(),
  isIndexed: fc.boolean(),
});
const anyBlock = fc.record({
  sizes: fc.array(fc.constantFrom(0, 33, 34, 40, 100, 200, 400), { maxLength: 2 }),
  choices: fc.array(anyChoice, { maxLength: 12 }),
});

function char(code: number): string {
  return String.fromCharCode(code);
}

test("what any encoder writes is read, block after block", (t) => {
  const property = fc.property(fc.array(anyBlock, { maxLength: 10 }), (blocks) => {
    const encoder = new TableEncoder(STATIC_FIELDS, 400);
    const { read } = decoderOf({ tableMaxBytes: 400 });
    for (const { sizes, choices } of blocks) {
      const resized = sizes.map((bytes) => encoder.resize(bytes));
      const fields = read(...resized, ...choices.map((choice) => encoder.write(choice)));
      if (JSON.stringify(fields) !== JSON.stringify(choices.map(({ field }) => field)))
        return false;
    }
    return true;
  });
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});

test("random bytes are fields or an HpackError, and nothing else", (t) => {
  const property = fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (blocks) => {
    const decoder = new HpackDecoder({ tableMaxBytes: 4096, listMaxBytes: 1000 });
    try {
      for (const block of blocks) decoder.decode(block);
    } catch (error) {
      return error instanceof HpackError;
    }
    return true;
  });
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }));
});
