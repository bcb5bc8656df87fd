// kvctl watch --checkpoint: positions, the file, and whole watches that end and go on.

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { Checkpoint } from "../../../client/cli/watch-checkpoint.js";
import { type WatchPosition, WatchProgress } from "../../../client/cli/watch-progress.js";
import type { WatchEvent, WatchStep } from "../../../client/index.js";
import { type Ended, rows, type Shell, shell } from "./shell.js";

const none = { includeCurrent: false };

function events(revision: number, count: number): readonly WatchEvent[] {
  return Array.from({ length: count }, () => ({ revision }) as WatchEvent);
}

/** What a server tells of a history from a revision on, in steps of at most `size` changes. */
function* stepsOf(
  history: readonly number[],
  from: number,
  size: number,
): Generator<WatchStep & { readonly names?: readonly string[] }> {
  yield { kind: "created", revision: history.length, storeId: "s" };
  for (const [index, count] of history.entries()) {
    const revision = index + 1;
    if (revision < from) continue;
    for (let at = 0; at < count; at += size) {
      const part = events(revision, Math.min(size, count - at));
      const names = part.map((_, place) => `${revision}.${at + place}`);
      yield { kind: "events", revision, events: part, fragment: at + size < count, names };
    }
    if (count === 0) yield { kind: "progress", revision };
  }
}

test("whenever a watch ends, the next one goes on with the very next change", (t) => {
  const counts = fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 8 });
  const runs = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 12 });
  fc.assert(
    fc.property(counts, runs, fc.integer({ min: 1, max: 3 }), (history, ends, size) => {
      const seen: string[] = [];
      let position: WatchPosition | undefined = { revision: 1, events: 0 };
      for (const end of [...ends, Number.POSITIVE_INFINITY]) {
        position = watchUntil(end, history, size, position, seen);
      }
      const all = history.flatMap((count, index) =>
        Array.from({ length: count }, (_, place) => `${index + 1}.${place}`),
      );
      t.deepEqual(seen, all);
      t.deepEqual(position, { revision: history.length + 1, events: 0 });
    }),
  );
});

/** A run that handles so many changes at most; where it stands then. */
function watchUntil(
  end: number,
  history: readonly number[],
  size: number,
  from: WatchPosition,
  seen: string[],
): WatchPosition {
  const progress = new WatchProgress(from);
  let left = end;
  for (const step of stepsOf(history, from.revision, size)) {
    for (const [index, event] of step.kind === "events" ? step.events.entries() : []) {
      if (!progress.take(event)) continue;
      seen.push(step.names?.[index] ?? "");
      progress.eventDone();
      left -= 1;
      if (left === 0) return progress.position as WatchPosition;
    }
    progress.stepDone(step, none);
  }
  return progress.position as WatchPosition;
}

test("while present entries are not complete there is nowhere to go on", (t) => {
  const progress = new WatchProgress(undefined);
  const all = { includeCurrent: true };
  progress.stepDone({ kind: "created", revision: 5, storeId: "s" }, all);
  progress.stepDone({ kind: "current", revision: 5, entries: [] }, all);
  t.is(progress.position, undefined);
  progress.stepDone({ kind: "synced", revision: 5 }, all);
  t.deepEqual(progress.position, { revision: 6, events: 0 });
});

test("progress below a start in the future takes nothing back", (t) => {
  const progress = new WatchProgress({ revision: 100, events: 0 });
  progress.stepDone({ kind: "progress", revision: 7 }, none);
  t.deepEqual(progress.position, { revision: 100, events: 0 });
  progress.stepDone({ kind: "progress", revision: 100 }, none);
  t.deepEqual(progress.position, { revision: 101, events: 0 });
});

/** A watch of all keys with a checkpoint, for so many changes; the keys that it printed. */
async function watched({ folder, kvctl }: Shell, max: number, ...more: string[]) {
  const file = join(folder, "checkpoint");
  const flags = ["--max", String(max), "--checkpoint", file, "--output", "jsonl"];
  const ended = await kvctl("watch", "--all", ...flags, ...more);
  return { ...ended, changes: changesOf(ended) };
}

function changesOf(ended: Ended): string[] {
  const told = rows(ended) as { type: string; key: string; revision: number }[];
  return told.filter(({ type }) => type !== "synced").map(({ key }) => key);
}

test("a watch goes on in the middle of a revision", async (t) => {
  const here = await shell(t);
  const { kv, folder } = here;
  await kv.put("a", "");
  await kv.txn({
    success: ["b", "c", "d"].map((key) => ({ kind: "put", key, value: "", options: {} })),
  });
  await kv.put("e", "");
  t.deepEqual((await watched(here, 2, "--rev", "1")).changes, ["a", "b"]);
  const file = JSON.parse(await readFile(join(folder, "checkpoint"), "utf8"));
  const { storeId } = await kv.maintenance.status();
  t.deepEqual(file, { watch: { all: true }, storeId, revision: 3, events: 1 });
  t.deepEqual((await watched(here, 1)).changes, ["c"]);
  t.deepEqual((await watched(here, 2, "--rev", "1")).changes, ["d", "e"]);
  t.deepEqual(await readdir(folder), ["checkpoint"]);
});

test("the present entries come once, then what changed since", async (t) => {
  const here = await shell(t);
  await here.kv.put("a", "");
  const first = watched(here, 1, "--include-current");
  const file = join(here.folder, "checkpoint");
  while (!(await readdir(here.folder)).includes("checkpoint")) await here.kv.count({ all: true });
  t.like(JSON.parse(await readFile(file, "utf8")), { revision: 3, events: 0 });
  await here.kv.put("b", "");
  t.deepEqual((await first).changes, ["a", "b"]);
  await here.kv.put("c", "");
  t.deepEqual((await watched(here, 1, "--include-current")).changes, ["c"]);
});

