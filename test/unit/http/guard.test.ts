// Web pages are kept out: forged requests and names that were bound anew change nothing.

import test from "ava";
import { refusalOf } from "../../../server/http/guard.js";
import { createServer } from "../../../server/server.js";
import { ask, postQuestion } from "../../support/http-peer.js";
import { serveSite } from "../../support/served-site.js";

type Headers = Readonly<Record<string, string>>;

const guarded = test.macro({
  exec(t, method: string, headers: Headers, status: number | undefined) {
    const answer = refusalOf({ method, headers }, new Set(["kvd.internal"]));
    t.is(answer?.status, status);
  },
  title: (_, method, headers, status) =>
    `${method} with ${JSON.stringify(headers)} ${status === undefined ? "passes" : `is ${status}`}`,
});

for (const host of [
  "127.0.0.1",
  "127.0.0.1:7856",
  "10.1.2.3:7856",
  "[::1]:7856",
  "[::1]",
  "localhost",
  "localhost:7856",
  "LocalHost:7856",
  "kvd.localhost:7856",
  "kvd.internal:7856",
  "KVD.internal",
]) {
  test(guarded, "GET", { host }, undefined);
}

for (const host of [
  "evil.example",
  "evil.example:7856",
  "localhost.evil.example",
  "evillocalhost",
  "127.0.0.1.evil.example",
  "sub.kvd.internal",
  "evil.example@127.0.0.1",
  "127.0.0.1@evil.example",
  "127.0.0.1,evil.example",
  "[::1].evil.example",
  "",
  ":7856",
]) {
  test(guarded, "GET", { host }, 421);
}

const host = "127.0.0.1:7856";
test(guarded, "GET", {}, undefined);
test(guarded, "GET", { host, origin: "http://127.0.0.1:7856" }, undefined);
test(guarded, "GET", { host: "kvd.internal", origin: "http://kvd.internal" }, undefined);
test(guarded, "GET", { host: "kvd.internal:443", origin: "https://kvd.internal" }, undefined);
test(guarded, "GET", { host, origin: "http://evil.example" }, 403);
test(guarded, "GET", { host, origin: "http://127.0.0.1" }, 403);
test(guarded, "GET", { host, origin: "http://127.0.0.1:8080" }, 403);
test(guarded, "GET", { host, origin: "http://localhost:7856" }, 403);
test(guarded, "GET", { host, origin: "null" }, 403);
test(guarded, "GET", { host, origin: "" }, 403);
test(guarded, "GET", { origin: "http://127.0.0.1" }, 403);
test(guarded, "GET", { host, "sec-fetch-site": "none" }, undefined);
test(guarded, "GET", { host, "sec-fetch-site": "same-origin" }, undefined);
test(guarded, "GET", { host, "sec-fetch-site": "same-site" }, 403);
test(guarded, "GET", { host, "sec-fetch-site": "cross-site" }, 403);

const json = "application/json";
test(guarded, "POST", { host, "content-type": json }, undefined);
test(guarded, "POST", { host, "content-type": "Application/JSON; charset=utf-8" }, undefined);
test(guarded, "POST", { host }, undefined);
test(guarded, "POST", { host, "user-agent": "python-requests/2.28.1" }, undefined);
test(guarded, "POST", { host, "user-agent": "Mozilla/5.0 (X11) Firefox/60.0" }, 415);
test(guarded, "POST", { host, origin: "null" }, 403);
test(guarded, "POST", { host, "content-type": "" }, 415);
for (const type of [
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "text/plain; application/json",
  "application/jsonp",
]) {
  test(guarded, "POST", { host, "content-type": type }, 415);
}

/** What a browser says about requests that a page of another site sends. */
const PAGES: Readonly<Record<string, Headers>> = {
  "a script that asks first": { "content-type": json, origin: "http://evil.example" },
  "a sandboxed frame": { "content-type": json, origin: "null" },
  "a form": {
    "content-type": "application/x-www-form-urlencoded",
    origin: "http://evil.example",
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
  },
  "a form of plain text, without Origin": { "content-type": "text/plain" },
  "a beacon without a type": { origin: "http://evil.example" },
  "a beacon of an old browser": { "user-agent": "Mozilla/5.0 (X11) Firefox/60.0" },
  "a no-cors script": {
    "content-type": "text/plain;charset=UTF-8",
    origin: "http://evil.example",
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "no-cors",
  },
  "a page on another port": { "content-type": json, "sec-fetch-site": "same-site" },
  "a name that was bound anew": { "content-type": json, host: "evil.example:7856" },
  "a name that was bound anew, as its own origin": {
    "content-type": json,
    host: "evil.example:7856",
    origin: "http://evil.example:7856",
    "sec-fetch-site": "same-origin",
  },
};

const PUT = postQuestion("/v3/KvService/Put", { key: "a", value: "eA==" });

for (const [page, headers] of Object.entries(PAGES)) {
  test(`${page} changes nothing`, async (t) => {
    const { address, engine } = await serveSite(t);
    const { status, text } = await ask(address, { ...PUT, headers });
    t.true([403, 415, 421].includes(status), `${status} ${text}`);
    t.regex(text, /^kvd: .*\.\n/s);
    t.is((await engine.status()).revision, 1);
  });
}

test("the same request from no page is done", async (t) => {
  const { address, engine } = await serveSite(t);
  t.is((await ask(address, PUT)).status, 200);
  t.is((await engine.status()).revision, 2);
});

test("pages to read are guarded, too", async (t) => {
  const { address } = await serveSite(t);
  for (const path of ["/", "/health", "/metrics", "/version", "/nothing"]) {
    t.is((await ask(address, { path, headers: { host: "evil.example" } })).status, 421, path);
  }
});

test("a server answers to the names that it was allowed", async (t) => {
  const server = await createServer({ allowedHosts: ["Kvd.Internal"] });
  t.teardown(() => server.close());
  const statusFor = async (name: string) =>
    (await ask(server.address, { path: "/health", headers: { host: name } })).status;
  t.is(await statusFor("kvd.internal:1"), 200);
  t.is(await statusFor("evil.example"), 421);
});

test("a target may name its host, which counts", async (t) => {
  const { address } = await serveSite(t, { allowedHosts: ["kvd.internal"] });
  const statusOf = async (target: string, host = address) => {
    const headers = { ...postQuestion("").headers, host };
    return (await ask(address, { ...postQuestion(target, { key: "a" }), headers })).status;
  };
  const path = "/v3/KvService/Put";
  t.is(await statusOf(`http://${address}${path}`), 200);
  t.is(await statusOf(`HTTP://kvd.internal${path}?a`, "evil.example"), 200);
  t.is(await statusOf(`http://evil.example${path}`), 421);
  t.is(await statusOf(`http://127.0.0.1@evil.example${path}`), 421);
  t.is(await statusOf(`http://evil.example@127.0.0.1${path}`), 421);
  t.is(await statusOf(`http://${path}`), 421);
  t.is((await ask(address, { path: `http://${address}` })).status, 200);
  t.is((await ask(address, { path: `http://${address}?a` })).status, 200);
});
