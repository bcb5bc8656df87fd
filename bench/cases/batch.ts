// Rows 3 and 4: half gets, half puts, a hundred or a thousand in a message, as Batch and as
// Pipeline, beside Redis with pipelined commands and etcd with txns.

import { TxnResponse } from "../../gen/grpc/etcd/rpc.js";
import { BatchResponse, PipelineResponse } from "../../gen/grpc/kvd/v1/kv.js";
import { type Bench, type Case, type Goal, RATE, type Subject } from "../case.js";
import { batchBodies, etcdTxnMessage, pipelineBodies } from "../fixtures.js";
import { H2Connection } from "../load/h2-connection.js";
import type { LoadPlan, LoadResult } from "../load/load.js";
import { framed } from "../load/message-splitter.js";
import { redisBenchmark } from "../load/redis-benchmark.js";
import { streamLoad } from "../load/stream-load.js";
import { callUnary } from "../load/unary-call.js";
import { unaryLoad } from "../load/unary-load.js";
import { ETCD, KVD } from "../methods.js";
import { startEtcd } from "../servers/etcd.js";
import { REDIS_DURABLE, REDIS_MEMORY, startRedis } from "../servers/redis.js";
import { type ServerProcess, shareOf } from "../servers/server-process.js";

const CONNECTIONS = 8;
const WARM_UP_SECONDS = 0.4;
const VALUE_BYTES = 64;
/** redis-benchmark stops after a count: about a second of each command. */
const REDIS_REQUESTS = 1_000_000;

interface Mix {
  readonly operations: number;
  readonly distinctKeys: number;
}

const MIXES: readonly Mix[] = [
  { operations: 100, distinctKeys: 50 },
  { operations: 100, distinctKeys: 100_000 },
  { operations: 1000, distinctKeys: 100_000 },
];

const nameOf = (who: string, { operations, distinctKeys }: Mix) =>
  `${who}, ${operations} a message, ${distinctKeys} keys`;

function goalsOf(row: number): Goal[] {
  return MIXES.flatMap((mix) =>
    ["kvd Batch", "kvd Pipeline"].map((who) => ({
      row,
      text: `${nameOf(who, mix)}, of Redis`,
      over: nameOf(who, mix),
      under: nameOf("Redis", mix),
      bound: { atLeast: row === 3 && mix.operations === 1000 ? 1.5 : 1 },
    })),
  );
}

const ETCD_MIX: Mix = { operations: 100, distinctKeys: 50 };

async function measureKvd(
  bench: Bench,
  server: ServerProcess,
  { name, mix, load }: { readonly name: string; readonly mix: Mix; readonly load: Load },
): Promise<void> {
  const used = shareOf(server);
  const result = await load({
    port: server.port,
    connections: CONNECTIONS,
    inFlight: mix.operations >= 1000 ? 2 : 4,
    seconds: bench.options.seconds / 2,
    warmUpSeconds: WARM_UP_SECONDS,
  });
  const shares = { server: used(), sender: result.senderShare * 100 };
  bench.record(name, RATE, result.rate * mix.operations, shares);
}

type Load = (plan: Omit<LoadPlan, "path" | "bodies">) => Promise<LoadResult>;

/** @throws Error unless every operation has succeeded. */
async function checkKvd({ port }: ServerProcess, mix: Mix): Promise<void> {
  const connection = await H2Connection.open(port);
  for (const body of batchBodies(mix)) {
    const { results } = BatchResponse.decode(
      await callUnary(connection, KVD.batch, body.subarray(5)),
    );
    const bad = results.find(({ result }) => result === undefined || result.$case === "failure");
    if (results.length !== mix.operations || bad !== undefined) {
      throw new Error(
        `Batch answered ${results.length} results, ${JSON.stringify(bad)} among them`,
      );
    }
  }
  const answer = PipelineResponse.decode(
    await callUnary(connection, KVD.pipeline, (pipelineBodies(mix)[0] as Buffer).subarray(5)),
  );
  connection.close();
  const values = answer.results.filter(
    ({ result }) => result?.$case === "get" && result.value.kv?.value.length === VALUE_BYTES,
  );
  if (answer.id !== 1n || values.length !== mix.operations / 2) {
    throw new Error(`Pipeline answered ${values.length} values of ${mix.operations / 2}`);
  }
}