test("a command that has ended is not run again, even when it failed", async (t) => {
  const here = await shell(t);
  for (const key of ["a", "b"]) await here.kv.put(key, "");
  t.is((await watched(here, 1, "--rev", "1", "--", "false")).exitCode, 8);
  const file = await readFile(join(here.folder, "checkpoint"), "utf8");
  t.like(JSON.parse(file), { revision: 2, events: 1 });
  t.deepEqual((await watched(here, 1)).changes, ["b"]);
});

test("a checkpoint of another store, or of compacted history, ends with 7 and is kept", async (t) => {
  const [here, other] = [await shell(t), await shell(t)];
  for (const value of ["1", "2"]) await here.kv.put("a", value);
  await watched(here, 1, "--rev", "1");
  const elsewhere = await watched({ ...other, folder: here.folder }, 1);
  t.is(elsewhere.exitCode, 7);
  t.regex(elsewhere.stderr, /of store \w+, but .* has store \w+; remove the file to begin anew/);
  await here.kv.maintenance.compact(3);
  const late = await watched(here, 1);
  t.is(late.exitCode, 7);
  t.regex(late.stderr, /goes on at revision 2, but history begins at 3/);
  t.like(JSON.parse(await readFile(join(here.folder, "checkpoint"), "utf8")), { revision: 2 });
});

test("a revision that was asked for and is compacted leaves no checkpoint", async (t) => {
  const here = await shell(t);
  for (const value of ["1", "2"]) await here.kv.put("a", value);
  await here.kv.maintenance.compact(3);
  const { exitCode, stderr } = await watched(here, 1, "--rev", "1");
  t.is(exitCode, 7);
  t.notRegex(stderr, /go on/);
  t.deepEqual(await readdir(here.folder), []);
});

test("a file that is no checkpoint, or of another selector, is refused and left as it is", async (t) => {
  const { folder, kvctl } = await shell(t);
  const file = join(folder, "checkpoint");
  const position = { storeId: "s", revision: 2, events: 0 };
  for (const [content, exitCode] of [
    ["nonsense", 6],
    ["{}", 6],
    [JSON.stringify({ ...position, watch: { all: true }, events: -1 }), 6],
    [JSON.stringify({ ...position, watch: { all: true }, revision: "2" }), 6],
    [JSON.stringify({ ...position, watch: { prefix: "b" } }), 2],
    [JSON.stringify({ ...position, watch: { key: "a" } }), 2],
  ] as const) {
    await writeFile(file, content);
    const { exitCode: ended, stderr } = await kvctl("watch", "--prefix", "a", "--checkpoint", file);
    t.is(ended, exitCode, stderr);
    t.is(await readFile(file, "utf8"), content);
  }
  t.is((await kvctl("watch", "--all", "--checkpoint", folder)).exitCode, 2);
  t.is((await kvctl("watch", "--all", "--checkpoint", "-")).exitCode, 2);
  t.is((await kvctl("watch", "--all", "--checkpoint", join(folder, "none/f"))).exitCode, 2);
});

test("an empty file is a checkpoint to be", async (t) => {
  const here = await shell(t);
  await here.kv.put("a", "");
  await writeFile(join(here.folder, "checkpoint"), "");
  t.deepEqual((await watched(here, 1, "--rev", "1")).changes, ["a"]);
});

test("bytes of a selector that are no text are kept", async (t) => {
  const { kv, folder, kvctl } = await shell(t);
  const file = join(folder, "checkpoint");
  const watch = ["watch", "--prefix", "ff", "--key-encoding", "hex", "--checkpoint", file];
  for (const value of ["1", "2"]) await kv.put(Uint8Array.of(0xff, 1), value);
  t.is((await kvctl(...watch, "--rev", "1", "--max", "1")).exitCode, 0);
  t.deepEqual(JSON.parse(await readFile(file, "utf8")).watch, { prefix64: "/w==" });
  t.regex((await kvctl(...watch, "--max", "1")).stdout, /^ +3 put/);
});

test("of what is noted quickly the newest is written", async (t) => {
  const { folder } = await shell(t);
  const file = join(folder, "checkpoint");
  const checkpoint = await Checkpoint.open(file, { all: true });
  checkpoint.storeId = "s";
  for (let revision = 1; revision <= 1_000; revision += 1) {
    checkpoint.note({ revision, events: 0 });
  }
  await checkpoint.flush();
  t.like(JSON.parse(await readFile(file, "utf8")), { revision: 1_000 });
  checkpoint.note({ revision: 1_000, events: 1 });
  await checkpoint.flush();
  const again = await Checkpoint.open(file, { all: true });
  t.deepEqual(again.stored, { storeId: "s", position: { revision: 1_000, events: 1 } });
});

test("a checkpoint that cannot be written any more ends the watch", async (t) => {
  const { folder } = await shell(t);
  const inner = join(folder, "inner");
  await mkdir(inner);
  const checkpoint = await Checkpoint.open(join(inner, "checkpoint"), { all: true });
  checkpoint.note({ revision: 1, events: 0 });
  await checkpoint.flush();
  await rm(inner, { recursive: true });
  checkpoint.note({ revision: 2, events: 0 });
  await t.throwsAsync(checkpoint.flush(), { message: /cannot write/ });
  t.throws(() => checkpoint.note({ revision: 3, events: 0 }), { message: /cannot write/ });
});
