// The txn on a line, of arguments and of text, and as JSON.

import test from "ava";
import fc from "fast-check";
import { UsageError } from "../../../client/cli/failure.js";
import { FormError } from "../../../client/cli/json-forms.js";
import { txnFromArguments, txnFromText } from "../../../client/cli/txn-grammar.js";
import { txnFromForm } from "../../../client/cli/txn-json.js";
import { absent, compare, del, exists, get, put, range, txn } from "../../../client/index.js";

const a = { key: "a" };

test("the example of the documentation means what it says, as arguments and as text", (t) => {
  const spec = {
    compare: [compare.modRevision(a, "=", 0), compare.value({ key: "b" }, "=", "x")],
    success: [put("a", "1"), del({ key: "b" })],
    failure: [get("a")],
  };
  const words = ["mod(a) = 0", 'value(b) = "x"', "--", "put", "a", "1", ";", "del", "b", "--"];
  t.deepEqual(txnFromArguments([...words, "get", "a"]), spec);
  t.deepEqual(txnFromText('mod(a) = 0 value(b) = "x" -- put a 1 ; del b -- get a'), spec);
  t.deepEqual(txnFromText('mod(a)=0\nvalue(b)="x"\n--\nput a 1\ndel b\n\n--\nget a\n'), spec);
});

test("every compare and every relation", (t) => {
  const text = [
    "version(a) > 2",
    "create(a) != 0",
    "mod(a) == 7",
    "lease(a) = -5",
    "value(a) < zz",
    "exists(a)",
    "!exists( --prefix old/ )",
    "mod(--start a --end b) = 0",
    "mod(--all) > 1",
    'value("a b)") = ""',
  ];
  t.deepEqual(txnFromText(`${text.join("\n")}\n--\nget a`).compare, [
    compare.version(a, ">", 2),
    compare.createRevision(a, "!=", 0),
    compare.modRevision(a, "=", 7),
    compare.leaseId(a, "=", -5n),
    compare.value(a, "<", "zz"),
    exists(a),
    absent({ prefix: "old/" }),
    compare.modRevision({ start: "a", end: "b" }, "=", 0),
    compare.modRevision({ all: true }, ">", 1),
    compare.value({ key: "a b)" }, "=", ""),
  ]);
});

test("operations take the flags of their commands, after their words", (t) => {
  const text = `-- put a 1 --ttl 30s --if-absent --prev; PUT b "2" --expect-rev 4 --keep-lease
    put c 3 --lease 7; get a --rev 3; del --prefix x/ --limit 5 --prev; delete k --expect-rev 9
    range --start a --end b --reverse --limit 2 --keys-only --rev 8; range a`;
  t.deepEqual(txnFromText(text).success, [
    put("a", "1", { ttl: 30_000, expectedModRevision: 0, returnPrevious: true }),
    put("b", "2", { keepLease: true, expectedModRevision: 4 }),
    put("c", "3", { leaseId: 7n }),
    get("a", { revision: 3 }),
    del({ prefix: "x/" }, { limit: 5, returnPrevious: true }),
    del({ key: "k" }, { expectedModRevision: 9 }),
    range({ start: "a", end: "b" }, { revision: 8, limit: 2, order: "descending", keysOnly: true }),
    range(a),
  ]);
});

test("an argument is a word as it is: the shell has quoted it already", (t) => {
  const value = '"x" ; y -- z';
  const { success } = txnFromArguments(["--", "put", "a b", value, ";", "put", "c", "--ttl"]);
  t.deepEqual(success, [put("a b", value), put("c", "--ttl")]);
});

test("a whole operation may be one argument, quoted as in text", (t) => {
  const { success } = txnFromArguments(["--", 'put "x y" "1\\n2"; get q', ";", "get", "r"]);
  t.deepEqual(success, [put("x y", "1\n2"), get("q"), get("r")]);
});

test("a word in double quotes is any text", (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), (key, value) => {
      const quoted = `${JSON.stringify(key)} ${JSON.stringify(value)}`;
      const text = `value(${JSON.stringify(key)}) = ${JSON.stringify(value)} -- put ${quoted}`;
      const spec = txnFromText(text);
      t.deepEqual(spec.success, [put(key, value)]);
      t.deepEqual(spec.compare, [compare.value({ key }, "=", value)]);
    }),
  );
});

test("comments and blank lines mean nothing, and quoted marks are words", (t) => {
  const text = '# mod(a) = 1 --\n\nexists(a)\n# --\n--\n# put\nput "--" ";" # no\n';
  t.throws(() => txnFromText(text), { message: /line 7/ });
  const spec = txnFromText(text.replace(" # no", ""));
  t.deepEqual(spec.compare, [exists(a)]);
  t.deepEqual(spec.success, [put("--", ";")]);
});

const wrong = test.macro({
  exec: (t, text: string, column: number, says: RegExp) => {
    const error = t.throws(() => txnFromText(text), { instanceOf: UsageError });
    t.regex(error?.message ?? "", says);
    t.regex(error?.message ?? "", new RegExp(`column ${column}\\b`));
    const [shown, caret] = (error?.detail ?? "").split("\n");
    t.is(shown, `  ${text}`);
    t.is(caret, `${" ".repeat(column + 1)}^`);
  },
  title: (_, text) => `a txn is refused at its place: ${text}`,
});