async function measureRedis(bench: Bench, { port }: ServerProcess, mix: Mix): Promise<void> {
  const rates = await redisBenchmark({
    port,
    requests: REDIS_REQUESTS,
    pipeline: mix.operations,
    distinctKeys: mix.distinctKeys,
    valueBytes: VALUE_BYTES,
  });
  bench.record(nameOf("Redis", mix), RATE, (rates.set + rates.get) / 2);
  bench.record(nameOf("Redis SET", mix), RATE, rates.set);
  bench.record(nameOf("Redis GET", mix), RATE, rates.get);
}

async function etcdSubject(bench: Bench): Promise<Subject> {
  if (!bench.has("etcd")) return undefined;
  const { port } = await bench.use(startEtcd(bench.path("etcd")));
  const message = etcdTxnMessage(0, { puts: 50, ranges: 50 });
  const connection = await H2Connection.open(port);
  const first = TxnResponse.decode(await callUnary(connection, ETCD.txn, message));
  connection.close();
  if (!first.succeeded || first.responses.length !== 100) throw new Error("etcd's Txn has failed");
  return async () => {
    const { rate } = await unaryLoad({
      port,
      path: ETCD.txn,
      bodies: [framed(message)],
      connections: CONNECTIONS,
      inFlight: 16,
      seconds: bench.options.seconds / 2,
      warmUpSeconds: WARM_UP_SECONDS,
    });
    bench.record(nameOf("etcd Txn", ETCD_MIX), RATE, rate * 100);
  };
}

async function run(bench: Bench, { durable }: { readonly durable: boolean }): Promise<void> {
  const kvd = await bench.kvd(durable ? { dataDir: bench.path("kvd") } : {});
  const redis = bench.has("redis")
    ? await bench.use(startRedis(bench.path("redis"), durable ? REDIS_DURABLE : REDIS_MEMORY))
    : undefined;
  const etcd = durable ? undefined : await etcdSubject(bench);
  const subjects: Record<string, Subject> = {};
  for (const mix of MIXES) {
    await checkKvd(kvd, mix);
    const batches = batchBodies(mix);
    const messages = pipelineBodies(mix);
    const loads: Readonly<Record<string, Load>> = {
      "kvd Batch": (plan) => unaryLoad({ ...plan, path: KVD.batch, bodies: batches }),
      "kvd Pipeline": (plan) => streamLoad({ ...plan, path: KVD.pipeline, bodies: messages }),
    };
    for (const [who, load] of Object.entries(loads)) {
      const name = nameOf(who, mix);
      subjects[name] = () => measureKvd(bench, kvd, { name, mix, load });
    }
    subjects[nameOf("Redis", mix)] = redis && (() => measureRedis(bench, redis, mix));
  }
  await bench.inTurn({ ...subjects, etcd });
}

export const batchCase: Case = {
  name: "batch-memory",
  about: "half gets, half puts in a message, in memory; Redis with as many pipelined commands",
  goals: [
    ...goalsOf(3),
    ...["kvd Batch", "kvd Pipeline"].map((who) => ({
      row: 3,
      text: `${nameOf(who, ETCD_MIX)}, of etcd's Txn`,
      over: nameOf(who, ETCD_MIX),
      under: nameOf("etcd Txn", ETCD_MIX),
      bound: { atLeast: 8 },
    })),
  ],
  run: (bench) => run(bench, { durable: false }),
};

export const durableBatchCase: Case = {
  name: "batch-durable",
  about: "the same, synced before the answer; Redis with appendfsync always",
  goals: goalsOf(4),
  run: (bench) => run(bench, { durable: true }),
};
