// The gRPC server: services, and the stop of all that they run.
//
// Connections are handed to it; it does not listen. A stop lets what runs finish: health says
// NOT_SERVING, streams that would never end are ended with a status, calls have a bounded time.
// What is still there after that is cut.

import type { Socket } from "node:net";
import {
  addAdminServicesToServer,
  type ConnectionInjector,
  Server,
  ServerCredentials,
  type ServerOptions,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { HealthService } from "../../gen/grpc/grpc/health/v1/health.js";
import { ServerReflectionService } from "../../gen/grpc/grpc/reflection/v1/reflection.js";
import { ServerReflectionService as AlphaReflectionService } from "../../gen/grpc/grpc/reflection/v1alpha/reflection.js";
import type { Limits } from "../kv/limits.js";
import { type Clock, systemClock } from "../lib/clock.js";
import type { Logger } from "../lib/logger.js";
import { Health } from "./health.js";
import { QuietSockets } from "./quiet-sockets.js";
import { Reflection } from "./reflection.js";
import { RequestTimer } from "./request-timer.js";

export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly handlers: object;
  /** Methods of one answer that may let their caller wait for it as long as it takes. */
  readonly waits?: readonly string[];
}

/** The services of one protocol. */
export interface Surface {
  readonly services: readonly GrpcService[];
  /** Larger requests are refused by it. */
  readonly requestMaxBytes: number;
  /** Ends their streams that do not end by themselves, once what runs is answered. */
  stopStreams(): void;
}

export interface GrpcServerOptions {
  readonly surfaces: readonly Surface[];
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Serve grpc.channelz.v1. Every call is counted then, which costs it time. */
  readonly channelz?: boolean;
}

/**
 * A connection without calls is closed after so long, and one that does not answer a ping as well:
 * what a peer that vanished has left behind is held no longer than that.
 */
const CONNECTION_IDLE_MAX_MS = 300_000;
const KEEPALIVE_TIME_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

/** Twice the time in which a connection that is alive has been pinged and has answered. */
const QUIET_MAX_MS = 2 * (KEEPALIVE_TIME_MS + KEEPALIVE_TIMEOUT_MS);

/** The transport's own limit lies above ours, so that ours answers, with a reason. */
const RECEIVE_MARGIN_BYTES = 1024 * 1024;

export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #server: Server;
  readonly #requestTimer: RequestTimer;
  readonly #connections: ConnectionInjector;
  readonly #health: Health;
  readonly #reflection: Reflection;
  readonly #sockets = new Set<Socket>();
  readonly #quiet: QuietSockets;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    const { limits, clock } = options;
    const { requestMaxMs: maxMs, watcherIdleMaxMs: answerMaxMs } = limits;
    const services = options.surfaces.flatMap((surface) => surface.services);
    const patient = new Set(services.flatMap(waitingPaths));
    this.#requestTimer = new RequestTimer({ maxMs, answerMaxMs, patient, clock });
    // The transport pings in the time of the system, whatever the clock.
    this.#quiet = new QuietSockets({ maxMs: QUIET_MAX_MS, clock: systemClock });
    this.#server = new Server(serverOptions(options, this.#requestTimer));
    const own = services.map(({ definition }) => nameOf(definition));
    const standard = [HealthService, ServerReflectionService, AlphaReflectionService].map(nameOf);
    this.#health = new Health(own);
    this.#reflection = new Reflection([...own, ...standard]);
    for (const service of services) this.#add(service);
    this.#add({ definition: HealthService, handlers: this.#health.handlers });
    for (const definition of [ServerReflectionService, AlphaReflectionService]) {
      this.#add({ definition, handlers: this.#reflection.handlers });
    }
    if (options.channelz) addAdminServicesToServer(this.#server);
    this.#connections = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  /** Serves a connection. */
  accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    this.#quiet.add(socket);
    this.#connections.injectConnection(socket);
  }

  /** Health says NOT_SERVING from here on; calls are still taken. */
  refuse(): void {
    this.#health.set("not serving");
  }

  /** Settles when every connection is closed, `graceMs` after it was called at the latest. */
  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#health.set("not serving");
    for (const surface of this.#options.surfaces) surface.stopStreams();
    this.#health.close();
    this.#reflection.close();
    const { clock, logger } = this.#options;
    await new Promise<void>((resolve) => {
      const cut = clock.setTimer(graceMs, () => {
        logger.warn({ graceMs }, "calls that still ran were cut (--shutdown-grace)");
        resolve();
      });
      this.#drain().then(() => {
        cut.cancel();
        resolve();
      });
    });
    this.#requestTimer.close();
    this.#quiet.close();
    this.#server.forceShutdown();
    // A session that is closing already leaves its socket half-open, and its peer without a word.
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * Takes no new calls; settles when those that run are done and their connections closed. From
   * Node 24 on tryShutdown() alone does not wait: an http2 server that closes closes its sessions
   * too, and grpc-js takes a session that is closing for closed.
   */
  async #drain(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    const open = [...this.#sockets];
    await Promise.all(open.map((socket) => new Promise((gone) => socket.once("close", gone))));
  }

  #add({ definition, handlers }: GrpcService): void {
    this.#server.addService(definition, handlers as UntypedServiceImplementation);
  }
}

function serverOptions(options: GrpcServerOptions, timer: RequestTimer): ServerOptions {
  const { surfaces, limits } = options;
  const requestMaxBytes = Math.max(...surfaces.map((surface) => surface.requestMaxBytes));
  return {
    "grpc.max_receive_message_length": requestMaxBytes + RECEIVE_MARGIN_BYTES,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": limits.connectionMaxStreams,
    "grpc.max_connection_idle_ms": CONNECTION_IDLE_MAX_MS,
    "grpc.keepalive_time_ms": KEEPALIVE_TIME_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
    "grpc.enable_channelz": options.channelz ? 1 : 0,
    interceptors: [timer.interceptor],
  };
}

function waitingPaths({ definition, waits = [] }: GrpcService): readonly string[] {
  return waits.flatMap((name) => definition[name]?.path ?? []);
}

/** The full name of a service, as its paths have it: /kvd.v1.KvService/Get. */
function nameOf(definition: ServiceDefinition): string {
  return Object.values(definition)[0]?.path.split("/")[1] ?? "";
}
