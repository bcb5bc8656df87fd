// The history of the shell: what is kept, where, and what is not.

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { History, historyFile } from "../../../client/cli/shell/history.js";
import { nearestWord } from "../../../client/cli/shell/nearest.js";
import { rememberedWords } from "../../../client/cli/shell/secrets.js";
import { lineFromText } from "../../../client/cli/shell/words.js";

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "kvctl-"));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

test("several shells share one history, which only its user can read", async (t) => {
  const path = join(await folder(t), "state/kvctl/history");
  const [one, other] = [new History(path), new History(path)];
  one.add("get a");
  other.add("get b");
  one.add("get b");
  one.add("get c");
  t.deepEqual(other.lines, ["get a", "get b", "get c"]);
  t.deepEqual(new History(path).lines, ["get a", "get b", "get c"]);
  t.is((await stat(path)).mode & 0o777, 0o600);
});

test("a history that has grown is cut, and loses the oldest", async (t) => {
  const at = await folder(t);
  const path = join(at, "history");
  const lines = Array.from({ length: 20_000 }, (_, index) => `get key/${index}`);
  await writeFile(path, `${lines.join("\n")}\n`);
  t.is(new History(path).lines.length, 1_000);
  t.true((await readFile(path, "utf8")).endsWith("get key/19999\n"));
  t.true((await stat(path)).size < 20_000);
  t.deepEqual(await readdir(at), ["history"]);
});

test("a history that cannot be written is kept as long as the shell", async (t) => {
  const at = await folder(t);
  await writeFile(join(at, "file"), "");
  const history = new History(join(at, "file/history"));
  history.add("get a");
  t.deepEqual(history.lines, ["get a"]);
  history.add("x".repeat(5_000));
  t.deepEqual(history.lines, ["get a"]);
});

test("the history is where the system keeps state", (t) => {
  t.is(historyFile({ XDG_STATE_HOME: "/s", HOME: "/h" }), "/s/kvctl/history");
  t.is(historyFile({ XDG_STATE_HOME: "relative", HOME: "/h" }), "/h/.local/state/kvctl/history");
  t.is(historyFile({ HOME: "/h" }), "/h/.local/state/kvctl/history");
});

const kept = test.macro({
  exec: (t, line: string, left: string) => {
    const words = lineFromText(line).words.map(({ text }) => text);
    t.deepEqual(rememberedWords(words).join(" "), left);
  },
  title: (_, line: string) => `what is kept of ${line}`,
});

test(kept, "put city/KE Nairobi", "put city/KE Nairobi");
test(kept, "put db/password hunter2", "put db/password");
test(kept, "SET user/7/API_KEY abc --ttl 1h", "SET user/7/API_KEY");
test(kept, "get db/password --output json", "get db/password --output json");
test(kept, "put note password=hunter2", "put note");
test(kept, `put config '{"token": "abc"}'`, "put config");
test(kept, "txn 'mod(a/token) = 0' -- put a/token x", "txn");
test(kept, "get k --token=abc", "get k --token");
test(kept, "get k --token abc", "get k --token");
test(kept, "cas db/secret old new", "cas db/secret");

test("the nearest word is found, unless all are far off", (t) => {
  const known = ["get", "put", "delete", "quit", "watch"];
  t.is(nearestWord("gte", known), "get");
  t.is(nearestWord("qiut", known), "quit");
  t.is(nearestWord("delte", known), "delete");
  t.is(nearestWord("wahtc", known), undefined);
  t.is(nearestWord("nonsense", known), undefined);
});
