// How long a Get and a durable Put take at a rate that all of them bear: percentiles, counted from
// when a call was due.

import { type Bench, type Case, RATE, type Subject } from "../case.js";
import { etcdPutMessage, etcdRangeMessage, getMessage, putMessage } from "../fixtures.js";
import { H2Connection } from "../load/h2-connection.js";
import { framed } from "../load/message-splitter.js";
import { pacedLoad } from "../load/paced-load.js";
import { callUnary } from "../load/unary-call.js";
import { ETCD, KVD } from "../methods.js";
import { startEtcd } from "../servers/etcd.js";
import { startNullServer } from "../servers/kvd.js";
import type { ServerProcess } from "../servers/server-process.js";

export const PERCENTILES = [50, 90, 99, 99.9] as const;
const CALLS_A_SECOND = 3000;

interface Call {
  readonly name: string;
  readonly path: string;
  readonly message: Uint8Array;
}

function measure(bench: Bench, { port }: ServerProcess, { name, path, message }: Call): Subject {
  return async () => {
    const { latency, rate } = await pacedLoad({
      port,
      path,
      bodies: [framed(message)],
      connections: 8,
      rate: CALLS_A_SECOND,
      seconds: bench.options.seconds,
      warmUpSeconds: 1,
    });
    for (const percent of PERCENTILES) {
      bench.record(`${name}, p${percent}`, "ms", latency.percentile(percent) / 1000);
    }
    bench.record(`${name}, answered`, RATE, rate);
  };
}

export const latencyCase: Case = {
  name: "latency",
  about: `percentiles at ${CALLS_A_SECOND} calls a second, whatever the answers do`,
  goals: [],
  async run(bench) {
    const kvd = await bench.kvd({ dataDir: bench.path("kvd") });
    const ceiling = await bench.use(startNullServer(bench.options));
    const etcd = bench.has("etcd") ? await bench.use(startEtcd(bench.path("etcd"))) : undefined;
    const put = { name: "kvd Put", path: KVD.put, message: putMessage(1) };
    const etcdPut = { name: "etcd Put", path: ETCD.put, message: etcdPutMessage(1) };
    await callOnce(kvd, put);
    if (etcd !== undefined) await callOnce(etcd, etcdPut);
    const get = { path: KVD.get, message: getMessage(1) };
    const range = { name: "etcd Range", path: ETCD.range, message: etcdRangeMessage(1) };
    await bench.inTurn({
      get: measure(bench, kvd, { ...get, name: "kvd Get" }),
      ceiling: measure(bench, ceiling, { ...get, name: "null Get" }),
      etcdGet: etcd && measure(bench, etcd, range),
      put: measure(bench, kvd, put),
      etcdPut: etcd && measure(bench, etcd, etcdPut),
    });
  },
};

async function callOnce({ port }: ServerProcess, { path, message }: Call): Promise<void> {
  const connection = await H2Connection.open(port);
  await callUnary(connection, path, message);
  connection.close();
}