test(wrong, "mod(a) 0 -- get a", 8, /relation/);
test(wrong, "mod(a) >= 1 -- get a", 8, />=/);
test(wrong, "mod(a = 0 -- get a", 4, /bracket/);
test(wrong, "mod() = 0 -- get a", 5, /KEY/);
test(wrong, "mode(a) = 0 -- get a", 1, /mod\(KEY\)/);
test(wrong, "mod(a) = x -- get a", 10, /whole number/);
test(wrong, "mod(a) = -- get a", 10, /compared/);
test(wrong, "!mod(a) = 0 -- get a", 1, /!=/);
test(wrong, 'value(a) = "x -- get a', 12, /quote/);
test(wrong, 'value(a) = "\\x" -- get a', 12, /escapes/);
test(wrong, "value(a) = b c -- get a", 14, /value\(KEY\)/);
test(wrong, "mod(--prefix) = 0 -- get a", 5, /--prefix/);
test(wrong, "mod(a b) = 0 -- get a", 7, /too much/);
test(wrong, "put a 1", 1, /after --/);
test(wrong, "mod(a) = 0", 11, /operations/);
test(wrong, "mod(a) = 0 --", 14, /operations/);
test(wrong, "-- put a", 4, /KEY VALUE/);
test(wrong, "-- put a 1 2", 12, /too much/);
test(wrong, "-- put a 1 --tll 5s", 12, /--tll/);
test(wrong, "-- put a 1 --ttl", 12, /value/);
test(wrong, "-- put a 1 --ttl 5", 4, /duration/);
test(wrong, "-- put --ttl 5s a 1", 17, /flags go last/);
test(wrong, "-- pt a 1", 4, /"pt"/);
test(wrong, "-- constructor a 1", 4, /no operation/);
test(wrong, "-- get", 4, /KEY/);
test(wrong, "-- del", 4, /--prefix/);
test(wrong, "-- get a -- get b -- get c", 19, /third/);

test("a long line is shown around the mistake", (t) => {
  const text = `-- ${"put a 1; ".repeat(100)}put`;
  const error = t.throws(() => txnFromText(text), { instanceOf: UsageError });
  const [shown = "", caret = ""] = (error?.detail ?? "").split("\n");
  t.true(shown.length < 150);
  t.is(shown.slice(caret.length - 1), "put");
});

test("a txn as JSON, nested, with bytes", (t) => {
  const form = {
    compare: [
      { key: "a", modRevision: 0 },
      { key64: "/w==", relation: "!=", value: "x" },
      { prefix: "p", exists: false },
      { key: "l", relation: ">", lease: "9223372036854775807" },
      { all: true, relation: "<", version: 3 },
    ],
    success: [
      { put: { key: "a", value64: "AP8=", ttl: "30s", expectedModRevision: 0 } },
      { delete: { start: "a", end: "b", limit: 2, returnPrevious: true } },
      { txn: { success: [{ get: { key: "a", revision: 4 } }] } },
    ],
    failure: [{ range: { prefix: "p", order: "descending", keysOnly: true, limit: 1 } }],
  };
  const bytes = (text: string) => Buffer.from(text);
  t.deepEqual(txnFromForm(form), {
    compare: [
      compare.modRevision({ key: bytes("a") }, "=", 0),
      compare.value({ key: Buffer.from([255]) }, "!=", bytes("x")),
      absent({ prefix: bytes("p") }),
      compare.leaseId({ key: bytes("l") }, ">", 2n ** 63n - 1n),
      compare.version({ all: true }, "<", 3),
    ],
    success: [
      put(bytes("a"), Buffer.from([0, 255]), { ttl: 30_000, expectedModRevision: 0 }),
      del({ start: bytes("a"), end: bytes("b") }, { limit: 2, returnPrevious: true }),
      txn({ compare: [], success: [get(bytes("a"), { revision: 4 })], failure: [] }),
    ],
    failure: [range({ prefix: bytes("p") }, { limit: 1, order: "descending", keysOnly: true })],
  });
});

test("a mistake in a txn as JSON is named by its path", (t) => {
  const cases: [unknown, RegExp][] = [
    [{ compares: [] }, /compares/],
    [{ success: {} }, /success must be a list/],
    [{ success: [{}] }, /success\[0\]: give one/],
    [{ success: [{ put: { key: "a" } }] }, /success\[0\]\.put: "value"/],
    [{ success: [{ put: { key: "a", value: "", ttl: 1 } }] }, /success\[0\]\.put: "ttl"/],
    [{ success: [{ put: { key: "a", value: "", lease: 7 } }] }, /success\[0\]\.put\.lease/],
    [{ success: [{ get: { key: "a", rev: 1 } }] }, /success\[0\]\.get\.rev/],
    [{ success: [{ delete: {} }] }, /success\[0\]\.delete: give one/],
    [{ success: [{ delete: { key: "a", all: true } }] }, /give one/],
    [{ success: [{ txn: { failure: [{ get: {} }] } }] }, /success\[0\]\.txn\.failure\[0\]\.get/],
    [{ compare: [{ key: "a" }] }, /compare\[0\]: give one/],
    [{ compare: [{ key: "a", relation: ">=", version: 1 }] }, /relation/],
    [{ compare: [{ key: "a", version: -1 }] }, /version/],
    [nested(100), /deep/],
    [[], /object/],
  ];
  for (const [form, says] of cases) {
    const error = t.throws(() => txnFromForm(form), { instanceOf: FormError });
    t.regex(error?.message ?? "", says, JSON.stringify(form).slice(0, 60));
  }
});

function nested(levels: number): unknown {
  return levels === 0 ? {} : { success: [{ txn: nested(levels - 1) }] };
}
