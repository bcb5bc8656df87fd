// What an editor shows, what is made of what it saved, and what its file is called.

import test from "ava";
import { jsonForm, plainForm } from "../../../client/cli/edit/edit-form.js";
import { fileNameOf } from "../../../client/cli/edit/text-file.js";
import { EXIT } from "../../../client/cli/exit-codes.js";
import { Failure } from "../../../client/cli/failure.js";

const bytes = (text: string) => Buffer.from(text);
const plain = (value: string, saved: string) =>
  plainForm(bytes(value)).valueOf(bytes(saved))?.toString();
const json = (value: string, saved: string) =>
  jsonForm(bytes(value)).valueOf(bytes(saved))?.toString();

test("a final newline that the value had not is not written", (t) => {
  t.is(plain("a", "b\n"), "b");
  t.is(plain("a", "a\n"), undefined);
  t.is(plain("a", "b\n\n"), "b\n");
  t.is(plain("", "new\n"), "new");
});

test("a final newline that the value had stays or goes as it was saved", (t) => {
  t.is(plain("a\n", "b\n"), "b\n");
  t.is(plain("a\n", "a"), "a");
  t.is(plain("a\n", "a\n"), undefined);
});

test("JSON on one line goes back on one line, with its numbers as they are", (t) => {
  const value = '{"n":12345678901234567890,"s":"a b"}';
  t.is(
    jsonForm(bytes(value)).shown.toString(),
    '{\n  "n": 12345678901234567890,\n  "s": "a b"\n}\n',
  );
  t.is(
    json(value, '{\n  "n": 12345678901234567891,\n  "s": "a  b" }\n'),
    '{"n":12345678901234567891,"s":"a  b"}',
  );
  t.is(json(value, '{\n  "n": 12345678901234567890,\n  "s": "a b"\n}'), undefined);
  t.is(json(`${value}\n`, '{ "n": 1 }\n'), '{"n":1}\n');
});

test("JSON on many lines goes back as it was saved", (t) => {
  t.is(json('{\n "a": 1\n}', '{\n  "a": 2\n}\n'), '{\n  "a": 2\n}');
  t.is(json("", "[1,\n2]\n"), "[1,\n2]");
});

test("what is no JSON is refused, before and after", (t) => {
  const refused = { instanceOf: Failure, message: /not JSON/ };
  t.is(t.throws(() => jsonForm(bytes("{")), refused)?.exitCode, EXIT.invalid);
  t.throws(() => json("{}", "{"), refused);
  t.throws(() => jsonForm(bytes("{}")).valueOf(Uint8Array.of(0xff)), refused);
});

test("the file is named after the end of the key, and after what is in it", (t) => {
  t.is(fileNameOf("app/conf.yaml", bytes("a: 1")), "conf.yaml");
  t.is(fileNameOf("country:KE", bytes('{"a": 1}')), "country_KE.json");
  t.is(fileNameOf("n", bytes("42")), "n.txt");
  t.is(fileNameOf("../../.ssh/-rf *;$(x)", bytes("")), "rf_x_.txt");
  t.is(fileNameOf("長頸鹿", bytes("")), "_.txt");
  t.is(fileNameOf("/", bytes("")), "value.txt");
  t.true(fileNameOf("x".repeat(8_000), bytes("")).length < 100);
});
