// What flows through import and export: lines, batches, pages, leases, output.

import { PassThrough, Writable } from "node:stream";
import test from "ava";
import fc from "fast-check";
import { diffOfLines, diffOfValues } from "../../../client/cli/diff.js";
import { OutputClosed } from "../../../client/cli/failure.js";
import { LeaseTimes } from "../../../client/cli/lease-times.js";
import { type Line, linesOf } from "../../../client/cli/lines.js";
import { pages, rowsOfPage } from "../../../client/cli/listing.js";
import { Output, type Streams } from "../../../client/cli/output.js";
import { tableText } from "../../../client/cli/table.js";
import { BatchSender, type PlacedPut } from "../../../client/cli/transfer/batch-sender.js";
import { type Entry, KvdClientError, put, type RangeResult } from "../../../client/index.js";

const never = new AbortController().signal;

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(bytes: Uint8Array, size: number, maxBytes: number): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of linesOf(chunksOf(bytes, size), { maxBytes })) lines.push(line);
  return lines;
}

test("lines are the same however the bytes arrive", async (t) => {
  const text = fc.array(fc.constantFrom("a", "bc", "\n", "\r\n", "é"), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 7 }), async (parts, size) => {
      const bytes = Buffer.from(parts.join(""));
      const expected = bytes.toString().split("\n");
      if (expected.at(-1) === "") expected.pop();
      const found = await collect(bytes, size, 1_000);
      t.deepEqual(
        found.map((line) => (line.kind === "line" ? Buffer.from(line.bytes).toString() : "")),
        expected,
      );
      t.deepEqual(
        found.map(({ number }) => number),
        expected.map((_, index) => index + 1),
      );
    }),
  );
});

test("a line that is too long is told by its number, and the next one is whole", async (t) => {
  const bytes = Buffer.from(`ok\n${"x".repeat(100)}\nlast`);
  for (const size of [1, 7, 1_000]) {
    const lines = await collect(bytes, size, 10);
    t.deepEqual(
      lines.map(({ kind, number }) => [kind, number]),
      [
        ["line", 1],
        ["too long", 2],
        ["line", 3],
      ],
    );
  }
});

function placed(key: string, line: number): PlacedPut {
  return { operation: put(key, String(line)), key, bytes: 10, place: String(line) };
}

/** What takes batches, and is done with each when it is told to. */
class Batches {
  readonly sent: { readonly lines: string[]; readonly answer: () => void }[] = [];
  readonly answered: string[] = [];

  send(puts: readonly PlacedPut[]): Promise<void> {
    return new Promise((resolve) => {
      const lines = puts.map(({ place }) => place);
      const answer = () => {
        this.answered.push(...lines);
        resolve();
      };
      this.sent.push({ lines, answer });
    });
  }
}

function senderTo(batches: Batches): BatchSender {
  const send = (puts: readonly PlacedPut[]) => batches.send(puts);
  return new BatchSender({ maxOperations: 2, maxBytes: 1_000, maxInFlight: 2, send });
}

