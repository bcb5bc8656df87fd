// Reads and writes through the client, against a real server: every call, good and bad. The
// semantics of the store are tested elsewhere; here it is that nothing is lost in translation.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import {
  absent,
  compare,
  del,
  exists,
  get,
  json,
  KvdClientError,
  put,
  type Reason,
  range,
  txn,
} from "../../../client/index.js";
import { serve } from "./served.js";

async function refused(
  t: ExecutionContext,
  outcome: Promise<unknown>,
  code: string,
  reason: Reason,
): Promise<KvdClientError | undefined> {
  const error = await t.throwsAsync(outcome, { instanceOf: KvdClientError });
  t.deepEqual([error?.code, error?.reason], [code, reason]);
  return error;
}

test("what is put can be read back, as text, as JSON and as bytes", async (t) => {
  const { kv } = await serve(t);
  const { revision } = await kv.put("kenya:capital", json({ name: "Nairobi" }));
  const entry = await kv.get("kenya:capital");
  t.is(entry?.key, "kenya:capital");
  t.deepEqual(entry?.keyBytes, new TextEncoder().encode("kenya:capital"));
  t.is(entry?.text(), '{"name":"Nairobi"}');
  t.deepEqual(entry?.json(), { name: "Nairobi" });
  t.deepEqual(entry?.bytes, new TextEncoder().encode('{"name":"Nairobi"}'));
  t.like(entry, { createRevision: revision, modRevision: revision, version: 1, leaseId: 0n });
  t.is(await kv.get("kenya"), undefined);
});

test("text of every plane comes back as it was, and an empty value is a value", async (t) => {
  const { kv } = await serve(t);
  for (const text of ["", "é", "\ufeffmark", "\u0000", "😀", "\uffff", "x".repeat(300)]) {
    await kv.put(`k${text}`, text);
    const entry = await kv.get(`k${text}`);
    t.is(entry?.key, `k${text}`);
    t.is(entry?.text(), text);
  }
});

test("a key that is not UTF-8 shows with U+FFFD and is exact in keyBytes", async (t) => {
  const { kv } = await serve(t);
  const key = Uint8Array.of(0x61, 0xff);
  await kv.put(key, Uint8Array.of(0xfe));
  const entry = await kv.get(key);
  t.is(entry?.key, "a\ufffd");
  t.deepEqual(entry?.keyBytes, key);
  t.throws(() => entry?.text(), { instanceOf: TypeError });
  t.throws(() => entry?.json(), { instanceOf: TypeError });
  t.is(await kv.get("a\ufffd"), undefined);
});

test("a key given as the bytes of a text is that text", async (t) => {
  const { kv } = await serve(t);
  await kv.put(new TextEncoder().encode("é"), "1");
  t.is((await kv.get("é"))?.key, "é");
});

test("an entry's bytes are plain bytes that may be changed without touching another", async (t) => {
  const { kv } = await serve(t);
  await kv.put("a", "11");
  await kv.put("b", "22");
  const [first, second] = (await kv.range({ all: true })).entries;
  t.is(Object.getPrototypeOf(first?.bytes), Uint8Array.prototype);
  first?.bytes.fill(0);
  t.is(second?.text(), "22");
  t.is(second?.key, "b");
});

test("put options reach the server", async (t) => {
  const { kv } = await serve(t);
  const first = await kv.put("a", "1", { ttl: "1h", expectedModRevision: 0 });
  t.is(first.ttlMs, 3_600_000);
  t.not(first.leaseId, 0n);
  const kept = await kv.put("a", "2", { keepLease: true, returnPrevious: true });
  t.is(kept.leaseId, first.leaseId);
  t.is(kept.previous?.text(), "1");
  const freed = await kv.put("a", "3");
  t.like(freed, { leaseId: 0n, ttlMs: undefined, previous: undefined });
  t.is((await kv.get("a", { revision: first.revision }))?.text(), "1");
});

test("a lost precondition tells what is there", async (t) => {
  const { kv } = await serve(t);
  const { revision } = await kv.put("a", "1");
  const lost = kv.put("a", "2", { expectedModRevision: 0 });
  const error = await refused(t, lost, "FAILED_PRECONDITION", "PRECONDITION_FAILED");
  t.like(error?.details, { modRevision: revision, revision });
  const gone = await t.throwsAsync<KvdClientError>(kv.put("b", "", { expectedModRevision: 5 }));
  t.is(gone?.details.modRevision, 0);
});

