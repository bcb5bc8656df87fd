// Bodies that hold JSON objects, one after the other: where each ends, however the bytes arrive.

import test from "ava";
import { array, assert, asyncProperty, constantFrom, json, nat, string } from "fast-check";
import { parseJson } from "../../../server/http/json-text.js";
import { JsonValues } from "../../../server/http/json-values.js";
import { KvdError } from "../../../server/kv/errors.js";

async function valuesOf(pieces: readonly (string | Buffer)[], maxBytes = 10_000) {
  const values = new JsonValues({ maxBytes });
  const given: string[] = [];
  values.on("data", (text: string) => given.push(text));
  const end = new Promise<unknown>((resolve) => {
    values.once("end", () => resolve(undefined));
    values.once("error", resolve);
  });
  for (const piece of pieces) values.write(piece);
  values.end();
  const error = await end;
  return { given, error };
}

const gives = test.macro(async (t, body: string, ...expected: string[]) => {
  t.deepEqual(await valuesOf([body]), { given: expected, error: undefined });
});

test("an empty body holds nothing", gives, "");
test("nor does a blank one", gives, " \r\n\t");
test("one object", gives, '{"a":1}', '{"a":1}');
test("white space around it", gives, ' \n{"a": 1}\n', '{"a": 1}');
test("several objects", gives, "{}{} {}\n{}", "{}", "{}", "{}", "{}");
test("brackets in texts", gives, '{"}":"{[\\"}"}{}', '{"}":"{[\\"}"}', "{}");
test("a text that ends with a backslash", gives, '{"a":"\\\\"}{}', '{"a":"\\\\"}', "{}");

const refuses = test.macro(async (t, body: string | Buffer, text: RegExp, ...before: string[]) => {
  const { given, error } = await valuesOf([body]);
  if (!(error instanceof KvdError)) return t.fail("not refused");
  t.is(error.reason, "MALFORMED");
  t.regex(error.message, text);
  t.deepEqual(given, before);
});

test("a number is refused", refuses, "1", /not a JSON object/);
test("a list is refused", refuses, "[]", /not a JSON object/);
test("what follows an object is refused", refuses, "{} x", /not a JSON object/, "{}");
test("half an object is refused", refuses, '{"a":{}', /ends within/);
test("what is not UTF-8 is refused", refuses, Buffer.from('{"a":"\xff"}', "latin1"), /UTF-8/);
test("what nests too deep is refused", refuses, `{"a":${"[".repeat(200)}`, /deeper than 200/);
test(
  "too many values are refused",
  refuses,
  `{"a":[${"{},".repeat(5000)}`,
  /more than 10000 values/,
);
test("too many numbers as well", refuses, `{"a":[${"1,".repeat(10_000)}`, /more than 10000 values/);

test("values are counted for each object, and not in texts", async (t) => {
  const objects = [`{"a":[${"1,".repeat(9990)}1]}`, `{"a":"${"{,".repeat(20_000)}"}`];
  t.deepEqual((await valuesOf([...objects, ...objects], 100_000)).given.length, 4);
});

test("an object may be as long as the limit, each of them, and no longer", async (t) => {
  const object = `{"a":"${"x".repeat(12)}"}`;
  t.deepEqual((await valuesOf([object, object], object.length)).given, [object, object]);
  const { given, error } = await valuesOf([object.slice(0, 9), object.slice(9)], 19);
  t.deepEqual(given, []);
  t.is((error as KvdError).reason, "REQUEST_TOO_LARGE");
});

test("objects are the same however their bytes are cut", async (t) => {
  const object = json().map((text) => `{"value":${text}}`);
  const space = constantFrom("", " ", "\n");
  const cuts = array(nat(200), { maxLength: 8 });
  await assert(
    asyncProperty(array(object, { maxLength: 4 }), space, cuts, async (objects, between, at) => {
      const bytes = Buffer.from(objects.join(between));
      const sorted = [...at.map((cut) => Math.min(cut, bytes.length)), bytes.length];
      const ends = sorted.sort((a, b) => a - b);
      const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
      t.deepEqual(await valuesOf(pieces, 100_000), { given: objects, error: undefined });
    }),
  );
});

const parses = test.macro((t, text: string, expected: unknown) => {
  t.deepEqual(parseJson(text), expected as never);
});

test("short numbers stay numbers", parses, '{"a":-12,"b":1.5e3}', { a: -12, b: 1500 });
test(
  "long integers keep their digits",
  parses,
  '{"a":9007199254740993,"b":[-9223372036854775808]}',
  {
    a: "9007199254740993",
    b: ["-9223372036854775808"],
  },
);
test("long fractions stay numbers", parses, '{"a":0.1234567890123456}', {
  a: 0.1234567890123456,
});
test("digits in texts stay", parses, '{"12345678901234567890":"\\\\\\"12345678901234567890"}', {
  "12345678901234567890": '\\"12345678901234567890',
});

test("JSON without long numbers means the same", async (t) => {
  await assert(
    asyncProperty(json({ depthSize: "medium" }), string(), async (text, name) => {
      const whole = `{${JSON.stringify(name)}:${text}}`;
      const same = JSON.parse(whole, (_, value) =>
        Number.isInteger(value) && Math.abs(value) > 1e14 ? null : value,
      );
      const parsed = JSON.stringify(parseJson(whole), (_, value) =>
        Number.isInteger(value) && Math.abs(value) > 1e14 ? null : value,
      );
      if (!/\d{15}/.test(whole)) t.is(parsed, JSON.stringify(same));
    }),
  );
});
