// Row 6: from the start of the process to the first answer, with a million keys on disk, from a
// snapshot and from a log of as many commits, beside Redis with its RDB and its AOF.

import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { connect } from "../../client/index.js";
import { GetResponse } from "../../gen/grpc/kvd/v1/kv.js";
import type { Bench, Case } from "../case.js";
import { getMessage, keyAt, VALUE } from "../fixtures.js";
import { fillKvd, fillRedis } from "../load/fill.js";
import { H2Connection } from "../load/h2-connection.js";
import { callUnary } from "../load/unary-call.js";
import { KVD } from "../methods.js";
import { restoreSnapshot } from "../servers/kvd.js";
import { RedisConnection, respCommand, startRedis } from "../servers/redis.js";
import type { ServerProcess } from "../servers/server-process.js";

const KEYS = 1_000_000;
/** No snapshots but the one that is asked for, so that the log keeps every commit. */
const LOG_ONLY = ["--snapshot-interval", "1d", "--snapshot-log-bytes", "1TiB"];
const RDB = ["--appendonly", "no", "--save", ""];
const AOF = ["--appendonly", "yes", "--aof-use-rdb-preamble", "no", "--save", ""];

interface Folders {
  readonly log: string;
  readonly snapshot: string;
}

async function fillKvdFolders(bench: Bench): Promise<Folders> {
  const folders = { log: bench.path("log"), snapshot: bench.path("snapshot") };
  const kvd = await bench.kvd({ dataDir: folders.log, flags: LOG_ONLY });
  await fillKvd(kvd.port, KEYS);
  const client = connect(`127.0.0.1:${kvd.port}`);
  const file = bench.path("saved.kvd");
  await pipeline(client.maintenance.snapshot(), createWriteStream(file));
  await client.close();
  await kvd.stop();
  restoreSnapshot(bench.options.node, file, folders.snapshot);
  return folders;
}

async function fillRedisFolder(dir: string, flags: readonly string[]): Promise<void> {
  const redis = await startRedis(dir, flags);
  await fillRedis(redis.port, KEYS);
  const connection = await RedisConnection.open(redis.port);
  if (flags === RDB) await connection.ask(respCommand(["SAVE"]), 1);
  connection.close();
  await redis.stop();
}

/** Until the last key is answered, in milliseconds. @throws Error when it is not there. */
async function timed(
  starting: () => Promise<ServerProcess>,
  read: (port: number) => Promise<void>,
) {
  const began = performance.now();
  const server = await starting();
  await read(server.port);
  const took = performance.now() - began;
  await server.stop();
  return took;
}

async function readKvd(port: number): Promise<void> {
  const connection = await H2Connection.open(port);
  const answer = await callUnary(connection, KVD.get, getMessage(KEYS - 1));
  connection.close();
  const { kv } = GetResponse.decode(answer);
  if (kv === undefined || !VALUE.equals(kv.value)) throw new Error("the last key is not there");
}

async function readRedis(port: number): Promise<void> {
  const connection = await RedisConnection.open(port);
  const answer = await connection.ask(respCommand(["GET", keyAt(KEYS - 1)]), 2);
  connection.close();
  if (!answer.includes(VALUE.toString())) throw new Error("the last key is not there");
}

export const startCase: Case = {
  name: "start",
  about: "start with 1 million keys on disk, until the first answer",
  goals: [
    {
      row: 6,
      text: "start from a snapshot, of Redis from its RDB",
      over: "kvd, from a snapshot",
      under: "Redis, from its RDB",
      bound: { atMost: 1.5 },
    },
    {
      row: 6,
      text: "start from a log, of Redis from its AOF",
      over: "kvd, from a log",
      under: "Redis, from its AOF",
      bound: { atMost: 1.5 },
    },
  ],
  async run(bench) {
    const folders = await fillKvdFolders(bench);
    const kvd = (dataDir: string, name: string) => async () => {
      const start = () => bench.kvd({ dataDir, flags: LOG_ONLY });
      bench.record(name, "ms", await timed(start, readKvd));
    };
    const [rdb, aof] = [bench.path("rdb"), bench.path("aof")];
    if (bench.has("redis")) {
      await fillRedisFolder(rdb, RDB);
      await fillRedisFolder(aof, AOF);
    }
    const redis = (dir: string, flags: readonly string[], name: string) =>
      bench.has("redis")
        ? async () =>
            bench.record(
              name,
              "ms",
              await timed(() => bench.use(startRedis(dir, flags)), readRedis),
            )
        : undefined;
    await bench.inTurn({
      snapshot: kvd(folders.snapshot, "kvd, from a snapshot"),
      rdb: redis(rdb, RDB, "Redis, from its RDB"),
      log: kvd(folders.log, "kvd, from a log"),
      aof: redis(aof, AOF, "Redis, from its AOF"),
    });
  },
};