test("bad input gets the server's reason and changes nothing", async (t) => {
  const { kv } = await serve(t);
  const { hash } = await kv.maintenance.hash();
  const bad = "INVALID_ARGUMENT";
  await refused(t, kv.get(""), bad, "KEY_EMPTY");
  await refused(t, kv.put("", "1"), bad, "KEY_EMPTY");
  await refused(t, kv.put("a".repeat(8193), "1"), bad, "KEY_TOO_LONG");
  await refused(t, kv.put("a", new Uint8Array(1.5 * 1024 * 1024 + 1)), bad, "VALUE_TOO_LARGE");
  await refused(t, kv.put("a", "1", { ttl: "1ms" }), bad, "TTL_OUT_OF_RANGE");
  await refused(t, kv.put("a", "1", { ttl: -5 }), bad, "TTL_OUT_OF_RANGE");
  await refused(t, kv.put("a", "1", { leaseId: 7n }), "NOT_FOUND", "LEASE_NOT_FOUND");
  await refused(t, kv.get("a", { revision: -1 }), bad, "NUMBER_OUT_OF_RANGE");
  await refused(t, kv.get("a", { revision: 99 }), "OUT_OF_RANGE", "REVISION_FUTURE");
  await refused(t, kv.delete({ prefix: "" }), bad, "PREFIX_EMPTY");
  const conflict = kv.put("a", "1", { ttl: "1m", keepLease: true });
  const error = await refused(t, conflict, bad, "FIELD_CONFLICT");
  t.deepEqual([...(error?.details.fields ?? [])].sort(), ["keep_lease", "ttl"]);
  t.deepEqual((await kv.maintenance.hash()).hash, hash);
});

test("a delete tells what went, and how many remain", async (t) => {
  const { kv } = await serve(t);
  for (const key of ["a", "b", "c"]) await kv.put(key, key);
  const some = await kv.delete({ all: true }, { limit: 2, returnPrevious: true });
  t.like(some, { deleted: 2, more: true });
  t.deepEqual(
    some.previous.map((entry) => entry.text()),
    ["a", "b"],
  );
  t.like(await kv.delete({ start: "b" }), { deleted: 1, more: false });
  t.like(await kv.delete("c"), { deleted: 0, revision: (await kv.maintenance.status()).revision });
});

test("a range gives pages, orders, folds and keys alone", async (t) => {
  const { kv } = await serve(t);
  for (const key of ["city/KE/nairobi", "city/KE/mombasa", "city/UG/kampala", "other"]) {
    await kv.put(key, key);
  }
  await kv.put(Uint8Array.from([...new TextEncoder().encode("city/"), 0xff, 0x2f, 0x31]), "");
  const folded = await kv.range({ prefix: "city/" }, { delimiter: "/" });
  t.deepEqual(folded.commonPrefixes, ["city/KE/", "city/UG/", "city/\ufffd/"]);
  t.deepEqual(folded.commonPrefixBytes[2]?.slice(5), Uint8Array.of(0xff, 0x2f));
  t.deepEqual(folded.entries, []);
  const down = await kv.range({ prefix: "city/KE/" }, { order: "descending", keysOnly: true });
  t.deepEqual(
    down.entries.map((entry) => [entry.key, entry.text()]),
    [
      ["city/KE/nairobi", ""],
      ["city/KE/mombasa", ""],
    ],
  );
  const page = await kv.range({ all: true }, { limit: 1 });
  t.true(page.more);
  const { pageToken } = { pageToken: page.nextPageToken as Uint8Array };
  const rest = await kv.range({ all: true }, { pageToken });
  t.is(rest.entries.length, 4);
  t.is(rest.nextPageToken, undefined);
  const foreign = kv.range({ prefix: "o" }, { pageToken });
  await refused(t, foreign, "INVALID_ARGUMENT", "PAGE_TOKEN_INVALID");
});

