// The formats of import and export: what goes out comes in unchanged, and what is broken is named.

import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { Failure } from "../../../client/cli/failure.js";
import type { Row } from "../../../client/cli/json-forms.js";
import { CsvLayout } from "../../../client/cli/transfer/csv-lines.js";
import { type CsvColumns, rowsFromCsv } from "../../../client/cli/transfer/csv-rows.js";
import { jsonLine, rowsFromJsonLines } from "../../../client/cli/transfer/json-lines.js";
import type { RowItem } from "../../../client/cli/transfer/row-item.js";
import { keyFromNames, namesFromKey } from "../../../client/cli/transfer/tree-names.js";
import { rowsFromTree } from "../../../client/cli/transfer/tree-source.js";
import { TreeTarget } from "../../../client/cli/transfer/tree-target.js";
import { rowsFromWords, wordLine } from "../../../client/cli/transfer/words.js";
import type { Entry } from "../../../client/index.js";

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);

const odd = fc.constantFrom(
  ...["a", "/", ".", "..", "%", "%2F", "%-", "%+", " ", "\n", "\r\n", '"', ",", "-", "\0"],
  ...["\u{1f600}", "\ufffd", "\ufeff", "é", "x".repeat(210)],
);
const text = fc.array(odd, { maxLength: 6 }).map((parts) => Buffer.from(parts.join("")));
const bytes = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array)),
  fc.constant(Buffer.from(ALL_BYTES)),
);
const key = bytes.filter(({ length }) => length > 0);
const ttlMs = fc.option(fc.integer({ min: 1, max: 1e9 }), { nil: undefined });
const row = fc.record({ key, value: bytes, ttlMs });
const rows = fc
  .uniqueArray(row, { maxLength: 12, selector: (one) => one.key.toString("hex") })
  .map((all) => all.sort((one, other) => Buffer.compare(one.key, other.key)));

async function* chunksOf(text: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
}

