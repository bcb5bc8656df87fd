// What durability costs: a put that is synced beside one that is not, alone and 128 at a time.
//
//   node dist/bench/durable-put.js [folder]
//
// The server runs on core 0, the load on core 1, where taskset is there; the folder, . by default,
// is on the disk that is measured. Rounds alternate; medians are told with minimum and maximum.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { credentials } from "@grpc/grpc-js";
import { KvServiceClient, PutRequest } from "../gen/grpc/kvd/v1/kv.js";

const KVD = fileURLToPath(new URL("../server/main.js", import.meta.url));
const ROUNDS = 5;
const LONE_PUTS = 2000;
const CONNECTIONS = 8;
const IN_FLIGHT = 16;
const LOAD_MS = 4000;
const VALUE = Buffer.alloc(64, 120);
const PINS = spawnSync("taskset", ["--version"]).status === 0;

const folder = mkdtempSync(join(process.argv[2] ?? ".", "kvd-bench-"));
if (PINS) spawnSync("taskset", ["-a", "-p", "-c", "1", String(process.pid)]);
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const rows = new Map<string, number[]>();
  const add = (name: string, value: number) => rows.set(name, [...(rows.get(name) ?? []), value]);
  for (let round = 0; round < ROUNDS; round += 1) {
    add("one write and fdatasync, µs", medianOf(syncs()) * 1000);
    for (const [name, args] of [
      ["--memory", ["--memory"]],
      ["--fsync always", ["--data-dir", join(folder, `data-${round}`)]],
    ] as const) {
      const server = await startServer(args);
      try {
        add(`a lone put, ${name}, µs`, medianOf(await lonePuts(server.address)) * 1000);
        const before = cpuMs(server.pid);
        const { puts, rate } = await load(server.address);
        add(`128 puts in flight, ${name}, puts a second`, rate);
        add(`CPU a put of these, ${name}, µs`, ((cpuMs(server.pid) - before) / puts) * 1000);
      } finally {
        await server.stop();
      }
    }
  }
  for (const [name, values] of rows) {
    const [low, middle, high] = [Math.min(...values), medianOf(values), Math.max(...values)];
    say(`${name.padEnd(50)} ${[middle, low, high].map((one) => one.toFixed(0)).join("  ")}`);
  }
  const of = (name: string) => medianOf(rows.get(name) ?? []);
  const ratio =
    of("128 puts in flight, --fsync always, puts a second") /
    of("128 puts in flight, --memory, puts a second");
  say(`128 in flight, always / memory: ${ratio.toFixed(3)}`);
}

/** What the disk needs for as much as a put writes, in milliseconds. */
function syncs(): number[] {
  const file = openSync(join(folder, "syncs"), "w");
  const bytes = Buffer.alloc(160, 1);
  const times: number[] = [];
  for (let count = 0; count < LONE_PUTS; count += 1) {
    const began = performance.now();
    writeSync(file, bytes, 0, bytes.length, count * bytes.length);
    fdatasyncSync(file);
    times.push(performance.now() - began);
  }
  closeSync(file);
  return times;
}

async function startServer(args: readonly string[]) {
  const command = [process.execPath, KVD, "--listen", "127.0.0.1:0", ...args];
  const pinned = PINS ? ["taskset", "-c", "0", ...command] : command;
  const child: ChildProcess = spawn(pinned[0] as string, pinned.slice(1), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const address = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
      const found = /"address":"([^"]+)"/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", () => reject(new Error(text)));
  });
  return {
    address,
    pid: child.pid ?? 0,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function put(client: KvServiceClient, key: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.put(
      PutRequest.fromPartial({ keyForm: { $case: "key", value: key }, value: VALUE }),
      (error) => {
        if (error === null) resolve();
        else reject(error);
      },
    );
  });
}

async function lonePuts(address: string): Promise<number[]> {
  const client = new KvServiceClient(address, credentials.createInsecure());
  const times: number[] = [];
  for (let count = 0; count < LONE_PUTS; count += 1) {
    const began = performance.now();
    await put(client, `lone:${count % 1000}`);
    times.push(performance.now() - began);
  }
  client.close();
  return times;
}

/** What a process has used, threads and system calls included; 0 where that is not told. */
function cpuMs(pid: number): number {
  if (!existsSync(`/proc/${pid}/stat`)) return 0;
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function load(address: string): Promise<{ readonly puts: number; readonly rate: number }> {
  const options = { "grpc.use_local_subchannel_pool": 1, "grpc.enable_channelz": 0 };
  const clients = Array.from(
    { length: CONNECTIONS },
    () => new KvServiceClient(address, credentials.createInsecure(), options),
  );
  let done = 0;
  let puts = 0;
  let counting = false;
  const end = performance.now() + LOAD_MS * 1.25;
  const worker = async (client: KvServiceClient, name: string) => {
    for (let count = 0; performance.now() < end; count += 1) {
      await put(client, `${name}:${count % 500}`);
      puts += 1;
      if (counting) done += 1;
    }
  };
  const began = performance.now();
  const workers = clients.flatMap((client, connection) =>
    Array.from({ length: IN_FLIGHT }, (_, place) => worker(client, `${connection}:${place}`)),
  );
  // The first fifth warms up.
  while (performance.now() < began + LOAD_MS * 0.25) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  counting = true;
  const from = performance.now();
  await Promise.all(workers);
  const seconds = (performance.now() - from) / 1000;
  for (const client of clients) client.close();
  return { puts, rate: done / seconds };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
