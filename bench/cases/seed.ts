// The load with which a Haskell server reported 1.16 million operations a second: 100 connections,
// each with 500 requests, one after the other, of 50 reads and 50 writes.

import { type Case, RATE } from "../case.js";
import { batchBodies, pipelineBodies } from "../fixtures.js";
import { redisBenchmark } from "../load/redis-benchmark.js";
import { streamLoad } from "../load/stream-load.js";
import { unaryLoad } from "../load/unary-load.js";
import { KVD } from "../methods.js";
import { REDIS_MEMORY, startRedis } from "../servers/redis.js";
import { shareOf } from "../servers/server-process.js";

const CONNECTIONS = 100;
const REQUESTS = 500;
const OPERATIONS = 100;
const DISTINCT_KEYS = 100_000;

export const seedCase: Case = {
  name: "seed",
  about: "100 connections × 500 requests × 50 reads and 50 writes, in memory",
  goals: [],
  async run(bench) {
    const kvd = await bench.kvd();
    const redis = bench.has("redis")
      ? await bench.use(startRedis(bench.path("redis"), REDIS_MEMORY))
      : undefined;
    const mix = { operations: OPERATIONS, distinctKeys: DISTINCT_KEYS };
    const plan = {
      port: kvd.port,
      connections: CONNECTIONS,
      inFlight: 1,
      seconds: Number.POSITIVE_INFINITY,
      messages: CONNECTIONS * REQUESTS,
    };
    const loads = {
      "kvd Batch": () => unaryLoad({ ...plan, path: KVD.batch, bodies: batchBodies(mix) }),
      "kvd Pipeline": () =>
        streamLoad({ ...plan, path: KVD.pipeline, bodies: pipelineBodies(mix) }),
    };
    const subjects = Object.entries(loads).map(([name, load]) => {
      const measure = async () => {
        const used = shareOf(kvd);
        const { rate, senderShare } = await load();
        const shares = { server: used(), sender: senderShare * 100 };
        bench.record(`${name}, operations`, RATE, rate * OPERATIONS, shares);
      };
      return [name, measure] as const;
    });
    await bench.inTurn({
      ...Object.fromEntries(subjects),
      redis:
        redis &&
        (async () => {
          const rates = await redisBenchmark({
            port: redis.port,
            requests: (CONNECTIONS * REQUESTS * OPERATIONS) / 2,
            pipeline: OPERATIONS,
            distinctKeys: DISTINCT_KEYS,
            valueBytes: 64,
            connections: CONNECTIONS,
          });
          bench.record("Redis, -P 100, operations", RATE, (rates.set + rates.get) / 2);
        }),
    });
  },
};