async function collect(items: AsyncIterable<RowItem>): Promise<RowItem[]> {
  const all: RowItem[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const plain = (all: readonly (Row | RowItem)[]) =>
  all.map((one) => {
    const { key, value, ttlMs } = "kind" in one && one.kind === "row" ? one.row : (one as Row);
    return [Buffer.from(key).toString("hex"), Buffer.from(value).toString("hex"), ttlMs];
  });

async function temporary(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kvctl-formats-"));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

const chunk = fc.integer({ min: 1, max: 9 });

test("JSON Lines keep every row", async (t) => {
  await fc.assert(
    fc.asyncProperty(rows, chunk, async (given, size) => {
      const file = given.map((one) => `${jsonLine(one)}\n`).join("");
      t.deepEqual(plain(await collect(rowsFromJsonLines(chunksOf(file, size)))), plain(given));
    }),
  );
});

test("CSV keeps every row", async (t) => {
  await fc.assert(
    fc.asyncProperty(rows, chunk, async (given, size) => {
      const layout = new CsvLayout();
      for (const { key, value, ttlMs } of given) {
        const leaseId = ttlMs === undefined ? 0n : 1n;
        layout.see({ keyBytes: key, bytes: value, leaseId } as unknown as Entry);
      }
      const file = [layout.header(), ...given.map((one) => layout.line(one))].join("\n");
      t.deepEqual(plain(await collect(rowsFromCsv(chunksOf(file, size)))), plain(given));
    }),
  );
});

test("a folder keeps every key and value, and nothing is written beside it", async (t) => {
  const folder = await temporary(t);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(rows, async (given) => {
      runs += 1;
      const path = join(folder, String(runs));
      const target = await TreeTarget.open(path);
      for (const one of given) await target.write(one);
      await target.close({ complete: true });
      const found = plain(await collect(rowsFromTree(path, () => {}))).sort();
      t.deepEqual(found, plain(given.map((one) => ({ ...one, ttlMs: undefined }))).sort());
      t.is((await readdir(folder)).length, runs);
    }),
    { numRuns: 40 },
  );
});

test("words keep what has no white space in it, and refuse the rest", async (t) => {
  const white = /[ \t-\r]/;
  await fc.assert(
    fc.asyncProperty(rows, chunk, async (given, size) => {
      const fits = ({ key, value }: Row) =>
        value.length > 0 && ![key, value].some((part) => white.test(latin1(part)));
      const good = given.filter(fits).map((one) => ({ ...one, ttlMs: undefined }));
      for (const one of given)
        if (!fits(one)) t.throws(() => wordLine(one), { instanceOf: Failure });
      const file = Buffer.concat(good.map(wordLine));
      t.deepEqual(plain(await collect(rowsFromWords(chunksOf(file, size)))), plain(good));
    }),
  );
});

const latin1 = (part: Uint8Array) => Buffer.from(part).toString("latin1");

test("names of files lead nowhere else, whatever the key", (t) => {
  fc.assert(
    fc.property(key, (given) => {
      const names = namesFromKey(given);
      for (const name of names) {
        t.false(["", ".", ".."].includes(name));
        t.notRegex(name, /[/\0]/);
        t.true(Buffer.byteLength(name) <= 255);
      }
      t.deepEqual(keyFromNames(names.map((name) => Buffer.from(name))), given);
    }),
  );
});

test("a key below a key that is a file goes into a folder beside it", async (t) => {
  const folder = join(await temporary(t), "tree");
  const target = await TreeTarget.open(folder);
  for (const key of ["a", "a/b", "a/c/d", "ab", ".."]) {
    await target.write({ key: Buffer.from(key), value: Buffer.from(key), ttlMs: undefined });
  }
  await target.close({ complete: true });
  t.deepEqual((await readdir(folder)).sort(), ["%2E%2E", "a", "a%+", "ab"]);
  t.is(await readFile(join(folder, "a%+/c/d"), "utf8"), "a/c/d");
});

test("links in a folder are not followed, but told", async (t) => {
  const folder = await temporary(t);
  await writeFile(join(folder, "secret"), "secret");
  await mkdir(join(folder, "tree"));
  await writeFile(join(folder, "tree/k"), "v");
  await symlink(join(folder, "secret"), join(folder, "tree/link"));
  await symlink(folder, join(folder, "tree/up"));
  const left: string[] = [];
  const found = await collect(rowsFromTree(join(folder, "tree"), (path) => left.push(path)));
  t.deepEqual(
    found.map(({ place }) => place),
    [`file ${join(folder, "tree/k")}`],
  );
  t.is(left.length, 2);
});

test("a folder with something in it is not written to", async (t) => {
  const folder = await temporary(t);
  await writeFile(join(folder, "mine"), "");
  await t.throwsAsync(TreeTarget.open(folder), { instanceOf: Failure });
  t.deepEqual(await readdir(folder), ["mine"]);
});

const csv = test.macro({
  async exec(t, file: string, expected: readonly string[], columns: CsvColumns = {}) {
    for (const size of [1, 1_000]) {
      const items = await collect(rowsFromCsv(chunksOf(file, size), columns));
      t.deepEqual(items.map(shownItem), expected);
    }
  },
  title: (_, file) => `a CSV file is read as it should be: ${JSON.stringify(file).slice(0, 60)}`,
});

function shownItem(item: RowItem): string {
  if (item.kind === "broken") return `${item.place}: broken`;
  return `${item.place}: ${latin1(item.row.key)}=${latin1(item.row.value)}`;
}

test(csv, "key,value\na,1\n\nb,2\n", ["line 2: a=1", "line 4: b=2"]);
test(csv, "\ufeffkey,value\r\na,1\r\n", ["line 2: a=1"]);
test(csv, 'value,key\n"two\nlines",a\n2,b', ["line 2: a=two\nlines", "line 4: b=2"]);
test(csv, "key,value,ttl\na,1,30s\nb,2,\nc,3,soon\n", [
  "line 2: a=1",
  "line 3: b=2",
  "line 4: broken",
]);
test(csv, "key,value\na\n,1\nb,2,3\nc,3\n", [
  "line 2: broken",
  "line 3: broken",
  "line 4: broken",
  "line 5: c=3",
]);
test(csv, 'key,value\na,1\nb,x"y\nc,3\n', ["line 2: a=1", "line 3: broken"]);
test(csv, 'key,value\na,1\nb,"never closed\nc,3\n', ["line 2: a=1", "line 3: broken"]);
test(csv, "key,value64\na,/w==\nb,no base64\n", ["line 2: a=\xff", "line 3: broken"]);
test(csv, "name,country,size\nOslo,NO,1\n", ["line 2: Oslo=NO"], { key: "name", value: "country" });
test(csv, "key,value,size\nOslo,NO,1\n", ["line 1: broken"]);
test(csv, "name,value\nOslo,NO\n", ["line 1: broken"]);
test(csv, "key,key,value\na,b,1\n", ["line 1: broken"]);
test(csv, "", []);
test(csv, "a,1\nkey,value\n", ["line 1: a=1", "line 2: key=value"], { header: false });
test(csv, "a,1,5s\nb,2\n", ["line 1: a=1", "line 2: broken"], { header: false });
test(csv, "a,1,5s,x\n", ["line 1: broken"], { header: false });

test("an odd number of words is named by its place", async (t) => {
  const items = await collect(rowsFromWords(chunksOf("a 1\nb\t2  c\n", 2)));
  t.deepEqual(items.map(shownItem), [
    "word 1 (line 1): a=1",
    "word 3 (line 2): b=2",
    "word 5 (line 2): broken",
  ]);
});
