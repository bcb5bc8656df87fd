// Rows 1 and 2: one Get, one Put, call by call, beside the null server and etcd; then the same in
// etcd's own protocol, and a lone put, which waits for the disk all by itself.

import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { PutResponse as EtcdPutResponse, RangeResponse } from "../../gen/grpc/etcd/rpc.js";
import { GetResponse, PutResponse } from "../../gen/grpc/kvd/v1/kv.js";
import { type Bench, type Case, RATE } from "../case.js";
import { etcdPutMessage, etcdRangeMessage, getMessage, putMessage, VALUE } from "../fixtures.js";
import { H2Connection } from "../load/h2-connection.js";
import { h2load } from "../load/h2load.js";
import { framed } from "../load/message-splitter.js";
import { callUnary } from "../load/unary-call.js";
import { unaryLoad } from "../load/unary-load.js";
import { ETCD, KVD } from "../methods.js";
import { startEtcd } from "../servers/etcd.js";
import { startNullServer } from "../servers/kvd.js";
import { type ServerProcess, shareOf } from "../servers/server-process.js";
import { medianOf } from "../statistics.js";

const CONNECTIONS = 8;
const IN_FLIGHT = 16;
const WARM_UP_SECONDS = 1;

interface Call {
  readonly path: string;
  readonly message: Uint8Array;
  /** What is wrong with an answer. */
  readonly check: (answer: Buffer) => boolean;
}

const GET: Call = {
  path: KVD.get,
  message: getMessage(1),
  check: (answer) => VALUE.equals(GetResponse.decode(answer).kv?.value ?? VALUE.subarray(1)),
};

const PUT: Call = {
  path: KVD.put,
  message: putMessage(1),
  check: (answer) => PutResponse.decode(answer).revision > 1n,
};

const ETCD_GET: Call = {
  path: ETCD.range,
  message: etcdRangeMessage(1),
  check: (answer) => VALUE.equals(RangeResponse.decode(answer).kvs[0]?.value ?? VALUE.subarray(1)),
};

const ETCD_PUT: Call = {
  path: ETCD.put,
  message: etcdPutMessage(1),
  check: (answer) => (EtcdPutResponse.decode(answer).header?.revision ?? 0n) > 1n,
};

/** @throws Error when the answer is not what it should be. */
async function callOnce({ port }: ServerProcess, { path, message, check }: Call): Promise<void> {
  const connection = await H2Connection.open(port);
  const answer = await callUnary(connection, path, message);
  connection.close();
  if (!check(answer)) throw new Error(`${path} answered ${answer.toString("hex")}`);
}

function measure(bench: Bench, name: string, server: ServerProcess, call: Call) {
  return async () => {
    const plan = {
      port: server.port,
      path: call.path,
      bodies: [framed(call.message)],
      connections: CONNECTIONS,
      inFlight: IN_FLIGHT,
      seconds: bench.options.seconds,
      warmUpSeconds: WARM_UP_SECONDS,
    };
    const used = shareOf(server);
    const sent = bench.has("h2load") ? undefined : await unaryLoad(plan);
    const rate = sent?.rate ?? (await h2load(plan, bench.path("body")));
    const sender = sent && { sender: sent.senderShare * 100 };
    bench.record(name, RATE, rate, { server: used(), ...sender });
  };
}

export const getCase: Case = {
  name: "get",
  about: "unary Get of 64 bytes, 8 connections × 16 in flight, in memory",
  goals: [
    {
      row: 1,
      text: "Get, of the null server",
      over: "kvd Get",
      under: "null Get",
      bound: { atLeast: 0.9 },
    },
    {
      row: 1,
      text: "Get, of etcd's Range",
      over: "kvd Get",
      under: "etcd Range",
      bound: { atLeast: 1.5 },
    },
  ],
  async run(bench) {
    const kvd = await bench.kvd();
    const ceiling = await bench.use(startNullServer(bench.options));
    const etcd = bench.has("etcd") ? await bench.use(startEtcd(bench.path("etcd"))) : undefined;
    await callOnce(kvd, PUT);
    await callOnce(kvd, GET);
    await callOnce(ceiling, GET);
    if (etcd !== undefined) {
      await callOnce(etcd, ETCD_PUT);
      await callOnce(etcd, ETCD_GET);
    }
    await bench.inTurn({
      kvd: measure(bench, "kvd Get", kvd, GET),
      ceiling: measure(bench, "null Get", ceiling, GET),
      etcd: etcd && measure(bench, "etcd Range", etcd, ETCD_GET),
    });
  },
};