/** Lets all that can go on go on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("batches are on their way together, up to the bound", async (t) => {
  const batches = new Batches();
  const sender = senderTo(batches);
  const all = (async () => {
    for (let line = 1; line <= 8; line += 1) await sender.add(placed(`k${line}`, line));
    await sender.finish();
  })();
  await turn();
  t.deepEqual(
    batches.sent.map(({ lines: sent }) => sent),
    [
      ["1", "2"],
      ["3", "4"],
    ],
  );
  batches.sent[1]?.answer();
  await turn();
  t.deepEqual(batches.sent[2]?.lines, ["5", "6"]);
  for (const index of [0, 2]) batches.sent[index]?.answer();
  await turn();
  batches.sent[3]?.answer();
  await all;
  t.deepEqual(batches.answered, ["3", "4", "1", "2", "5", "6", "7", "8"]);
});

test("a batch with a key that is on its way waits for it", async (t) => {
  const batches = new Batches();
  const sender = senderTo(batches);
  const all = (async () => {
    for (const [index, key] of ["a", "b", "c", "a"].entries()) {
      await sender.add(placed(key, index));
    }
    await sender.finish();
  })();
  await turn();
  t.is(batches.sent.length, 1);
  batches.sent[0]?.answer();
  await turn();
  t.deepEqual(batches.sent[1]?.lines, ["2", "3"]);
  batches.sent[1]?.answer();
  await all;
});

test("a batch never has a key twice", async (t) => {
  const batches = new Batches();
  const sender = senderTo(batches);
  await sender.add(placed("a", 1));
  const added = sender.add(placed("a", 2)).then(() => sender.finish());
  await turn();
  t.deepEqual(batches.sent[0]?.lines, ["1"]);
  batches.sent[0]?.answer();
  await turn();
  t.deepEqual(batches.sent[1]?.lines, ["2"]);
  batches.sent[1]?.answer();
  await added;
});

test("what a batch fails with comes out of the sender", async (t) => {
  const error = new KvdClientError("UNAVAILABLE", "gone");
  const send = () => Promise.reject(error);
  const sender = new BatchSender({ maxOperations: 1, maxBytes: 10, maxInFlight: 1, send });
  await sender.add(placed("a", 1));
  t.is(await t.throwsAsync(sender.finish()), error);
});

function entry(key: string, leaseId = 0n): Entry {
  const bytes = Buffer.from(key);
  return {
    key,
    keyBytes: bytes,
    bytes,
    createRevision: 2,
    modRevision: 2,
    version: 1,
    leaseId,
    text: () => key,
    json: () => key,
  };
}

function page(entries: string[], prefixes: string[], next?: string): RangeResult {
  return {
    revision: 5,
    entries: entries.map((key) => entry(key)),
    commonPrefixes: prefixes,
    commonPrefixBytes: prefixes.map((prefix) => Buffer.from(prefix)),
    more: next !== undefined,
    nextPageToken: next === undefined ? undefined : Buffer.from(next),
  };
}

const rowTexts = (result: RangeResult, reverse: boolean) =>
  [...rowsOfPage(result, reverse)].map((row) =>
    row.kind === "entry" ? row.entry.key : Buffer.from(row.prefix).toString(),
  );

test("keys and folded prefixes of a page are merged in the order of their bytes", (t) => {
  // U+FF5E sorts before U+1F600 as bytes, after it as UTF-16.
  const keys = ["a", "a0", "b", "\uff5e"];
  const prefixes = ["a/", "c/", "\u{1f600}/"];
  const merged = ["a", "a/", "a0", "b", "c/", "\uff5e", "\u{1f600}/"];
  t.deepEqual(rowTexts(page(keys, prefixes), false), merged);
  const reversed = page([...keys].reverse(), [...prefixes].reverse());
  t.deepEqual(rowTexts(reversed, true), [...merged].reverse());
  t.deepEqual(rowTexts(page([], ["x/"]), false), ["x/"]);
});

test("a listing goes on until its limit, over rows of both kinds", async (t) => {
  const asked: unknown[] = [];
  const answers = [page(["a"], ["b/"], "1"), page(["c"], [], "2")];
  const kv = {
    range: async (_: unknown, options: unknown) => {
      asked.push(options);
      return answers.shift() as RangeResult;
    },
  };
  let rows = 0;
  for await (const { entries, commonPrefixes } of pages(kv, {
    selector: { all: true },
    options: { keysOnly: true },
    limit: 3,
  })) {
    rows += entries.length + commonPrefixes.length;
  }
  t.is(rows, 3);
  t.deepEqual(asked, [
    { keysOnly: true, limit: 3 },
    { keysOnly: true, limit: 1, pageToken: Buffer.from("1") },
  ]);
});

test("a lease is asked for once, counts down, and is 0 when it is gone", async (t) => {
  let now = 0;
  const asked: bigint[] = [];
  const leases = {
    timeToLive: async (id: bigint) => {
      asked.push(id);
      if (id === 2n) {
        throw new KvdClientError("NOT_FOUND", "gone", { reason: "LEASE_NOT_FOUND" });
      }
      return { id, ttlMs: 5_000, grantedTtlMs: 9_000, keys: [], keyBytes: [], more: false };
    },
    list: async function* () {},
  };
  const times = new LeaseTimes(leases, { signal: never, now: () => now });
  const first = [entry("a", 1n), entry("b", 1n), entry("c"), entry("d", 2n)];
  await times.learn(first);
  await times.learn([entry("e", 1n)]);
  now = 1_200;
  t.deepEqual(
    first.map((found) => times.remainingMs(found)),
    [3_800, 3_800, undefined, 0],
  );
  now = 6_000;
  t.is(times.remainingMs(entry("a", 1n)), 0);
  t.deepEqual(asked, [1n, 2n]);
});

test("many leases are listed together, and those that came since are asked for", async (t) => {
  const asked: bigint[] = [];
  const leases = {
    timeToLive: async (id: bigint) => {
      asked.push(id);
      return { id, ttlMs: 7_000, grantedTtlMs: 9_000, keys: [], keyBytes: [], more: false };
    },
    list: async function* () {
      for (let id = 1n; id < 600n; id += 1n) yield { id, ttlMs: 5_000, grantedTtlMs: 9_000 };
    },
  };
  const times = new LeaseTimes(leases, { signal: never, now: () => 0 });
  const entries = Array.from({ length: 600 }, (_, index) => entry("k", BigInt(index + 1)));
  await times.learn(entries);
  t.deepEqual(asked, [600n]);
  t.is(times.remainingMs(entry("k", 1n)), 5_000);
  t.is(times.remainingMs(entry("k", 600n)), 7_000);
});

test("a table keeps to the width it has, and every cell stays whole", async (t) => {
  const key = "a-key-that-is-rather-long";
  const rows = [[key, "x".repeat(50), "123456"]];
  const wide = await tableText(["key", "value", "revision"], rows, { right: [2], columns: 200 });
  t.is(wide, await tableText(["key", "value", "revision"], rows, { right: [2] }));
  for (const columns of [60, 40, 20]) {
    const table = await tableText(["key", "value", "revision"], rows, { right: [2], columns });
    const lines = table.split("\n");
    for (const line of lines) t.true(line.length <= columns, `${columns}: ${line}`);
    const cells = lines.slice(3).map((line) => line.split("│").map((cell) => cell.trim()));
    const column = (index: number) => cells.map((row) => row[index] ?? "").join("");
    t.true(column(1).includes(key));
    t.is(column(2).replace(/[^x]/g, "").length, 50);
    if (columns >= 40) t.true(lines.some((line) => line.includes(" 123456 ")));
  }
});

test("a narrow table cuts no character in two, and leaves no wide one out", async (t) => {
  for (const value of ["x😀".repeat(20), "城市".repeat(20), "a\n😀😀😀😀😀😀😀😀😀\nb"]) {
    const table = await tableText(["key", "value"], [["k", value]], { columns: 20 });
    t.true(!/\p{Cs}/u.test(table), table);
    const cells = table.split("\n").map((line) => line.split("│")[2]?.trim() ?? "");
    t.is(cells.slice(2).join(""), value.replaceAll("\n", ""));
  }
});

const settings = { format: "text", quiet: false, color: "auto" } as const;

function streams(more: Partial<Streams> = {}): Streams {
  return { stdout: new PassThrough(), stderr: new PassThrough(), environment: {}, ...more };
}

function terminal(): PassThrough & { isTTY: boolean } {
  return Object.assign(new PassThrough(), { isTTY: true });
}

test("colours follow the flag, then FORCE_COLOR, then NO_COLOR, then the terminal", (t) => {
  const colored = (color: "auto" | "always" | "never", more: Partial<Streams>) =>
    new Output({ ...settings, color }, streams(more)).style("red", "x") !== "x";
  const tty = { stdout: terminal() };
  t.false(colored("auto", {}));
  t.true(colored("auto", tty));
  t.false(colored("auto", { ...tty, environment: { NO_COLOR: "1" } }));
  t.true(colored("auto", { ...tty, environment: { NO_COLOR: "" } }));
  t.true(colored("auto", { environment: { FORCE_COLOR: "1", NO_COLOR: "1" } }));
  t.false(colored("auto", { ...tty, environment: { FORCE_COLOR: "0" } }));
  t.false(colored("auto", { ...tty, environment: { TERM: "dumb" } }));
  t.true(colored("always", { environment: { NO_COLOR: "1" } }));
  t.false(colored("never", { ...tty, environment: { FORCE_COLOR: "1" } }));
});

test("output waits for a reader that is slow", async (t) => {
  const taken: (() => void)[] = [];
  const stdout = new Writable({
    write: (_, __, done) => {
      taken.push(done);
    },
  });
  const output = new Output(settings, streams({ stdout }));
  let written = false;
  const writing = output.write("x".repeat(100_000)).then(() => {
    written = true;
  });
  await turn();
  t.false(written);
  taken[0]?.();
  await writing;
  t.true(written);
});

test("a reader that is gone ends the output", async (t) => {
  const stdout = new Writable({
    write: (_, __, done) => done(Object.assign(new Error("broken"), { code: "EPIPE" })),
  });
  const output = new Output(settings, streams({ stdout }));
  await output.line("x");
  await t.throwsAsync(output.flush(), { instanceOf: OutputClosed });
});

test("stored control characters are escaped in JSON for a terminal only", (t) => {
  const json = JSON.stringify({ value: "\u009b1m" });
  t.is(new Output(settings, streams()).jsonText(json), json);
  const shown = new Output(settings, streams({ stdout: terminal() })).jsonText(json);
  t.is(shown, '{"value":"\\u009b1m"}');
});

test("a difference turns one list of lines into the other, with the fewest steps", (t) => {
  const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });
  fc.assert(
    fc.property(lines, lines, (old, now) => {
      const diff = diffOfLines(old, now);
      const without = (sign: string) =>
        diff.filter((line) => line.sign !== sign).map((line) => line.text);
      t.deepEqual(without("+"), old);
      t.deepEqual(without("-"), now);
      if (old.join() === now.join()) t.true(diff.every(({ sign }) => sign === " "));
    }),
  );
});

test("JSON values differ by their members, bytes that are no text not at all", (t) => {
  const diff = diffOfValues(Buffer.from('{"a":1,"b":2}'), Buffer.from('{"a":1,"b":3}'));
  t.deepEqual(
    diff?.map(({ sign, text }) => sign + text),
    [" {", '   "a": 1,', '-  "b": 2', '+  "b": 3', " }"],
  );
  t.is(diffOfValues(Buffer.from([255]), Buffer.from("a")), undefined);
  t.deepEqual(diffOfValues(undefined, Buffer.from("a")), [{ sign: "+", text: "a" }]);
});