test("entries go through all pages of one revision, whatever is written meanwhile", async (t) => {
  const { kv } = await serve(t);
  const keys = Array.from({ length: 25 }, (_, index) => `k${String(index).padStart(2, "0")}`);
  for (const key of keys) await kv.put(key, "old");
  const seen: string[] = [];
  for await (const entry of kv.entries({ prefix: "k" }, { pageSize: 4 })) {
    if (seen.length === 0) await kv.delete({ prefix: "k" });
    t.is(entry.text(), "old");
    seen.push(entry.key);
  }
  t.deepEqual(seen, keys);
});

test("entries end at their limit, whatever the page size, and read no page in vain", async (t) => {
  const { kv } = await serve(t);
  for (let index = 0; index < 10; index += 1) await kv.put(`k${index}`, "");
  const take = async (options: { limit?: number; pageSize?: number }) => {
    const keys: string[] = [];
    for await (const { key } of kv.entries({ prefix: "k" }, options)) keys.push(key);
    return keys.length;
  };
  t.is(await take({}), 10);
  t.is(await take({ limit: 0 }), 10);
  t.is(await take({ limit: 3 }), 3);
  t.is(await take({ limit: 7, pageSize: 3 }), 7);
  t.is(await take({ limit: 100, pageSize: 10 }), 10);
  t.is(await take({ pageSize: 1 }), 10);
});

test("entries beyond one answer come in several, and can be aborted between", async (t) => {
  const { kv } = await serve(t);
  for (let index = 0; index < 6; index += 1) await kv.put(`k${index}`, new Uint8Array(1_000_000));
  let bytes = 0;
  for await (const entry of kv.entries({ all: true })) bytes += entry.bytes.length;
  t.is(bytes, 6_000_000);
  const controller = new AbortController();
  const walk = async () => {
    for await (const _ of kv.entries({ all: true }, { signal: controller.signal })) {
      controller.abort();
    }
  };
  const error = await t.throwsAsync(walk(), { instanceOf: KvdClientError });
  t.is(error?.code, "CANCELLED");
});

test("a count counts rows, folded ones as one, up to its limit", async (t) => {
  const { kv } = await serve(t);
  for (const key of ["a/1", "a/2", "b/1", "c"]) await kv.put(key, "");
  const { revision } = await kv.maintenance.status();
  t.deepEqual(await kv.count({ all: true }), { count: 4, more: false, revision });
  t.like(await kv.count({ prefix: "a/" }), { count: 2 });
  t.like(await kv.count({ all: true }, { delimiter: "/" }), { count: 3 });
  t.like(await kv.count({ all: true }, { limit: 2 }), { count: 2, more: true });
  await kv.delete({ all: true });
  t.like(await kv.count({ all: true }, { revision }), { count: 4, revision });
  t.like(await kv.count("c"), { count: 0 });
});

test("a txn applies one branch, and every operation answers in its kind", async (t) => {
  const { kv } = await serve(t);
  const won = await kv.txn({
    compare: [absent("leader")],
    success: [
      put("leader", "me"),
      get("leader"),
      range({ prefix: "l" }, { keysOnly: true }),
      txn({ compare: [exists("leader")], failure: [get("nothing")] }),
      del("nothing"),
    ],
    failure: [get("leader")],
  });
  t.true(won.succeeded);
  const [written, read, listed, nested, deleted] = won.results;
  t.true(written?.kind === "put" && written.revision === won.revision);
  t.true(read?.kind === "get" && read.entry?.text() === "me");
  t.true(listed?.kind === "range" && listed.entries[0]?.bytes.length === 0);
  t.true(nested?.kind === "txn" && !nested.succeeded);
  t.true(deleted?.kind === "delete" && deleted.deleted === 0);
  const lost = await kv.txn({ compare: [absent("leader")], failure: [get("leader")] });
  t.false(lost.succeeded);
  const [leader] = lost.results;
  t.true(leader?.kind === "get" && leader.entry?.text() === "me");
});

