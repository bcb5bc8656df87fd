// createServer(): a kvd in this process, for main.ts, for programs that embed it and for tests.
//
// Opens an engine unless it is given one, listens, serves, and on close() stops in the opposite
// order: nobody connects any more, running calls finish within a bounded time, watches end with the
// revision to go on with, then the engine is closed, if it was opened here.

import type { Socket } from "node:net";
import { ConnectionLimit } from "./connection-limit.js";
import { openMemoryEngine } from "./engines/memory.js";
import type { LoadProgress } from "./engines/recovery.js";
import type { Engine } from "./kv/engine.js";
import { defaultLimits, type Limits } from "./kv/limits.js";
import { type Clock, systemClock } from "./lib/clock.js";
import { type Logger, silentLogger } from "./lib/logger.js";
import {
  AddressError,
  isLoopback,
  type ListenAddress,
  parseListenAddress,
  showListenAddress,
} from "./listen-address.js";
import { type Listener, openListener } from "./listener.js";
import { Protocols } from "./protocols.js";
import { DataError } from "./wal/data-error.js";

export type { Engine, Limits, LoadProgress, Logger };
export { AddressError, DataError };

export interface ServerOptions {
  /** host:port, [v6]:port, unix:/path; port 0 takes a free one. "127.0.0.1:0" by default. */
  readonly listen?: string | readonly string[];
  /** Take an address that other machines can reach, although there is neither TLS nor rights. */
  readonly insecure?: boolean;
  /** Speak etcd's v3 protocol, too, on the same addresses: by default. */
  readonly etcd?: boolean;
  /** Serve grpc.channelz.v1, which tells of connections and counts calls; not by default. */
  readonly channelz?: boolean;
  /** Those that are not named have their defaults. */
  readonly limits?: Partial<Limits>;
  /** Nothing is logged by default. pino's loggers will do. */
  readonly logger?: Logger;
  /** The folder of the data; by default it is in memory, and gone when the server closes. */
  readonly dataDir?: string;
  /**
   * When a write is synced to the disk: always, before it is answered, by default; every second; or
   * when the system likes to. Answers follow the write to the file in any case.
   */
  readonly fsync?: "always" | "everysec" | "never";
  /** A snapshot is saved so often, if something changed: every hour by default. */
  readonly snapshotIntervalMs?: number;
  /** And when the log has grown by so much, and by what the last snapshot took: 64 MiB. */
  readonly snapshotLogBytes?: number;
  /** Told while the data is loaded. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** An engine of one's own, in place of dataDir. It stays open when the server closes. */
  readonly engine?: Engine;
  readonly clock?: Clock;
  /**
   * Names that a request over HTTP/1 may be for. Addresses and localhost always may; others are
   * refused, because a web page can give a name of its own any address.
   */
  readonly allowedHosts?: readonly string[];
  /** How long close() lets running calls go on: 10 s by default. */
  readonly shutdownGraceMs?: number;
}

export interface KvdServer extends AsyncDisposable {
  /** The first real address, such as "127.0.0.1:41234" or "unix:/path"; connect() takes it. */
  readonly address: string;
  readonly addresses: readonly string[];
  /** Of the first TCP address; undefined when there is none. */
  readonly port: number | undefined;
  readonly engine: Engine;
  /**
   * Settles when what is written cannot be kept any more, because the disk failed: health says
   * NOT_SERVING, writes are refused with LOG_FAILED, reads go on until close(). Never otherwise.
   */
  readonly failed: Promise<Error>;
  /**
   * Stops gracefully: takes no connection any more, ends watches, lets running calls finish, at
   * most for the grace, and closes the log. Twice does no harm, and both calls wait for the end.
   * Throws, with everything closed, when the end of the log could not be written.
   */
  close(): Promise<void>;
}

const DEFAULT_LISTEN = "127.0.0.1:0";
const DEFAULT_SHUTDOWN_GRACE_MS = 10_000;
const DEFAULT_SNAPSHOT_INTERVAL_MS = 3_600_000;

/**
 * @throws AddressError when an address is malformed, in use, or exposed without `insecure`;
 *   DataError when the data directory is in use, or damaged.
 */
export async function createServer(options: ServerOptions = {}): Promise<KvdServer> {
  const wanted = addressesFromOptions(options);
  const limits = defaultLimits(options.limits);
  const { clock = systemClock, logger = silentLogger } = options;
  const engine = options.engine ?? (await openEngine(options, { limits, clock, logger }));
  const closeEngine = () => (options.engine === undefined ? engine.close() : Promise.resolve());
  const { etcd = true, channelz = false, allowedHosts = [] } = options;
  const served = { etcd, channelz, allowedHosts };
  const protocols = new Protocols({ engine, limits, clock, logger, ...served });
  const onConnection = (socket: Socket) => protocols.accept(socket);
  const connections = new ConnectionLimit({ max: limits.connectionsMax, logger, onConnection });
  const listeners: Listener[] = [];
  const closeListeners = () => Promise.all(listeners.map((listener) => listener.close()));
  try {
    for (const address of wanted) {
      listeners.push(await openListener(address, (socket) => connections.accept(socket)));
    }
  } catch (error) {
    await closeListeners();
    await protocols.stop({ graceMs: 0 });
    await closeEngine();
    throw error;
  }
  const graceMs = options.shutdownGraceMs ?? DEFAULT_SHUTDOWN_GRACE_MS;
  return kvdServer(listeners, engine, async () => {
    await closeListeners();
    await protocols.stop({ graceMs });
    await closeEngine();
  });
}

function openEngine(
  options: ServerOptions,
  context: { readonly limits: Limits; readonly clock: Clock; readonly logger: Logger },
): Promise<Engine> {
  const { dataDir, snapshotIntervalMs = DEFAULT_SNAPSHOT_INTERVAL_MS } = options;
  if (dataDir === undefined) return openMemoryEngine(context);
  const { fsync, snapshotLogBytes, onProgress } = options;
  const data = {
    path: dataDir,
    snapshotIntervalMs,
    ...(fsync && { fsync }),
    ...(snapshotLogBytes !== undefined && { snapshotLogBytes }),
    ...(onProgress && { onProgress }),
  };
  return openMemoryEngine({ ...context, data });
}

function kvdServer(
  listeners: readonly Listener[],
  engine: Engine,
  stop: () => Promise<void>,
): KvdServer {
  const addresses = listeners.map(({ address }) => address);
  const tcp = addresses.find((address) => address.kind === "tcp");
  let stopped: Promise<void> | undefined;
  const close = () => {
    stopped ??= stop();
    return stopped;
  };
  const shown = addresses.map(showListenAddress);
  return {
    address: shown[0] ?? "",
    addresses: shown,
    port: tcp?.port,
    engine,
    failed: engine.failed,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function addressesFromOptions({ listen, insecure = false }: ServerOptions): ListenAddress[] {
  const texts = typeof listen === "string" ? [listen] : (listen ?? [DEFAULT_LISTEN]);
  const addresses = texts.map(parseListenAddress);
  if (addresses.length === 0) throw new AddressError("no address to listen on");
  const exposed = addresses.find((address) => !isLoopback(address));
  if (exposed !== undefined && !insecure) {
    throw new AddressError(
      `${showListenAddress(exposed)} can be reached from other machines, and there is neither TLS ` +
        "nor rights yet: say `insecure` if that is meant",
    );
  }
  return addresses;
}
