// The live table of kvctl watch: what it shows, in any size, and what --diff leaves out.

import test from "ava";
import fc from "fast-check";
import { diffOfValues } from "../../../client/cli/diff.js";
import { cellWidth, cutTo, fitted } from "../../../client/cli/live-table/cell-width.js";
import { frameLines } from "../../../client/cli/live-table/frame.js";
import { LiveRows } from "../../../client/cli/live-table/live-rows.js";
import type { Entry, WatchEvent } from "../../../client/index.js";

function entry(key: string, revision: number, value = "v"): Entry {
  return {
    ...{ key, keyBytes: Buffer.from(key), bytes: Buffer.from(value), version: 1, leaseId: 0n },
    ...{ createRevision: revision, modRevision: revision },
    text: () => value,
    json: () => value,
  };
}

function put(key: string, revision: number, value?: string): WatchEvent {
  const facts = { key, keyBytes: Buffer.from(key), revision, commitTime: new Date(0) };
  return { type: "put", ...facts, entry: entry(key, revision, value), previous: undefined };
}

function deletion(key: string, revision: number): WatchEvent {
  const facts = { key, keyBytes: Buffer.from(key), revision, commitTime: new Date(0) };
  return { type: "delete", ...facts, reason: "deleted", previous: undefined };
}

const style = (_: string, text: string) => text;

function lines(rows: LiveRows, size: { columns: number; rows: number }, nowMs = 0): string[] {
  return frameLines(rows, { ...size, nowMs, title: "all keys", style });
}

test("wide characters take two columns, combining ones none", (t) => {
  for (const [text, width] of [
    ["abc", 3],
    ["\u65e5\u672c", 4],
    ["e\u0301", 1],
    ["\u{1f600}", 2],
    ["", 0],
  ] as const) {
    t.is(cellWidth(text), width, text);
  }
  t.is(cutTo("abcdef", 4), "abc\u2026");
  t.is(cutTo("\u65e5\u672c\u8a9e", 4), "\u65e5\u2026");
  t.is(fitted("\u65e5\u672c\u8a9e", 4), "\u65e5\u2026 ");
});

test("what is cut fits, and what is fitted fills", (t) => {
  const text = fc.string({ unit: "grapheme" });
  const property = fc.property(text, fc.nat(20), (drawn, columns) => {
    return (
      cellWidth(cutTo(drawn, columns)) <= columns && cellWidth(fitted(drawn, columns)) >= columns
    );
  });
  t.notThrows(() => fc.assert(property));
});

test("a table fits every size, with any keys", (t) => {
  const keys = fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { maxLength: 30 });
  const size = fc.record({ columns: fc.nat(120), rows: fc.nat(40) });
  const property = fc.property(keys, size, (names, { columns, rows }) => {
    const table = new LiveRows();
    for (const [index, key] of names.entries()) table.take(put(key, index + 2, key), 0);
    const shown = lines(table, { columns: columns + 10, rows: rows + 1 });
    return shown.length <= rows + 1 && shown.every((line) => cellWidth(line) <= columns + 10);
  });
  t.notThrows(() => fc.assert(property));
});

test("changes are marked for a while, and what was deleted goes", (t) => {
  const table = new LiveRows();
  table.add(entry("a", 2), 0);
  table.add(entry("b", 3), 0);
  table.take(put("b", 4, "w"), 1_000);
  table.take(put("c", 5), 1_000);
  table.take(deletion("a", 6), 1_000);
  const marks = (nowMs: number) =>
    lines(table, { columns: 40, rows: 10 }, nowMs)
      .slice(2)
      .map((line) => line.slice(0, 3));
  t.deepEqual(marks(1_500), ["- a", "* b", "+ c"]);
  t.is(table.present, 2);
  table.forget(2_000);
  t.deepEqual(marks(10_000), ["  b", "  c"]);
  table.take(put("a", 7), 10_000);
  t.deepEqual(marks(10_000), ["+ a", "  b", "  c"]);
});

test("of more keys than lines those that changed last are shown, in the order of keys", (t) => {
  const table = new LiveRows();
  for (let index = 0; index < 9; index += 1) table.add(entry(`k${index}`, 2), 0);
  table.take(put("k7", 3), 0);
  table.take(put("k3", 4), 0);
  const shown = lines(table, { columns: 40, rows: 6 }).slice(2);
  t.deepEqual(
    shown.map((line) => line.slice(2, 7).replace(/ +v$/, "")),
    ["k0", "k3", "k7", "and 6"],
  );
});

test("a diff shows the lines around a change, and counts the others", (t) => {
  const before = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  const after = before.with(10, "other");
  const diff = diffOfValues(Buffer.from(before.join("\n")), Buffer.from(after.join("\n")));
  t.deepEqual(
    diff?.map(({ sign, text }) => sign + text),
    [
      ...[" \u2026 7 lines", " line 7", " line 8", " line 9", "-line 10", "+other"],
      ...[" line 11", " line 12", " line 13", " \u2026 6 lines"],
    ],
  );
});