test("every compare looks at what it says", async (t) => {
  const { kv } = await serve(t);
  const { revision, leaseId } = await kv.put("a", "m", { ttl: "1h" });
  const holds = async (...compares: Parameters<typeof kv.txn>[0]["compare"] & object) =>
    (await kv.txn({ compare: compares })).succeeded;
  t.true(await holds(compare.value("a", "=", "m"), compare.value("a", "<", "n")));
  t.false(await holds(compare.value("a", "!=", "m")));
  t.true(await holds(compare.version("a", "=", 1), compare.version("a", ">", 0)));
  t.true(await holds(compare.modRevision("a", "=", revision)));
  t.true(await holds(compare.createRevision({ prefix: "a" }, "=", revision)));
  t.true(await holds(compare.leaseId("a", "=", leaseId), compare.leaseId("b", "=", 0n)));
  t.true(await holds(exists("a"), absent("b")));
  t.false(await holds(absent("a")));
});

test("a txn that fails inside tells where, and applies nothing", async (t) => {
  const { kv } = await serve(t);
  const failing = kv.txn({
    success: [put("a", "1"), txn({ success: [put("b", "1", { expectedModRevision: 9 })] })],
  });
  const error = await refused(t, failing, "FAILED_PRECONDITION", "PRECONDITION_FAILED");
  t.is(error?.details.operation, "success[1].txn.success[0]");
  t.is(await kv.get("a"), undefined);
  const twice = kv.txn({ success: [put("a", "1"), put("a", "2")] });
  await refused(t, twice, "INVALID_ARGUMENT", "DUPLICATE_KEY");
});

test("a batch answers every operation, and one that fails does not stop the others", async (t) => {
  const { kv } = await serve(t);
  const { results, revision } = await kv.batch([
    put("a", "1"),
    put("a", "2", { expectedModRevision: 0 }),
    get("a"),
    get(""),
    del("a"),
    del({ prefix: "a" }),
  ]);
  t.deepEqual(
    results.map((result) => (result.kind === "failure" ? result.reason : result.kind)),
    ["put", "PRECONDITION_FAILED", "get", "KEY_EMPTY", "delete", "FIELD_CONFLICT"],
  );
  const [, lost, read] = results;
  t.true(lost?.kind === "failure" && lost.modRevision === 2 && lost.message.length > 0);
  t.true(read?.kind === "get" && read.entry?.text() === "1");
  t.is(revision, (await kv.maintenance.status()).revision);
  t.deepEqual((await kv.batch([])).results, []);
});

test("a batch above its limits is refused as a whole", async (t) => {
  const { kv } = await serve(t, { limits: { batchMaxOperations: 2 } });
  const many = kv.batch([put("a", "1"), put("b", "1"), put("c", "1")]);
  await refused(t, many, "INVALID_ARGUMENT", "TOO_MANY_OPERATIONS");
  const value = new Uint8Array(1_400_000);
  const { kv: other } = await serve(t);
  const large = other.batch(["a", "b", "c"].map((key) => put(key, value)));
  await refused(t, large, "RESOURCE_EXHAUSTED", "REQUEST_TOO_LARGE");
  t.is((await other.count({ all: true })).count, 0);
});

test("reading what was compacted tells the compact revision", async (t) => {
  const { kv } = await serve(t);
  await kv.put("a", "1");
  const { revision } = await kv.put("a", "2");
  await kv.maintenance.compact(revision);
  const old = kv.get("a", { revision: revision - 1 });
  const error = await refused(t, old, "OUT_OF_RANGE", "REVISION_COMPACTED");
  t.is(error?.details.compactRevision, revision);
});

test("two clients of one server see each other's writes", async (t) => {
  const { kv, connect } = await serve(t);
  const other = connect();
  await kv.put("a", "1");
  t.is((await other.get("a"))?.text(), "1");
  await kv.close();
  await other.put("a", "2");
  t.is((await other.get("a"))?.text(), "2");
});

test("a server is reached through a socket file", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "kvd-client-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const { kv, server } = await serve(t, { listen: `unix:${join(folder, "kvd.sock")}` });
  t.regex(server.address, /^unix:/);
  await kv.ready();
  await kv.put("a", "1");
  t.is((await kv.get("a"))?.text(), "1");
});

test("calls are UNAVAILABLE while the server is gone, and work once it is back", async (t) => {
  const { kv, server } = await serve(t);
  await kv.put("a", "1");
  await server.close();
  const error = await t.throwsAsync(kv.get("a"), { instanceOf: KvdClientError });
  t.is(error?.code, "UNAVAILABLE");
  await serve(t, { listen: server.address });
  await kv.ready();
  t.is(await kv.get("a"), undefined);
});
