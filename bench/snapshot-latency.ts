// How long a Get takes while a snapshot is taken, beside how long it takes at rest: in one run, on
// one server, a process of its own with its data on disk.
//
//   npm run build && node dist/bench/snapshot-latency.js [keys, 1,000,000 by default]

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { connect, type Kvd, put } from "../client/index.js";

const KEYS = Number(process.argv[2] ?? 1_000_000);
const VALUE = Buffer.alloc(100, "v");
const BATCH = 5_000;
const READERS = 8;
const REST_MS = 5_000;
const KVD = fileURLToPath(new URL("../server/main.js", import.meta.url));

const keyOf = (index: number) => `key:${String(index).padStart(12, "0")}`;

async function load(kv: Kvd): Promise<void> {
  for (let from = 0; from < KEYS; from += BATCH) {
    const count = Math.min(BATCH, KEYS - from);
    await kv.batch(Array.from({ length: count }, (_, index) => put(keyOf(from + index), VALUE)));
  }
}

/** Reads random keys until `during` is over; the latencies in milliseconds, ascending. */
async function latencies(kv: Kvd, during: Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  let over = false;
  const end = during.finally(() => {
    over = true;
  });
  const read = async () => {
    while (!over) {
      const began = performance.now();
      await kv.get(keyOf(Math.floor(Math.random() * KEYS)));
      taken.push(performance.now() - began);
    }
  };
  await Promise.all([end, ...Array.from({ length: READERS }, read)]);
  return taken.sort((left, right) => left - right);
}

function report(what: string, sorted: readonly number[], ms: number): void {
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);
  const rate = Math.round((sorted.length / ms) * 1000);
  const figures = `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p99.9 ${at(0.999)} ms, ${rate} a second`;
  process.stdout.write(`${what.padEnd(20)} ${figures}, ${(ms / 1000).toFixed(1)} s\n`);
}

async function measure(kv: Kvd, what: string, during: () => Promise<unknown>): Promise<void> {
  const began = performance.now();
  const sorted = await latencies(kv, during());
  report(what, sorted, performance.now() - began);
}

const folder = await mkdtemp(join(tmpdir(), "kvd-bench-"));
const portFile = join(folder, "port");
const flags = ["--data-dir", join(folder, "data"), "--listen", "127.0.0.1:0"];
const quiet = ["--port-file", portFile, "--log-level", "warn", "--snapshot-interval", "1d"];
const server = spawn(process.execPath, [KVD, ...flags, ...quiet], {
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  let port = "";
  while (port === "") {
    port = await readFile(portFile, "utf8").catch(() => "");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await using kv = connect(`127.0.0.1:${port.trim()}`, { timeout: "60s" });
  await load(kv);
  const rest = () => new Promise((resolve) => setTimeout(resolve, REST_MS));
  const saved = join(folder, "saved.kvd");
  await measure(kv, "at rest", rest);
  await measure(kv, "during a snapshot", () =>
    pipeline(kv.maintenance.snapshot(), createWriteStream(saved)),
  );
  await measure(kv, "at rest again", rest);
} finally {
  server.kill();
  await once(server, "exit");
  await rm(folder, { recursive: true, force: true });
}
