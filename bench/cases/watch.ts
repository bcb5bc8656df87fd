// Rows 8 and 9: events to a thousand watchers of one range, and puts beside ten thousand watchers
// of other keys.

import { type Bench, type Case, RATE } from "../case.js";
import { etcdPutMessage, keyAt, putMessage } from "../fixtures.js";
import { H2Connection } from "../load/h2-connection.js";
import { h2load } from "../load/h2load.js";
import { framed } from "../load/message-splitter.js";
import { callUnary } from "../load/unary-call.js";
import { unaryLoad } from "../load/unary-load.js";
import { Watching, type WatchPlan } from "../load/watching.js";
import { ETCD, KVD } from "../methods.js";
import { startEtcd } from "../servers/etcd.js";
import { type ServerProcess, shareOf } from "../servers/server-process.js";

const WATCHERS = { streams: 8, watchesPerStream: 125 };
const PUTS = 200;
const IDLE = { streams: 10, watchesPerStream: 1000 };

type Protocol = WatchPlan["protocol"];

async function deliver(bench: Bench, server: ServerProcess, protocol: Protocol): Promise<void> {
  const { port } = server;
  const target = { prefix: "key:" };
  const watching = await Watching.open({ port, protocol, ...WATCHERS, target });
  const writer = await H2Connection.open(port);
  const path = protocol === "kvd" ? KVD.put : ETCD.put;
  const message = protocol === "kvd" ? putMessage : etcdPutMessage;
  const used = shareOf(server);
  const sent = process.cpuUsage();
  const began = performance.now();
  const expected = PUTS * WATCHERS.streams * WATCHERS.watchesPerStream;
  const delivered = watching.untilEvents(expected);
  for (let put = 0; put < PUTS; put += 1) await callUnary(writer, path, message(put % 1000));
  await delivered;
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(sent);
  const sender = (user + system) / 1e4 / seconds;
  bench.record(`${protocol}, events`, RATE, expected / seconds, { server: used(), sender });
  writer.close();
  watching.close();
}

export const watchCase: Case = {
  name: "watch",
  about: "one writer, 1,000 watchers of its range: events delivered a second, in memory",
  goals: [
    {
      row: 8,
      text: "events delivered, of etcd's",
      over: "kvd, events",
      under: "etcd, events",
      bound: { atLeast: 2 },
    },
  ],
  async run(bench) {
    const kvd = await bench.kvd();
    const etcd = bench.has("etcd") ? await bench.use(startEtcd(bench.path("etcd"))) : undefined;
    await bench.inTurn({
      kvd: () => deliver(bench, kvd, "kvd"),
      etcd: etcd && (() => deliver(bench, etcd, "etcd")),
    });
  },
};

async function puts(bench: Bench, server: ServerProcess, name: string): Promise<void> {
  const used = shareOf(server);
  const plan = {
    port: server.port,
    path: KVD.put,
    bodies: [framed(putMessage(1))],
    connections: 8,
    inFlight: 16,
    seconds: bench.options.seconds,
    warmUpSeconds: 1,
  };
  const rate = bench.has("h2load")
    ? await h2load(plan, bench.path("body"))
    : (await unaryLoad(plan)).rate;
  bench.record(name, RATE, rate, { server: used() });
}

export const idleWatchersCase: Case = {
  name: "idle-watchers",
  about: "Put beside 10,000 idle watchers of other keys, in memory",
  goals: [
    {
      row: 9,
      text: "Put with 10,000 idle watchers, of Put without",
      over: "Put, 10,000 watchers",
      under: "Put, no watchers",
      bound: { atLeast: 0.97 },
    },
  ],
  async run(bench) {
    const [alone, watched] = [await bench.kvd(), await bench.kvd()];
    const target = { keyAt: (watch: number) => keyAt(1_000_000 + watch) };
    const watching = await Watching.open({ port: watched.port, protocol: "kvd", ...IDLE, target });
    await bench.inTurn({
      alone: () => puts(bench, alone, "Put, no watchers"),
      watched: () => puts(bench, watched, "Put, 10,000 watchers"),
    });
    if (watching.events > 0) throw new Error("idle watches were told of something");
    watching.close();
  },
};
