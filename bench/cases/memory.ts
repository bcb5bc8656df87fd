// Row 5: resident bytes a key, beyond those of the same process when it was empty.

import { setTimeout as pause } from "node:timers/promises";
import { GetResponse } from "../../gen/grpc/kvd/v1/kv.js";
import type { Bench, Case } from "../case.js";
import { getMessage, VALUE } from "../fixtures.js";
import { fillKvd, fillRedis } from "../load/fill.js";
import { H2Connection } from "../load/h2-connection.js";
import { callUnary } from "../load/unary-call.js";
import { KVD } from "../methods.js";
import { REDIS_MEMORY, startRedis } from "../servers/redis.js";
import type { ServerProcess } from "../servers/server-process.js";

/** What a load has left behind gets a moment to be collected. */
const SETTLE_MS = 1500;

interface Filling {
  readonly name: string;
  readonly keys: number;
  readonly start: () => Promise<ServerProcess>;
  readonly fill: (port: number, keys: number) => Promise<void>;
}

async function measure(bench: Bench, { name, keys, start, fill }: Filling): Promise<void> {
  const server = await start();
  await pause(SETTLE_MS / 3);
  const empty = server.residentBytes();
  const began = performance.now();
  await fill(server.port, keys);
  bench.record(`${name}: load`, "s", (performance.now() - began) / 1000);
  await pause(SETTLE_MS);
  bench.record(`${name}: memory`, "bytes a key", (server.residentBytes() - empty) / keys);
  if (name.startsWith("kvd")) await checkLast(server, keys);
  await server.stop();
}

async function checkLast({ port }: ServerProcess, keys: number): Promise<void> {
  const connection = await H2Connection.open(port);
  const answer = await callUnary(connection, KVD.get, getMessage(keys - 1));
  connection.close();
  if (!VALUE.equals(GetResponse.decode(answer).kv?.value ?? VALUE.subarray(1))) {
    throw new Error("the last key is not there");
  }
}

async function run(bench: Bench, keys: number): Promise<void> {
  await bench.inTurn({
    kvd: () => measure(bench, { name: "kvd", keys, start: () => bench.kvd(), fill: fillKvd }),
    redis: bench.has("redis")
      ? (round) =>
          measure(bench, {
            name: "Redis",
            keys,
            start: () => bench.use(startRedis(bench.path(`redis-${round}`), REDIS_MEMORY)),
            fill: fillRedis,
          })
      : undefined,
  });
}

const GOALS = (count: string) => [
  {
    row: 5,
    text: `resident bytes a key, ${count} keys, of Redis`,
    over: "kvd: memory",
    under: "Redis: memory",
    bound: { atMost: 1 },
  },
];

export const memoryCase: Case = {
  name: "memory",
  about: "resident bytes a key: 1 million keys of 16 bytes, values of 64",
  goals: GOALS("1 M"),
  run: (bench) => run(bench, 1_000_000),
};

export const bigMemoryCase: Case = {
  name: "memory-10m",
  about: "the same with 10 million",
  goals: GOALS("10 M"),
  set: "big",
  run: (bench) => run(bench, 10_000_000),
};
