// The JSON gateway of kvd and that of a real etcd, asked the same.

import test, { type ExecutionContext } from "ava";
import { startEtcdOnPort } from "../support/etcd/etcd-on-port.js";
import { whyNoEtcd } from "../support/etcd/etcd-server.js";
import { ask, postQuestion, postStream } from "../support/http-peer.js";
import { serveKvd } from "../support/kvd-server.js";
import { whereAble } from "../support/where-able.js";

const { declare, note } = whereAble(whyNoEtcd());

type Call = readonly [path: string, body: unknown];

const key = (text: string) => Buffer.from(text).toString("base64");
const A = key("a");
const ALL = { key: "AA==", range_end: "AA==" };

const KV: readonly Call[] = [
  ["kv/range", ALL],
  ["kv/put", { key: A, value: key("1") }],
  ["kv/put", { key: A, value: key("2"), prev_kv: true }],
  ["kv/put", { key: A, value: "", prevKv: true }],
  ["kv/put", `{"key":"${key("ü\u0000")}","value":"${key("\u0000ÿ")}"} `],
  ["kv/range", { key: A }],
  ["kv/range", { ...ALL, limit: 1 }],
  ["kv/range", { ...ALL, limit: "1", sort_order: "DESCEND", sort_target: 2 }],
  ["kv/range", { ...ALL, sortOrder: 2, sortTarget: "MOD", keys_only: true, unknown: [{ a: 1 }] }],
  ["kv/range", { ...ALL, count_only: true, limit: null }],
  ["kv/range", { key: A, revision: 2 }],
  ["kv/range", '{"key":"YQ==","limit":9223372036854775807}'],
  [
    "kv/txn",
    {
      compare: [{ key: A, target: "VERSION", result: "GREATER", version: "1" }],
      success: [
        { request_put: { key: A, value: key("3") } },
        { requestRange: { key: A } },
        { request_txn: { success: [{ request_delete_range: { key: key("b") } }] } },
      ],
      failure: [{ request_range: { key: A } }],
    },
  ],
  ["kv/txn", { compare: [{ key: A, target: 3, value: key("x") }] }],
  ["kv/deleterange", { key: A, prev_kv: true }],
  ["kv/deleterange", { key: A }],
  ["kv/compaction", { revision: 3 }],
];

const LEASES: readonly Call[] = [
  ["lease/grant", { TTL: 100, ID: 77 }],
  ["lease/grant", '{"TTL":"100","ID":9007199254740993}'],
  ["lease/grant", { TTL: "100", ID: "-5" }],
  ["kv/put", { key: A, lease: "9007199254740993" }],
  ["kv/put", '{"key":"YQ==","lease":9007199254740993}'],
  ["kv/range", { key: A }],
  ["lease/keepalive", '{"ID":77}'],
  ["lease/keepalive", '{"ID":77}{"ID":"-5"}\n{"ID":1}'],
  ["kv/lease/timetolive", { ID: 1 }],
  ["lease/revoke", { ID: 77 }],
  ["kv/lease/revoke", { ID: -5 }],
];

const REFUSALS: readonly Call[] = [
  ["kv/put", ""],
  ["kv/put", {}],
  ["kv/put", { key: A, lease: 5 }],
  ["kv/put", { key: A, ignore_value: true }],
  ["kv/range", { key: A, revision: 1000 }],
  ["kv/compaction", { revision: 1000 }],
  ["lease/revoke", { ID: 5 }],
  ["lease/grant", { TTL: "9000000001" }],
  ["election/leader", { name: A }],
  ["nothing/here", {}],
];

/** Whose texts are the parsers' own. */
const MALFORMED: readonly Call[] = [
  ["kv/put", '{"key":"YQ==",}'],
  ["kv/put", '{"key":"YQ=="'],
  ["kv/put", "[]"],
  ["kv/put", "1"],
  ["kv/put", { key: "%" }],
  ["kv/put", { key: [A] }],
  ["kv/put", { key: A, lease: {} }],
  ["kv/range", { key: A, limit: "x" }],
  ["kv/range", { key: A, limit: 1.5 }],
  ["kv/range", { key: A, limit: "9223372036854775808" }],
  ["kv/range", { key: A, sort_order: "UPWARDS" }],
  ["kv/txn", { success: {} }],
];

