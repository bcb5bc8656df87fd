// How long a start takes until the first answer, from a snapshot of many keys and from a log of as
// many commits, beside Redis with the same data: its RDB and its AOF.
//
//   node dist/bench/start.js [keys, 1,000,000 by default] [folder]
//
// Three starts each, in turn; medians are told with minimum and maximum. Without redis-server that
// part is left out, and said so.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connect, put } from "../client/index.js";

const KVD = fileURLToPath(new URL("../server/main.js", import.meta.url));
const KEYS = Number(process.argv[2] ?? 1_000_000);
const STARTS = 3;
const BATCH = 5000;
const VALUE = "v".repeat(64);
const REDIS_PORT = 17_379;
const HAS_REDIS = spawnSync("redis-server", ["--version"]).status === 0;

const folder = mkdtempSync(join(process.argv[3] ?? ".", "kvd-bench-"));
const keyOf = (index: number) => `key:${String(index).padStart(12, "0")}`;
async function main(): Promise<void> {
  const kvdLog = join(folder, "log");
  const kvdSnapshot = join(folder, "snapshot");
  await fillKvd(kvdLog, ["--snapshot-log-bytes", "1GiB"], async () => {});
  await fillKvd(kvdSnapshot, ["--snapshot-log-bytes", "1MiB"], () => snapshotIn(kvdSnapshot));
  const kinds: [string, () => Promise<number>][] = [
    ["kvd, from a snapshot", () => startKvd(kvdSnapshot)],
    ["kvd, from a log", () => startKvd(kvdLog)],
  ];
  if (HAS_REDIS) {
    const [rdb, aof] = [join(folder, "rdb"), join(folder, "aof")];
    await fillRedis(rdb, RDB);
    await fillRedis(aof, AOF);
    kinds.push(["Redis, from its RDB", () => startRedis(rdb, RDB)]);
    kinds.push(["Redis, from its AOF", () => startRedis(aof, AOF)]);
  } else {
    say("redis-server is not installed: nothing to compare with");
  }
  const times = new Map<string, number[]>();
  for (let start = 0; start < STARTS; start += 1) {
    for (const [name, run] of kinds) times.set(name, [...(times.get(name) ?? []), await run()]);
  }
  for (const [name, values] of times) {
    const sorted = [...values].sort((one, other) => one - other).map((ms) => ms.toFixed(0));
    say(`${KEYS} keys: ${name.padEnd(22)} ${sorted[1]} ms (${sorted[0]} to ${sorted.at(-1)})`);
  }
}

async function spawnKvd(dataDir: string, args: readonly string[] = []) {
  const flags = ["--listen", "127.0.0.1:0", "--data-dir", dataDir, "--history-bytes", "0"];
  const child = spawn(process.execPath, [KVD, ...flags, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let text = "";
  for await (const chunk of child.stdout) {
    text += chunk;
    const address = /"address":"([^"]+)"/.exec(text)?.[1];
    if (address !== undefined) return { child, address };
  }
  throw new Error(text);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

async function fillKvd(dataDir: string, args: readonly string[], filled: () => Promise<void>) {
  const { child, address } = await spawnKvd(dataDir, args);
  const kv = connect(address);
  for (let from = 0; from < KEYS; from += BATCH) {
    const count = Math.min(BATCH, KEYS - from);
    await kv.batch(Array.from({ length: count }, (_, index) => put(keyOf(from + index), VALUE)));
  }
  await filled();
  await kv.close();
  await end(child, "SIGTERM");
}

/** Until the newest snapshot holds all, and no other is on its way. */
async function snapshotIn(dataDir: string): Promise<void> {
  const names = () => readdirSync(dataDir).join();
  for (let last = ""; last !== names() || last.includes("tmp"); ) {
    last = names();
    await pause(5000);
  }
}

async function startKvd(dataDir: string): Promise<number> {
  const began = performance.now();
  const { child, address } = await spawnKvd(dataDir);
  const kv = connect(address);
  const entry = await kv.get(keyOf(KEYS - 1));
  const took = performance.now() - began;
  if (entry?.text() !== VALUE) throw new Error("the last key is not there");
  await kv.close();
  await end(child, "SIGTERM");
  return took;
}

const RDB = ["--appendonly", "no", "--save", ""];
const AOF = ["--appendonly", "yes", "--aof-use-rdb-preamble", "no", "--save", ""];

async function spawnRedis(dir: string, args: readonly string[]): Promise<ChildProcess> {
  mkdirSync(dir, { recursive: true });
  const place = ["--dir", dir, "--port", String(REDIS_PORT), "--bind", "127.0.0.1"];
  return spawn("redis-server", [...place, ...args], { stdio: "ignore" });
}

async function fillRedis(dir: string, args: readonly string[]): Promise<void> {
  const child = await spawnRedis(dir, args);
  const socket = await answering();
  for (let from = 0; from < KEYS; from += BATCH) {
    const count = Math.min(BATCH, KEYS - from);
    const words = Array.from({ length: count }, (_, index) =>
      resp(["SET", keyOf(from + index), VALUE]),
    );
    await ask(socket, words.join(""), count);
  }
  if (args === RDB) await ask(socket, resp(["SAVE"]), 1);
  socket.destroy();
  await end(child, "SIGTERM");
}

async function startRedis(dir: string, args: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = await spawnRedis(dir, args);
  const socket = await answering();
  const answer = await ask(socket, resp(["GET", keyOf(KEYS - 1)]), 2);
  const took = performance.now() - began;
  if (!answer.includes(VALUE)) throw new Error(`the last key is not there: ${answer}`);
  socket.destroy();
  await end(child, "SIGTERM");
  return took;
}

/** A connection to Redis, once it has loaded its data. */
async function answering(): Promise<Socket> {
  for (;;) {
    const socket = connectSocket(REDIS_PORT, "127.0.0.1");
    const connected = await new Promise((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    if (connected && (await ask(socket, resp(["PING"]), 1)).startsWith("+PONG")) return socket;
    socket.destroy();
    await pause(2);
  }
}

function resp(words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join("")}`;
}

/** Sends, and waits for so many lines. */
async function ask(socket: Socket, text: string, lines: number): Promise<string> {
  socket.write(text);
  let answer = "";
  let seen = 0;
  while (seen < lines) {
    const [chunk] = await once(socket, "data");
    answer += chunk;
    seen += String(chunk).split("\r\n").length - 1;
  }
  return answer;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
