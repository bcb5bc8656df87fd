// The JSON forms, durations, and texts of stored bytes: what is written is read back, bit for bit.

import test from "ava";
import fc from "fast-check";
import { msFromText, roughText, secondsText } from "../../../client/cli/duration.js";
import {
  bytesForm,
  bytesMember,
  FormError,
  objectFromJson,
  rowFromLine,
} from "../../../client/cli/json-forms.js";
import { prettyJson } from "../../../client/cli/json-pretty.js";
import { blockText, lineText, plainLine, safeJson } from "../../../client/cli/terminal-text.js";

const line = (text: string) => Buffer.from(text);

/** All bytes, and often text. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 20 }).map((text) => new TextEncoder().encode(text)),
);

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202e]/;

test("any bytes come back from their JSON form as they were", (t) => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const text = JSON.stringify(bytesForm("value", bytes));
      const back = bytesMember(objectFromJson(line(text)), "value");
      t.deepEqual(Buffer.from(back ?? []), Buffer.from(bytes));
    }),
  );
});

test("bytes that are text are shown as text, a byte order mark included", (t) => {
  t.deepEqual(bytesForm("key", line("\ufeffNaïve")), { key: "\ufeffNaïve" });
  t.deepEqual(bytesForm("key", Uint8Array.of(0xff, 0)), { key64: "/wA=" });
  t.deepEqual(bytesForm("value", new Uint8Array(0)), { value: "" });
});

test("a line of an export is read with its ttl, and one of a listing without what it tells", (t) => {
  const row = rowFromLine(line('{"key":"a","value64":"AP8=","ttl":"29.5s"}\r'));
  t.is(Buffer.from(row.key).toString(), "a");
  t.deepEqual([...row.value], [0, 255]);
  t.is(row.ttlMs, 29_500);
  const told = '{"key":"a","value":"","createRevision":2,"modRevision":3,"version":1,"lease":"7"}';
  t.is(rowFromLine(line(told)).ttlMs, undefined);
});

const broken = test.macro({
  exec: (t, text: string | Uint8Array, says: RegExp) => {
    const bytes = typeof text === "string" ? line(text) : text;
    const error = t.throws(() => rowFromLine(bytes), { instanceOf: FormError });
    t.regex(error?.message ?? "", says);
  },
  title: (_, text) => `a line is refused: ${typeof text === "string" ? text : "not UTF-8"}`,
});

test(broken, "nonsense", /not JSON/);
test(broken, "[1]", /object/);
test(broken, "null", /object/);
test(broken, '{"value":"1"}', /key/);
test(broken, '{"key":"a"}', /value/);
test(broken, '{"key":"","value":""}', /empty/);
test(broken, '{"key":1,"value":""}', /key/);
test(broken, '{"key":"a","key64":"YQ==","value":""}', /exclude/);
test(broken, '{"key64":"YQ","value":""}', /base64/);
test(broken, '{"key64":"YR==","value":""}', /base64/);
test(broken, '{"key64":"-_==","value":""}', /base64/);
test(broken, '{"key":"\\ud800","value":""}', /surrogate/);
test(broken, '{"key":"a","vaule":"1"}', /vaule/);
test(broken, '{"key":"a","value":"","ttl":30}', /ttl/);
test(broken, '{"key":"a","value":"","ttl":"30"}', /ttl/);
test(broken, Uint8Array.of(0x7b, 0xff, 0x7d), /UTF-8/);

test("durations are sums of numbers with units, and nothing else", (t) => {
  const cases: [string, number | undefined][] = [
    ["30s", 30_000],
    ["1h30m", 5_400_000],
    ["1.5s", 1_500],
    ["250ms", 250],
    ["2d", 172_800_000],
    ["0s", 0],
    ["30", undefined],
    ["", undefined],
    ["s", undefined],
    ["-1s", undefined],
    ["1s ", undefined],
    ["1 s", undefined],
    ["1e3s", undefined],
    ["99999999999999999d", undefined],
  ];
  for (const [text, ms] of cases) t.is(msFromText(text), ms, text);
});

test("a ttl keeps its milliseconds on the way out and in", (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 400_000_000_000 }), (ms) => {
      t.is(msFromText(secondsText(ms)), ms);
    }),
  );
});

test("durations for people have two units at most", (t) => {
  t.deepEqual([0, 250, 1_000, 61_000, 3_600_000, 93_784_000].map(roughText), [
    "0ms",
    "250ms",
    "1s",
    "1m 1s",
    "1h",
    "1d 2h",
  ]);
});

test("what is stored cannot drive a terminal", (t) => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      t.notRegex(lineText(bytes), CONTROL);
      t.notRegex(blockText(bytes).replace(/[\n\t]/g, ""), CONTROL);
    }),
  );
  t.is(lineText(line("plain ü")), "plain ü");
  t.is(lineText(line('a"\\\n\u001b[31m\u009b')), '"a\\"\\\\\\n\\x1b[31m\\u009b"');
  t.is(lineText(Uint8Array.of(0x61, 0xff, 0xc3, 0xa9, 0xc3)), '"a\\xffé\\xc3"');
  t.is(blockText(line("a\n\tb\r\u001b")), "a\n\tb\\r\\x1b");
  t.is(plainLine("two\nlines \u001b[1m\n"), "two lines \\x1b[1m");
});

test("JSON made safe for a terminal is the same JSON", (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const safe = safeJson(JSON.stringify(text));
      t.notRegex(safe, CONTROL);
      t.is(JSON.parse(safe), text);
    }),
  );
});

test("indented JSON is the same JSON, and its numbers keep all digits", (t) => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      t.deepEqual(JSON.parse(prettyJson(text)), JSON.parse(text));
    }),
  );
  const exact = '{"n":12345678901234567890,"e":1e400,"s":"\\u0041:,{}","d":1,"d":2,"o":{},"l":[]}';
  t.is(prettyJson(exact).replace(/\n\s*|(?<=":) /g, ""), exact);
  t.is(prettyJson('{"a":[1,{"b":null}]}'), JSON.stringify({ a: [1, { b: null }] }, null, 2));
  t.throws(() => prettyJson("{"), { instanceOf: SyntaxError });
});
