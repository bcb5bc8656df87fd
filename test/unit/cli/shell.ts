// kvctl in the test's process, with a served store, and what it printed.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { ExecutionContext } from "ava";
import { run } from "../../../client/cli/program.js";
import type { Kvd } from "../../../client/index.js";
import type { Limits } from "../../../server/kv/limits.js";
import { serve } from "../client/served.js";

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Shell {
  readonly kv: Kvd;
  readonly server: string;
  /** A folder of the test's own. */
  readonly folder: string;
  kvctl(...argv: string[]): Promise<Ended>;
}

export async function shell(t: ExecutionContext, limits: Partial<Limits> = {}): Promise<Shell> {
  const { kv, server } = await serve(t, { limits });
  const folder = await mkdtemp(join(tmpdir(), "kvctl-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const environment = { KVCTL_SERVER: server.address };
  return { kv, folder, server: server.address, kvctl: (...argv) => kvctl(argv, environment) };
}

export async function kvctl(
  argv: readonly string[],
  environment: Record<string, string>,
): Promise<Ended> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const texts = [stdout, stderr].map(async (stream) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString("utf8");
  });
  const { signal } = new AbortController();
  const exitCode = await run({ argv, environment, stdout, stderr, signal });
  stdout.end();
  stderr.end();
  const [out = "", err = ""] = await Promise.all(texts);
  return { exitCode, stdout: out, stderr: err };
}

/** The lines of an answer as the JSON that they are. */
export const rows = ({ stdout }: Ended): unknown[] =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