/** What differs by the server, and what only newer versions have. */
function comparable(text: string): string {
  return text
    .replaceAll(/"(cluster_id|member_id)":"\d+"/g, '"$1":"…"')
    .replace(',"details":[]', "")
    .trim();
}

async function servers(t: ExecutionContext) {
  const { server } = await serveKvd(t);
  return { kvd: server.address, etcd: await startEtcdOnPort(t) };
}

async function answerOf(address: string, [path, body]: Call) {
  const { status, text } = await ask(address, postQuestion(`/v3/${path}`, body));
  return { status, text };
}

const same = test.macro(async (t, calls: readonly Call[]) => {
  const { kvd, etcd } = await servers(t);
  for (const call of calls) {
    const [ours, theirs] = [await answerOf(kvd, call), await answerOf(etcd, call)];
    const shown = JSON.stringify(call);
    t.is(ours.status, theirs.status, shown);
    if (ours.status !== 404 || theirs.text.startsWith("{")) {
      t.is(comparable(ours.text), comparable(theirs.text), shown);
    }
  }
});

declare(`${note}requests for keys are answered alike`, same, KV);
declare(`${note}requests for leases are answered alike`, same, LEASES);
declare(`${note}requests are refused alike`, same, REFUSALS);

declare(`${note}what is no request is refused by both, and changes neither`, async (t) => {
  const { kvd, etcd } = await servers(t);
  for (const call of MALFORMED) {
    const [ours, theirs] = [await answerOf(kvd, call), await answerOf(etcd, call)];
    t.is(ours.status, theirs.status, JSON.stringify(call));
    t.is(JSON.parse(ours.text).code, JSON.parse(theirs.text).code, JSON.stringify(call));
  }
  const [ours, theirs] = [
    await answerOf(kvd, ["kv/range", ALL]),
    await answerOf(etcd, KV[0] as Call),
  ];
  t.is(comparable(ours.text), comparable(theirs.text));
});

declare(`${note}watches tell the same, line by line`, async (t) => {
  const body =
    `{"create_request":{"key":"${A}","start_revision":"2"}}` +
    `{"createRequest":{"key":"${A}","range_end":"${key("c")}","prevKv":true,"watch_id":"7"}}` +
    '{"create_request":{"key":"eA==","filters":["NOPUT"]}} {"cancel_request":{"watch_id":1}}';
  const logs = await Promise.all(
    Object.values(await servers(t)).map(async (address) => {
      const { status, next } = await postStream(t, address, "/v3/watch", body);
      const lines: string[] = [String(status)];
      const take = async (count: number) => {
        for (let taken = 0; taken < count; taken += 1) {
          lines.push(comparable(JSON.stringify(await next())));
        }
      };
      await take(4);
      for (const value of ["1", "2"]) {
        await answerOf(address, ["kv/put", { key: A, value: key(value) }]);
        await take(2);
      }
      await answerOf(address, ["kv/deleterange", { key: A }]);
      await take(2);
      return lines.sort();
    }),
  );
  t.deepEqual(logs[0], logs[1]);
  t.is(logs[0]?.length, 11);
});

declare(`${note}pages of the same name are alike`, async (t) => {
  const { kvd, etcd } = await servers(t);
  for (const path of ["/health", "/version", "/metrics"]) {
    const [ours, theirs] = [await ask(kvd, { path }), await ask(etcd, { path })];
    t.is(ours.status, theirs.status, path);
  }
  const { etcdserver, etcdcluster } = JSON.parse((await ask(kvd, { path: "/version" })).text);
  t.regex(etcdserver, /^3\.\d+\.\d+$/);
  t.regex(etcdcluster, /^3\.\d+\.0$/);
  t.is(JSON.parse((await ask(kvd, { path: "/health" })).text).health, "true");
});
