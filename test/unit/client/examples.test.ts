// The examples in the client's comments: they compile, they do what they say, and each of them
// stands here letter by letter.

import { readdir, readFile } from "node:fs/promises";
import test from "ava";
import {
  absent,
  connect,
  connectDry,
  get,
  json,
  KvdClientError,
  put,
} from "../../../client/index.js";
import { connectScript, snapshotOf } from "./scripted.js";
import { serve } from "./served.js";

test("the example of connect() works", async (t) => {
  const { server } = await serve(t);
  const connectHere = (_: string) => connect(server.address);
  {
    const connect = connectHere;
    await using kv = connect("127.0.0.1:7856");
    await kv.put("kenya:capital", "Nairobi", { ttl: "30s" });
    const entry = await kv.get("kenya:capital");
    entry?.text();
    t.is(entry?.text(), "Nairobi");
  }
});

test("the example of connectDry() works", async (t) => {
  const methods: string[] = [];
  {
    await using kv = connectDry("127.0.0.1:7856", ({ method }) => methods.push(method));
    await kv.put("kenya:capital", "Nairobi").catch(() => {});
  }
  t.deepEqual(methods, ["kvd.v1.KvService/Put"]);
});

test("the example of json() works", async (t) => {
  const { kv } = await serve(t);
  await kv.put("country:KE", json({ capital: "Nairobi" }));
  t.deepEqual((await kv.get("country:KE"))?.json(), { capital: "Nairobi" });
});

test("the example of KvdClientError works", async (t) => {
  const { kv } = await serve(t);
  const me = "me";
  const run = async () => {
    try {
      await kv.put("leader", me, { expectedModRevision: 0 });
    } catch (error) {
      if (!(error instanceof KvdClientError) || error.reason !== "PRECONDITION_FAILED") throw error;
      // Somebody else is the leader, since error.details.modRevision.
      return error.details.modRevision;
    }
    return undefined;
  };
  t.is(await run(), undefined);
  t.is(await run(), 2);
});

test("the example of txn() works", async (t) => {
  const { kv } = await serve(t);
  const me = "me";
  const { succeeded } = await kv.txn({
    compare: [absent("leader")],
    success: [put("leader", me)],
    failure: [get("leader")],
  });
  t.true(succeeded);
});

test("the example of entries() works", async (t) => {
  const { kv } = await serve(t);
  await kv.put("country:KE", "");
  const names: string[] = [];
  for await (const entry of kv.entries({ prefix: "country:" })) names.push(entry.key);
  t.deepEqual(names, ["country:KE"]);
});

test("the example of a watch works", async (t) => {
  const { kv } = await serve(t);
  const { revision: startRevision } = await kv.put("kenya:capital", "Nairobi");
  await kv.put("kenya:coast", "Mombasa");
  await kv.delete("kenya:capital");
  const cache = new Map<string, string>();
  const run = async () => {
    await using watch = kv.watch({ prefix: "kenya:" }, { startRevision });
    for await (const event of watch) {
      if (event.type === "put") cache.set(event.key, event.entry.text());
      else cache.delete(event.key);
      if (event.type === "delete") break;
    }
  };
  await run();
  t.deepEqual([...cache], [["kenya:coast", "Mombasa"]]);
});

test("the example of snapshot() works", async (t) => {
  const pieces = [{ revision: 7n, chunk: Uint8Array.of(1, 2) }, { chunk: Uint8Array.of(3) }];
  const kv = await connectScript(t, { maintenance: { snapshot: snapshotOf(pieces) } });
  const written: number[] = [];
  const file = { write: async (chunk: Uint8Array) => written.push(...chunk) };
  const snapshot = kv.maintenance.snapshot();
  for await (const chunk of snapshot) await file.write(chunk);
  const revision = await snapshot.revision;
  t.is(revision, 7);
  t.deepEqual(written, [1, 2, 3]);
});

test("every example in a comment is one of these", async (t) => {
  const folder = "client";
  const names = (await readdir(folder)).filter((name) => name.endsWith(".ts"));
  const here = linesOf(await readFile("test/unit/client/examples.test.ts", "utf8"));
  let examples = 0;
  for (const name of names) {
    const source = await readFile(`${folder}/${name}`, "utf8");
    for (const [, example = ""] of source.matchAll(/```ts\n([\s\S]*?)```/g)) {
      examples += 1;
      for (const line of linesOf(example.replace(/^\s*\*/gm, ""))) {
        t.true(here.includes(line), `${name}: "${line}" is not among the tested examples`);
      }
    }
  }
  t.is(examples, 7);
});

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
