#!/usr/bin/env node
// kvd: reads its flags, starts a server, and stops it when it is told to.
//
// SIGTERM and SIGINT stop it gracefully, with exit code 0; a second one ends it at once, with the
// code that shells give the signal. Exit codes: 1 cannot listen or say where, 2 bad flags, 70 an
// error of kvd's own. Logs are JSON lines on stdout; texts about flags go to stderr.

import { pino } from "pino";
import { type Config, readInvocation } from "./config.js";
import { AddressError } from "./listen-address.js";
import { thisMachine } from "./memory-sizes.js";
import { endOfLife } from "./node-support.js";
import { removePortFile, writePortFile } from "./port-file.js";
import type { KvdServer } from "./server.js";
import { VERSION } from "./version.js";

const EXIT = { cannotListen: 1, usage: 2, internal: 70, signal: { SIGINT: 130, SIGTERM: 143 } };

/** What they print holds metadata of calls, tokens included. */
const LEAKING_VARIABLES = ["GRPC_TRACE", "GRPC_VERBOSITY", "NODE_DEBUG"];

async function main(): Promise<void> {
  const { argv, env } = process;
  const machine = thisMachine();
  const invocation = readInvocation({ argv: argv.slice(2), env, machine, version: VERSION });
  if (invocation.kind === "serve") {
    await serve(invocation.config);
  } else if (invocation.kind === "print") {
    process.stdout.write(invocation.text);
  } else {
    process.stderr.write(invocation.text);
    process.exitCode = EXIT.usage;
  }
}

async function serve(config: Config): Promise<void> {
  const logger = createLogger(config);
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (error) => {
      logger.fatal({ err: error }, "an error of kvd's own: it ends at once");
      process.exit(EXIT.internal);
    });
  }
  warnOfSurroundings(config, logger);
  const server = await startServer(config, logger);
  if (server === undefined) {
    process.exitCode = EXIT.cannotListen;
    return;
  }
  stopOnSignals(server, config, logger);
  const { address, addresses } = server;
  try {
    if (config.portFile !== undefined) await writePortFile(config.portFile, address);
    logger.info({ address, addresses, version: VERSION }, "listening");
  } catch (error) {
    logger.fatal({}, `cannot write --port-file ${config.portFile}: ${(error as Error).message}`);
    process.exitCode = EXIT.cannotListen;
    await server.close();
  }
}

function createLogger({ logLevel }: Config): pino.Logger {
  return pino({
    level: logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}

/** grpc-js reads its variables when it is imported, so that is done after they are gone. */
async function startServer(config: Config, logger: pino.Logger): Promise<KvdServer | undefined> {
  if (!config.debugGrpc) {
    for (const name of LEAKING_VARIABLES) delete process.env[name];
  }
  const { createServer } = await import("./server.js");
  const { listen, limits, insecure, shutdownGraceMs } = config;
  try {
    return await createServer({ listen, limits, insecure, shutdownGraceMs, logger });
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    logger.fatal({}, error.message);
    return undefined;
  }
}

function stopOnSignals(server: KvdServer, config: Config, logger: pino.Logger): void {
  let stopping = false;
  const stop = async (signal: "SIGINT" | "SIGTERM") => {
    if (stopping) process.exit(EXIT.signal[signal]);
    stopping = true;
    logger.info({ signal }, "stopping; a second signal ends kvd at once");
    await server.close();
    if (config.portFile !== undefined) await removePortFile(config.portFile);
    logger.info({}, "stopped");
    process.exit(0);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

function warnOfSurroundings(config: Config, logger: pino.Logger): void {
  for (const name of config.unknownVariables) {
    logger.warn({ variable: name }, `the variable ${name} means nothing to kvd`);
  }
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
  if (config.memory) {
    logger.info({}, "--memory: nothing is kept on disk; all data is gone when kvd stops");
  } else {
    const text =
      "kvd cannot keep data on disk yet: everything is in memory, and gone when it stops";
    logger.warn({}, `${text} (--memory says that this is meant)`);
  }
}

await main();
