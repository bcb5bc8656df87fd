// h2load as the load, where nghttp2-client is installed: a client that nobody of ours has written.
// It sends one body again and again, and counts HTTP 200, whatever the status of the call: what is
// answered is decoded before.

import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { LOAD_CORE, onCore } from "../servers/cores.js";
import type { LoadPlan } from "./load.js";

/** Calls a second. @throws Error when not every call was answered. */
export async function h2load(plan: LoadPlan, bodyFile: string): Promise<number> {
  const { port, path, bodies, connections, inFlight, seconds, warmUpSeconds = 0 } = plan;
  writeFileSync(bodyFile, bodies[0] ?? "");
  const flags = ["-c", String(connections), "-m", String(inFlight), "-t", "1", "-d", bodyFile];
  const time = ["-D", String(seconds), "--warm-up-time", String(warmUpSeconds)];
  const headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"];
  const url = `http://127.0.0.1:${port}${path}`;
  const output = await outputOf(["h2load", ...flags, ...time, ...headers, url]);
  rmSync(bodyFile);
  const rate = Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(output)?.[1]);
  const done = Number(/(\d+) done/.exec(output)?.[1]);
  const succeeded = Number(/(\d+) succeeded/.exec(output)?.[1]);
  if (!(rate > 0) || succeeded < done) throw new Error(output);
  return rate;
}

/** Runs on the core of the load. */
export function outputOf(words: readonly string[]): Promise<string> {
  const [command = "", ...rest] = onCore(LOAD_CORE, words);
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve(text));
  });
}
