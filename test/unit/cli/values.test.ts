// The verbs that change a value by what it was: incr, swap, cas, mv, cp, ttl, touch.

import test from "ava";
import { rows, shell } from "./shell.js";

test("incr counts from 0, by any step, and prints the sum", async (t) => {
  const { kv, kvctl } = await shell(t);
  t.deepEqual(await kvctl("incr", "n"), { exitCode: 0, stdout: "1\n", stderr: "" });
  t.is((await kvctl("incr", "n", "41")).stdout, "42\n");
  t.is((await kvctl("incr", "n", "-50")).stdout, "-8\n");
  t.is((await kvctl("incr", "n", "--quiet", "--output", "raw")).stdout, "-7");
  await kv.put("n", "7\n");
  const [form] = rows(await kvctl("incr", "n", "--output", "jsonl"));
  t.deepEqual(form, { key: "n", value: "8", previous: "7", revision: 7 });
  t.is((await kv.get("n"))?.text(), "8");
});

test("incr refuses what is no number, or leaves 64 bits, and writes nothing", async (t) => {
  const { kv, kvctl } = await shell(t);
  for (const value of ["", "x", "1.5", "9223372036854775808", "1 2"]) {
    await kv.put("n", value);
    t.is((await kvctl("incr", "n")).exitCode, 6, value);
    t.is((await kv.get("n"))?.text(), value);
  }
  await kv.put("n", "9223372036854775807");
  const { exitCode, stderr } = await kvctl("incr", "n");
  t.is(exitCode, 6);
  t.regex(stderr, /9223372036854775808 would leave/);
  t.is((await kvctl("incr", "n", "-9223372036854775808")).stdout, "-1\n");
  t.is((await kvctl("incr", "n", "x")).exitCode, 2);
  t.is((await kvctl("incr", "n", "9223372036854775808")).exitCode, 2);
});

test("no increment is lost when many do it at once", async (t) => {
  const { kv, kvctl } = await shell(t);
  const sums = await Promise.all(Array.from({ length: 20 }, () => kvctl("incr", "n")));
  const numbers = sums.map(({ stdout }) => Number(stdout)).sort((a, b) => a - b);
  t.deepEqual(
    numbers,
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  t.is((await kv.get("n"))?.text(), "20");
});

test("incr, swap and cas keep the lease, unless another is given", async (t) => {
  const { kv, kvctl } = await shell(t);
  const { id } = await kv.lease.grant("1h");
  const leaseOf = async () => (await kv.get("k"))?.leaseId;
  await kv.put("k", "1", { leaseId: id });
  await kvctl("incr", "k");
  t.is(await leaseOf(), id);
  await kvctl("swap", "k", "3");
  t.is(await leaseOf(), id);
  await kvctl("cas", "k", "3", "4");
  t.is(await leaseOf(), id);
  await kvctl("swap", "k", "5", "--ttl", "1m");
  t.not(await leaseOf(), id);
  t.is((await kvctl("swap", "k", "5", "--ttl", "1m", "--lease", "7")).exitCode, 2);
});

test("swap prints the value before, byte by byte", async (t) => {
  const { kv, kvctl } = await shell(t);
  const first = await kvctl("swap", "k", "a");
  t.like(first, { exitCode: 0, stdout: "" });
  t.regex(first.stderr, /there was no "k"/);
  t.is((await kvctl("swap", "k", "b")).stdout, "a\n");
  t.is((await kvctl("swap", "k", "c", "--output", "raw")).stdout, "b");
  const [form] = rows(await kvctl("swap", "k", "d", "--output", "jsonl"));
  t.like(form, { revision: 5, previous: { key: "k", value: "c", modRevision: 4 } });
  t.is((await kv.get("k"))?.text(), "d");
});

test("cas writes only over what is expected, and shows what is there", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("k", "a");
  t.deepEqual(await kvctl("cas", "k", "a", "b"), {
    exitCode: 0,
    stdout: "revision 3\n",
    stderr: "",
  });
  t.like(await kvctl("cas", "k", "a", "c"), { exitCode: 1, stdout: "b\n" });
  t.like(await kvctl("cas", "absent", "a", "c"), { exitCode: 1, stdout: "" });
  t.is((await kvctl("cas", "new", "--absent", "1")).exitCode, 0);
  t.like(await kvctl("cas", "new", "--absent", "2"), { exitCode: 1, stdout: "1\n" });
  const lost = await kvctl("cas", "k", "x", "y", "--output", "jsonl");
  t.is(lost.exitCode, 1);
  t.like(rows(lost)[0], { succeeded: false, entry: { value: "b" } });
  t.is((await kv.get("k"))?.text(), "b");
  for (const words of [["k"], ["k", "a"], ["k", "a", "b", "c"], ["k", "--absent", "a", "b"]]) {
    t.is((await kvctl("cas", ...words)).exitCode, 2, words.join(" "));
  }
});

