// What is there to GET.

import test from "ava";
import { openMemoryEngine } from "../../../server/engines/memory.js";
import { Pages } from "../../../server/http/pages.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { systemClock } from "../../../server/lib/clock.js";
import { createServer } from "../../../server/server.js";
import { ask } from "../../support/http-peer.js";
import { serveKvd } from "../../support/kvd-server.js";

const page = test.macro(async (t, path: string, text: RegExp) => {
  const { server } = await serveKvd(t);
  const got = await ask(server.address, { path });
  t.is(got.status, 200);
  t.regex(got.text, text);
  t.is(got.headers["cache-control"], "no-store");
  const head = await ask(server.address, { path, method: "HEAD" });
  t.is(head.status, 200);
  t.is(head.text, "");
  const posted = await ask(server.address, {
    path,
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  t.is(posted.status, 405);
  t.is(posted.headers["allow"], "GET, HEAD");
});

test("/ says what this port is, in two lines", page, "/", /^kvd .*gRPC.*\n.*\/health.*\n$/);
test("/health", page, "/health", /^{"health":"true","reason":""}$/);
test("/health with a question of etcd's", page, "/health?serializable=true", /"health":"true"/);
test("/livez", page, "/livez", /^ok\n$/);
test("/readyz", page, "/readyz", /^ok\n$/);
test("/readyz in more words", page, "/readyz?verbose", /^\[\+\]log ok\nok\n$/);
test("/version", page, "/version", /^{"etcdserver":"3\.\d+\.\d+","etcdcluster":"3\.\d+\.0"}$/);
test("/metrics of the process", page, "/metrics", /^process_resident_memory_bytes [1-9]\d+$/m);
test("/metrics of the store", page, "/metrics", /^kvd_revision 1$/m);

test("what is not there says where to look", async (t) => {
  const { server } = await serveKvd(t);
  const { status, text } = await ask(server.address, { path: "/nothing" });
  t.is(status, 404);
  t.regex(text, /"\/nothing".*GET \//);
});

test("without etcd's protocol there is no /version and no /v3", async (t) => {
  const server = await createServer({ etcd: false });
  t.teardown(() => server.close());
  const headers = { "content-type": "application/json" };
  const paths = [
    { path: "/version" },
    { path: "/v3/kv/range", method: "POST", headers, body: "{}" },
  ];
  for (const question of paths) t.is((await ask(server.address, question)).status, 404);
  t.is((await ask(server.address, { path: "/health" })).status, 200);
});

test("health fails with the log", async (t) => {
  const engine = await openMemoryEngine({ limits: defaultLimits(), clock: systemClock });
  t.teardown(() => engine.close());
  const failed = Promise.resolve(new Error("the disk is gone"));
  const failing = Object.create(engine, { failed: { value: failed } });
  const pages = new Pages({ engine: failing, version: "0", etcdVersion: undefined });
  await failed;
  const get = (path: string) => pages.answer("GET", path, new URLSearchParams());
  t.like(await get("/health"), { status: 503 });
  t.is(JSON.parse((await get("/health"))?.text ?? "").health, "false");
  t.like(await get("/livez"), { status: 503, text: "[-]log failed: restart kvd\nfailed\n" });
});

test("metrics of a store that is closed are not there", async (t) => {
  const engine = await openMemoryEngine({ limits: defaultLimits(), clock: systemClock });
  await engine.close();
  const pages = new Pages({ engine, version: "0", etcdVersion: undefined });
  t.like(await pages.answer("GET", "/metrics", new URLSearchParams()), { status: 503 });
});