export const putCase: Case = {
  name: "put",
  about: "unary Put of 64 bytes, synced before it is answered, 8 connections × 16 in flight",
  goals: [
    {
      row: 2,
      text: "durable Put, of the null server",
      over: "kvd Put",
      under: "null Put",
      bound: { atLeast: 0.85 },
    },
    {
      row: 2,
      text: "durable Put, of etcd's (1.0 on Node 24)",
      over: "kvd Put",
      under: "etcd Put",
      bound: { atLeast: 0.9 },
    },
  ],
  async run(bench) {
    const kvd = await bench.kvd({ dataDir: bench.path("kvd") });
    const inMemory = await bench.kvd();
    const ceiling = await bench.use(startNullServer(bench.options));
    const etcd = bench.has("etcd") ? await bench.use(startEtcd(bench.path("etcd"))) : undefined;
    for (const server of [kvd, inMemory, ceiling]) await callOnce(server, PUT);
    if (etcd !== undefined) await callOnce(etcd, ETCD_PUT);
    await bench.inTurn({
      kvd: measure(bench, "kvd Put", kvd, PUT),
      inMemory: measure(bench, "kvd Put, --memory", inMemory, PUT),
      ceiling: measure(bench, "null Put", ceiling, PUT),
      etcd: etcd && measure(bench, "etcd Put", etcd, ETCD_PUT),
    });
  },
};

export const etcdProtocolCase: Case = {
  name: "etcd-protocol",
  about: "etcd's Range and durable Put, the same bytes to kvd and to etcd",
  goals: [],
  set: "all",
  async run(bench) {
    const kvd = await bench.kvd({ dataDir: bench.path("kvd") });
    const etcd = bench.has("etcd") ? await bench.use(startEtcd(bench.path("etcd"))) : undefined;
    for (const server of etcd === undefined ? [kvd] : [kvd, etcd]) {
      await callOnce(server, ETCD_PUT);
      await callOnce(server, ETCD_GET);
    }
    await bench.inTurn({
      kvdPut: measure(bench, "kvd Put", kvd, ETCD_PUT),
      etcdPut: etcd && measure(bench, "etcd Put", etcd, ETCD_PUT),
      kvdGet: measure(bench, "kvd Range", kvd, ETCD_GET),
      etcdGet: etcd && measure(bench, "etcd Range", etcd, ETCD_GET),
    });
  },
};

const LONE_PUTS = 1000;

async function lonePuts(bench: Bench, name: string, { port }: ServerProcess): Promise<void> {
  const { latency } = await unaryLoad({
    port,
    path: PUT.path,
    bodies: [framed(PUT.message)],
    connections: 1,
    inFlight: 1,
    seconds: Number.POSITIVE_INFINITY,
    messages: LONE_PUTS,
  });
  bench.record(`${name}, p50`, "µs", latency.percentile(50));
  bench.record(`${name}, p99`, "µs", latency.percentile(99));
}

/** What the disk needs for as much as a put writes: the median, in microseconds. */
function syncsUs(path: string): number {
  const file = openSync(path, "w");
  const bytes = Buffer.alloc(160, 1);
  const times: number[] = [];
  for (let count = 0; count < LONE_PUTS; count += 1) {
    const began = performance.now();
    writeSync(file, bytes, 0, bytes.length, count * bytes.length);
    fdatasyncSync(file);
    times.push((performance.now() - began) * 1000);
  }
  closeSync(file);
  return medianOf(times);
}

export const lonePutCase: Case = {
  name: "lone-put",
  about: "one Put at a time: what a sync costs, and what is added to it",
  goals: [],
  set: "all",
  async run(bench) {
    const kvd = await bench.kvd({ dataDir: bench.path("kvd") });
    const inMemory = await bench.kvd();
    await bench.inTurn({
      syncs: async () => bench.record("write and fdatasync", "µs", syncsUs(bench.path("syncs"))),
      kvd: () => lonePuts(bench, "kvd Put", kvd),
      inMemory: () => lonePuts(bench, "kvd Put, --memory", inMemory),
    });
  },
};
