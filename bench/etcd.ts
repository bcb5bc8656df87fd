// The same load of etcd's protocol on kvd and on a real etcd, one after the other: puts of 64 bytes
// that are synced, and ranges of one key.
//
//   node dist/bench/etcd.js [folder]
//
// h2load (nghttp2-client) makes the load: 8 connections, 16 calls in flight on each. The server
// runs on core 0, the load on core 1, where taskset is there; the folder, . by default, is on the
// disk that is written to. Rounds alternate; medians are told with minimum and maximum. What the
// puts have done is read back from the revision.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { credentials } from "@grpc/grpc-js";
import { KVClient, PutRequest, RangeRequest, type RangeResponse } from "../gen/grpc/etcd/rpc.js";

const KVD = fileURLToPath(new URL("../server/main.js", import.meta.url));
const ROUNDS = 5;
const LOAD_S = 4;
const KEY = Buffer.from("bench/key-0000001");
const PUT = PutRequest.encode(PutRequest.create({ key: KEY, value: Buffer.alloc(64, 120) }));
const RANGE = RangeRequest.encode(RangeRequest.create({ key: KEY }));
const PINS = spawnSync("taskset", ["--version"]).status === 0;

const folder = mkdtempSync(join(process.argv[2] ?? ".", "kvd-bench-"));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

interface Server {
  readonly name: string;
  readonly port: number;
  stop(): Promise<void>;
}

async function main(): Promise<void> {
  for (const tool of ["etcd", "h2load"]) {
    if (spawnSync(tool, ["--version"]).status !== 0) return say(`NOT RUN, for want of ${tool}`);
  }
  writeFileSync(join(folder, "put"), frame(PUT.finish()));
  writeFileSync(join(folder, "range"), frame(RANGE.finish()));
  const rates = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const start of [startKvd, startEtcd]) {
      const server = await start(join(folder, `${start.name}-${round}`));
      try {
        for (const [method, body] of [
          ["Put", "put"],
          ["Range", "range"],
        ] as const) {
          const rate = await load(server, method, body);
          const name = `${method} ${server.name}`;
          rates.set(name, [...(rates.get(name) ?? []), rate]);
        }
      } finally {
        await server.stop();
      }
    }
  }
  for (const [name, values] of rates) {
    const figures = [medianOf(values), Math.min(...values), Math.max(...values)];
    say(`${name.padEnd(12)} ${figures.map((one) => one.toFixed(0)).join("  ")} calls a second`);
  }
  for (const method of ["Put", "Range"]) {
    const [kvd, etcd] = ["kvd", "etcd"].map((name) =>
      medianOf(rates.get(`${method} ${name}`) ?? []),
    );
    say(`${method}: kvd / etcd ${((kvd ?? 0) / (etcd ?? 1)).toFixed(2)}`);
  }
}

/** Calls a second. @throws Error when not every call was answered, or puts did not put. */
async function load({ port }: Server, method: string, body: string): Promise<number> {
  const before = await revisionOf(port);
  const url = `http://127.0.0.1:${port}/etcdserverpb.KV/${method}`;
  const flags = ["-c", "8", "-m", "16", "-t", "1", "-D", String(LOAD_S), "-d", join(folder, body)];
  const headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"];
  const words = [...pinned(1), "h2load", ...flags, ...headers, url];
  const output = await outputOf(words);
  const rate = Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(output)?.[1]);
  const done = Number(/(\d+) done/.exec(output)?.[1]);
  const succeeded = Number(/(\d+) succeeded/.exec(output)?.[1]);
  if (!(rate > 0) || succeeded < done) throw new Error(output);
  const revisions = (await revisionOf(port)) - before;
  if (method === "Put" && revisions < done) throw new Error(`${revisions} of ${done} puts`);
  return rate;
}

function startKvd(data: string): Promise<Server> {
  const words = [process.execPath, KVD, "--listen", "127.0.0.1:0", "--data-dir", data];
  return startServer("kvd", words, (text) => /"address":"[^"]+:(\d+)"/.exec(text)?.[1]);
}

async function startEtcd(data: string): Promise<Server> {
  const [clients, peers] = [await freePort(), await freePort()];
  const urls = { clients: `http://127.0.0.1:${clients}`, peers: `http://127.0.0.1:${peers}` };
  const flags = [
    ...["--data-dir", data, "--logger", "zap", "--log-outputs", "stdout"],
    ...["--listen-client-urls", urls.clients, "--advertise-client-urls", urls.clients],
    ...["--listen-peer-urls", urls.peers, "--initial-advertise-peer-urls", urls.peers],
    ...["--initial-cluster", `default=${urls.peers}`],
  ];
  const isUp = (text: string) =>
    text.includes("serving client traffic") ? String(clients) : undefined;
  return startServer("etcd", ["etcd", ...flags], isUp);
}

async function startServer(
  name: string,
  words: readonly string[],
  portIn: (output: string) => string | undefined,
): Promise<Server> {
  const all = [...pinned(0), ...words];
  // etcd warns of each call that the load has given up at its end.
  const child: ChildProcess = spawn(all[0] as string, all.slice(1), {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const port = await new Promise<number>((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
      const found = portIn(text);
      if (found !== undefined) resolve(Number(found));
    });
    child.once("exit", () => reject(new Error(text)));
  });
  return {
    name,
    port,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function revisionOf(port: number): Promise<number> {
  const client = new KVClient(`127.0.0.1:${port}`, credentials.createInsecure());
  const response = await new Promise<RangeResponse>((resolve, reject) => {
    client.range(RangeRequest.create({ key: KEY }), (error, answer) =>
      error === null ? resolve(answer) : reject(error),
    );
  });
  client.close();
  return Number(response.header?.revision);
}

function outputOf(words: readonly string[]): Promise<string> {
  const child = spawn(words[0] as string, words.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => child.once("close", () => resolve(text)));
}

/** A message as gRPC frames it. */
function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function pinned(core: number): string[] {
  return PINS ? ["taskset", "-c", String(core)] : [];
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
