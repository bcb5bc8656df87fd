#!/usr/bin/env node
// kvd: reads its flags, starts a server, and stops it when it is told to.
//
// SIGTERM and SIGINT stop it gracefully, with exit code 0; a second one ends it at once, with the
// code that shells give the signal. Exit codes: 1 cannot start, 2 bad flags, 70 an error of kvd's
// own, 74 data that is damaged, or a disk that failed. Logs are JSON lines on stdout, or in the
// file of --log-file; texts about flags go to stderr.

import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { pino } from "pino";
import { type Config, readInvocation } from "./config.js";
import { isOfData, isOfSystem } from "./data-failure.js";
import { KvdError } from "./kv/errors.js";
import { AddressError } from "./listen-address.js";
import { loadProgress } from "./load-progress.js";
import { LogFile } from "./log-file.js";
import { LogOutput, type LogTarget } from "./log-output.js";
import { thisMachine } from "./memory-sizes.js";
import { endOfLife } from "./node-support.js";
import { removePortFile, writePortFile } from "./port-file.js";
import type { KvdServer } from "./server.js";
import { VERSION } from "./version.js";
import { DataError } from "./wal/data-error.js";

const EXIT = {
  cannotStart: 1,
  usage: 2,
  internal: 70,
  data: 74,
  signal: { SIGINT: 130, SIGTERM: 143 },
};

const FSYNC_TEXTS = {
  always: "every write is synced to the disk before it is answered",
  everysec: "--fsync everysec: a power cut loses what was written in the last second",
  never: "--fsync never: a power cut loses what the system has not synced by itself",
} as const;

const STDOUT = 1;

/** What they print holds metadata of calls, tokens included. */
const LEAKING_VARIABLES = ["GRPC_TRACE", "GRPC_VERBOSITY", "NODE_DEBUG"];

/**
 * Node takes memory for small buffers so much at a time. The frames of batches are larger than half
 * of its 8 KiB, so each would have an allocation of its own: that was a third of a Pipeline's time
 * at 100 operations a message.
 */
const BUFFER_POOL_BYTES = 32 * 1024;

async function main(): Promise<void> {
  Buffer.poolSize = BUFFER_POOL_BYTES;
  const { argv, env } = process;
  const machine = thisMachine();
  const readFile = (path: string) => readFileSync(path, "utf8");
  const words = argv.slice(2);
  const invocation = readInvocation({ argv: words, env, machine, version: VERSION, readFile });
  if (invocation.kind === "serve") {
    await serve(invocation.config);
  } else if (invocation.kind === "offline") {
    // What a server never needs is not loaded for it.
    const { runOffline } = await import("./offline.js");
    process.exitCode = await runOffline(invocation.command);
  } else if (invocation.kind === "print") {
    process.stdout.write(invocation.text);
  } else {
    process.stderr.write(invocation.text);
    process.exitCode = EXIT.usage;
  }
}

async function serve(config: Config): Promise<void> {
  const logger = openLog(config);
  if (logger === undefined) return;
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (error) => {
      logger.fatal({ err: error }, "an error of kvd's own: it ends at once");
      process.exit(EXIT.internal);
    });
  }
  warnOfSurroundings(config, logger);
  const server = await startServer(config, logger);
  if (typeof server === "number") {
    process.exitCode = server;
    return;
  }
  stopOnSignals(server, config, logger);
  endWhenFailed(server, config, logger);
  const { address, addresses } = server;
  try {
    if (config.portFile !== undefined) await writePortFile(config.portFile, address);
    logger.info({ address, addresses, version: VERSION }, "listening");
  } catch (error) {
    logger.fatal({}, `cannot write --port-file ${config.portFile}: ${(error as Error).message}`);
    process.exitCode = EXIT.cannotStart;
    await server.close();
  }
}

/** Undefined when its file cannot be written to, which is told and ends kvd. */
function openLog(config: Config): pino.Logger | undefined {
  const { logFile } = config;
  try {
    const target = logFile === undefined ? { fd: STDOUT } : new LogFile(logFile);
    return createLogger(config, target);
  } catch (error) {
    process.stderr.write(`error: cannot write --log-file: ${(error as Error).message}\n`);
    process.exitCode = EXIT.cannotStart;
    return undefined;
  }
}

function createLogger({ logLevel }: Config, target: LogTarget): pino.Logger {
  const output = new LogOutput(target);
  process.on("exit", () => output.flushSync());
  const options = {
    level: logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, output);
}

/**
 * The server, or the exit code. grpc-js reads its variables when it is imported, so that is done
 * after they are gone.
 */
async function startServer(config: Config, logger: pino.Logger): Promise<KvdServer | number> {
  if (!config.debugGrpc) {
    for (const name of LEAKING_VARIABLES) delete process.env[name];
  }
  const { createServer } = await import("./server.js");
  const { dataDir, ...others } = config;
  const data = dataDir === undefined ? {} : { dataDir, onProgress: loadProgress(dataDir) };
  try {
    return await createServer({ ...others, ...data, logger });
  } catch (error) {
    const known = [AddressError, DataError, KvdError].some((each) => error instanceof each);
    if (!(error instanceof Error && (known || isOfSystem(error)))) throw error;
    logger.fatal({}, error.message);
    return isOfData(error) ? EXIT.data : EXIT.cannotStart;
  }
}

function stopOnSignals(server: KvdServer, config: Config, logger: pino.Logger): void {
  let stopping = false;
  const stop = async (signal: "SIGINT" | "SIGTERM") => {
    if (stopping) process.exit(EXIT.signal[signal]);
    stopping = true;
    logger.info({ signal }, "stopping; a second signal ends kvd at once");
    let failed = false;
    server.failed.then(() => {
      failed = true;
    });
    const closed = await closeServer(server, config, logger);
    process.exit(closed && !failed ? 0 : EXIT.data);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

/** Ends kvd some time after its disk has failed: only a start can tell what is on it. */
function endWhenFailed(server: KvdServer, config: Config, logger: pino.Logger): void {
  server.failed.then(async () => {
    const { failedLogGraceMs } = config;
    logger.fatal({ failedLogGraceMs }, "reads go on for a while; then kvd ends with exit code 74");
    await pause(failedLogGraceMs);
    // A disk that hangs may never let it be closed.
    await Promise.race([closeServer(server, config, logger), pause(config.shutdownGraceMs)]);
    process.exit(EXIT.data);
  });
}

/** False when the end of the log could not be written. */
async function closeServer(server: KvdServer, config: Config, logger: pino.Logger) {
  try {
    await server.close();
    if (config.portFile !== undefined) await removePortFile(config.portFile);
    logger.info({}, "stopped");
    return true;
  } catch (error) {
    logger.fatal({ err: error }, "the end of the log could not be written");
    return false;
  }
}

function warnOfSurroundings(config: Config, logger: pino.Logger): void {
  const lastDay = endOfLife(process.version, Date.now());
  if (lastDay !== undefined) {
    const text = `Node ${process.version} has had no security fixes since ${lastDay}: use Node 24`;
    logger.warn({ node: process.version }, text);
  }
  if (config.insecure) {
    logger.warn(
      { listen: config.listen },
      "--insecure: whoever reaches an address may do anything",
    );
  }
  if (config.dataDir === undefined) {
    logger.info({}, "--memory: nothing is kept on disk; all data is gone when kvd stops");
  } else {
    const { dataDir, fsync } = config;
    logger.info({ dataDir, fsync }, FSYNC_TEXTS[fsync]);
  }
}

await main();