test("mv takes the lease along, and never loses the key", async (t) => {
  const { kv, kvctl } = await shell(t);
  const { leaseId } = await kv.put("a", "1", { ttl: "1h" });
  t.is((await kvctl("mv", "a", "b")).stdout, "moved 1, revision 3\n");
  t.is(await kv.get("a"), undefined);
  t.like(await kv.get("b"), { leaseId, modRevision: 3 });
  t.is((await kvctl("mv", "a", "c")).exitCode, 1);
  t.is((await kvctl("mv", "b", "b")).exitCode, 2);
  t.is((await kvctl("mv", "b")).exitCode, 2);
});

test("cp and mv write over a key only when they are told to", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("a", "1");
  await kv.put("b", "2");
  const refused = await kvctl("cp", "a", "b");
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /"b" is there already; --force/);
  t.is((await kv.get("b"))?.text(), "2");
  const [form] = rows(await kvctl("cp", "a", "b", "--force", "--output", "jsonl"));
  t.deepEqual(form, { copied: 1, revision: 4 });
  t.is((await kv.get("b"))?.text(), "1");
  t.is((await kvctl("mv", "a", "b", "--force", "--quiet")).stdout, "");
});

test("a tree moves whole, keys that are no text among them", async (t) => {
  const { kv, kvctl } = await shell(t);
  const odd = Buffer.from("old/\xff\x00", "latin1");
  await kv.put(odd, odd);
  for (let key = 0; key < 600; key += 1) await kv.put(`old/${key}`, String(key));
  t.regex((await kvctl("mv", "--prefix", "old/", "new/")).stdout, /^moved 601, /);
  t.is((await kv.count({ prefix: "old/" })).count, 0);
  t.is((await kv.count({ prefix: "new/" })).count, 601);
  t.is((await kv.get("new/599"))?.text(), "599");
  const moved = await kv.get(Buffer.from("new/\xff\x00", "latin1"));
  t.deepEqual(moved && Buffer.from(moved.bytes), odd);
});

test("a tree with a key in its way is left where it is", async (t) => {
  const { kv, kvctl } = await shell(t);
  for (const key of ["a/1", "a/2", "a/3", "b/2"]) await kv.put(key, key);
  const { revision } = await kv.maintenance.status();
  const { exitCode, stderr } = await kvctl("mv", "--prefix", "a/", "b/");
  t.is(exitCode, 1);
  t.regex(stderr, /"b\/2" is there already/);
  t.is((await kv.maintenance.status()).revision, revision);
  t.is((await kvctl("cp", "--prefix", "a/", "b/", "--force")).stdout, "copied 3, revision 6\n");
  t.is((await kvctl("mv", "--prefix", "a/", "a/b/")).exitCode, 2);
  t.is((await kvctl("mv", "--prefix", "none/", "x/")).exitCode, 1);
});

test("ttl tells what remains, or none", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("k", "1", { ttl: "2h" });
  await kv.put("plain", "1");
  t.regex((await kvctl("ttl", "k")).stdout, /^(?:2h|1h59m)\n$/);
  t.is((await kvctl("ttl", "plain")).stdout, "none\n");
  t.deepEqual(rows(await kvctl("ttl", "plain", "--output", "jsonl")), [
    { key: "plain", ttl: null },
  ]);
  t.like(rows(await kvctl("ttl", "k", "--output", "jsonl"))[0], { key: "k", grantedTtl: "7200s" });
  t.like(await kvctl("ttl", "absent"), { exitCode: 1, stdout: "" });
});

test("touch renews a lease, gives one, or takes it away; the value stays", async (t) => {
  const { kv, kvctl } = await shell(t);
  const { revision } = await kv.put("k", "value", { ttl: "1h" });
  t.is((await kvctl("touch", "k")).stdout, "ttl 1h\n");
  t.is((await kv.get("k"))?.modRevision, revision);
  t.is((await kvctl("touch", "k", "--ttl", "2m")).stdout, `ttl 2m, revision ${revision + 1}\n`);
  t.is((await kvctl("touch", "k", "--persist")).stdout, `ttl none, revision ${revision + 2}\n`);
  t.like(await kv.get("k"), { leaseId: 0n });
  t.is((await kv.get("k"))?.text(), "value");
  const without = await kvctl("touch", "k");
  t.is(without.exitCode, 1);
  t.regex(without.stderr, /no lease .* --ttl/);
  t.is((await kvctl("touch", "absent", "--ttl", "1m")).exitCode, 1);
  t.is((await kvctl("touch", "k", "--ttl", "1m", "--persist")).exitCode, 2);
});

test("keys that are no text go in as hex", async (t) => {
  const { kv, kvctl } = await shell(t);
  const hex = (...words: string[]) => kvctl(...words, "--key-encoding", "hex");
  const key = Uint8Array.of(0xff, 0);
  t.is((await hex("incr", "ff00")).stdout, "1\n");
  t.like(rows(await hex("incr", "ff00", "--output", "jsonl"))[0], { key64: "/wA=" });
  t.is((await hex("swap", "ff00", "5")).stdout, "2\n");
  t.is((await hex("cas", "ff00", "5", "6")).exitCode, 0);
  t.is((await hex("cp", "ff00", "ff01")).exitCode, 0);
  t.is((await hex("ttl", "ff00")).stdout, "none\n");
  t.regex((await hex("history", "ff00")).stdout, /put {5}6\n/);
  t.is((await kv.get(key))?.text(), "6");
});
