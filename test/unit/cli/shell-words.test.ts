// Lines of the shell taken apart into words, and words written as lines.

import { spawnSync } from "node:child_process";
import test from "ava";
import fc from "fast-check";
import { bytesOfWord, wordFromBytes } from "../../../client/cli/argument-bytes.js";
import { closing, continuedWord, quotedWord } from "../../../client/cli/shell/quoting.js";
import { Unfinished } from "../../../client/cli/shell/unfinished.js";
import { lineFromText, type Quote } from "../../../client/cli/shell/words.js";

const wordsOf = (text: string) => lineFromText(text).words.map((word) => word.text);

const splits = test.macro({
  exec: (t, text: string, words: string[]) => t.deepEqual(wordsOf(text), words),
  title: (_, text: string, _words: string[]) => `words of ${JSON.stringify(text)}`,
});

test(splits, "", []);
test(splits, "  get\tk ", ["get", "k"]);
test(splits, "put k 'two  words'", ["put", "k", "two  words"]);
test(splits, `put k "a \\"b\\" \\n \\$c"`, ["put", "k", 'a "b" \\n $c']);
test(splits, "put k a\\ b\\\\c\\'", ["put", "k", "a b\\c'"]);
test(splits, `put k ''`, ["put", "k", ""]);
test(splits, `a'b'"c"$'d'e`, ["abcde"]);
test(splits, `$'\\n\\t\\r\\e\\\\\\'\\"\\?'`, ["\n\t\r\u001b\\'\"?"]);
test(splits, `$'\\x41\\101\\u00e9\\u{1f992}\\U0001F992'`, ["AAé🦒🦒"]);
test(splits, `$'\\xc3\\xa9'`, ["é"]);
test(splits, `$'\\q\\u{110000}'`, ["\\q\\u{110000}"]);
test(splits, `"$'x'"`, ["$'x'"]);
test(splits, "get a # not this", ["get", "a"]);
test(splits, "# nor this", []);
test(splits, "get a#b '#c' \\#d", ["get", "a#b", "#c", "#d"]);
test(splits, "put a\\\nb 1", ["put", "ab", "1"]);
test(splits, "put a 'b\nc'", ["put", "a", "b\nc"]);
test(splits, "get $HOME * ~ ; |", ["get", "$HOME", "*", "~", ";", "|"]);

test("a line goes on when a quote is open, or a backslash is last", (t) => {
  for (const open of ["'", '"a', "$'a\\'", "a\\", '"a\\"', "a \\"]) {
    t.true(lineFromText(open).open, open);
  }
  for (const done of ["", "a", "''", '"a"', "a\\\\", "# '", "$'\\''"]) {
    t.false(lineFromText(done).open, done);
  }
});

test("lines are put together until the command ends", (t) => {
  const unfinished = new Unfinished();
  const add = (text: string) => unfinished.add(text)?.words.map((word) => word.text);
  t.deepEqual(add("get a"), ["get", "a"]);
  t.is(add("put a 'one"), undefined);
  t.is(add("two # three"), undefined);
  t.is(unfinished.before, "put a 'one\ntwo # three\n");
  t.deepEqual(add("four' --quiet"), ["put", "a", "one\ntwo # three\nfour", "--quiet"]);
  t.is(add("get \\"), undefined);
  t.deepEqual(add("b"), ["get", "b"]);
  t.is(unfinished.before, "");
});

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

test("bytes that are not UTF-8 live in words, and come out as they were", (t) => {
  const escapes = [...ALL_BYTES].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  const [word = ""] = wordsOf(`$'${escapes}'`);
  t.true(ALL_BYTES.equals(Buffer.from(bytesOfWord(word))));
  t.is(bytesOfWord("é\u{1f992}"), "é\u{1f992}");
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const back = Buffer.from(bytesOfWord(wordFromBytes(bytes)));
      return back.equals(bytes);
    }),
  );
});

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom(..." '\"\\$`!#~*;\n\t\u0001\u202eaé🦒") }),
);

test("a word that is written comes back, in any quote, and on one line", (t) => {
  fc.assert(
    fc.property(anyText, (text) => {
      const raw = quotedWord(text);
      t.deepEqual(wordsOf(raw), [text], raw);
      t.notRegex(raw, /\n/);
    }),
  );
  const opened: readonly [Quote, string][] = [
    ["none", "x"],
    ["single", "'x"],
    ["double", '"x'],
    ["dollar", "$'x"],
  ];
  for (const [quote, begin] of opened) {
    fc.assert(
      fc.property(anyText, (text) => {
        const raw = begin + continuedWord(text, quote) + closing(quote);
        t.deepEqual(wordsOf(raw), [`x${text}`], raw);
      }),
    );
  }
});

test("bash reads what is written as the same words", (t) => {
  const texts = [
    "a b",
    "it's",
    "new\nline",
    "$HOME",
    "`x`",
    "!!",
    "é🦒",
    "\u001b[31m",
    "#",
    "~",
    "",
  ];
  for (const quote of ["none", "single", "double", "dollar"] as const) {
    const begin = { none: "x", single: "'x", double: '"x', dollar: "$'x" }[quote];
    const words = texts.map((text) => begin + continuedWord(text, quote) + closing(quote));
    const { stdout } = spawnSync("bash", ["-c", `printf '%s\\0' ${words.join(" ")}`]);
    const read = stdout.toString("utf8").split("\0").slice(0, -1);
    t.deepEqual(
      read,
      texts.map((text) => `x${text}`),
      quote,
    );
  }
});
