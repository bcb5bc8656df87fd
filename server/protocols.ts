// All that a connection can speak: gRPC with the services of kvd.v1 and of etcd, and HTTP/1, on the
// same port.

import type { Socket } from "node:net";
import { etcdServices } from "./etcd/etcd-services.js";
import { ETCD_VERSION } from "./etcd/identity.js";
import { GrpcServer, type Surface } from "./grpc/grpc-server.js";
import { Front } from "./http/front.js";
import { Gateway } from "./http/gateway.js";
import { HttpServer } from "./http/http-server.js";
import { Pages } from "./http/pages.js";
import { ETCD_ROUTES } from "./http/routes.js";
import { Site } from "./http/site.js";
import type { Engine } from "./kv/engine.js";
import type { Limits } from "./kv/limits.js";
import type { Clock } from "./lib/clock.js";
import type { Logger } from "./lib/logger.js";
import { kvdServices } from "./rpc/kvd-services.js";
import { VERSION } from "./version.js";

export interface ProtocolsOptions {
  readonly engine: Engine;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Speak etcd's protocol, too. */
  readonly etcd: boolean;
  /** Serve grpc.channelz.v1, too. */
  readonly channelz: boolean;
  /** Names that requests over HTTP/1 may be for, besides addresses and localhost. */
  readonly allowedHosts: readonly string[];
}

export class Protocols {
  readonly #grpc: GrpcServer;
  readonly #http: HttpServer;
  readonly #gateway: Gateway | undefined;
  readonly #front: Front;

  constructor(options: ProtocolsOptions) {
    const { engine, limits, clock, logger, allowedHosts, channelz } = options;
    const context = { engine, limits, clock, logger };
    const kvd = kvdServices({ ...context, version: VERSION });
    const etcd = options.etcd ? etcdServices(context) : undefined;
    const surfaces = etcd === undefined ? [kvd] : [kvd, etcd];
    this.#grpc = new GrpcServer({ surfaces, limits, clock, logger, channelz });
    this.#gateway = etcd && etcdGateway(etcd, options);
    const pages = new Pages({ engine, version: VERSION, etcdVersion: etcd && ETCD_VERSION });
    const site = new Site({ pages, gateway: this.#gateway, allowedHosts });
    this.#http = new HttpServer({
      serve: (request, response) => site.serve(request, response),
      limits,
      clock,
      logger,
    });
    this.#front = new Front({
      toHttp2: (socket) => this.#grpc.accept(socket),
      toHttp1: (socket) => this.#http.accept(socket),
      maxMs: limits.requestMaxMs,
      clock,
    });
    engine.failed.then(() => this.#grpc.refuse());
  }

  /** Serves a connection. */
  accept(socket: Socket): void {
    this.#front.accept(socket);
  }

  /** Settles when every connection is closed, `graceMs` after it was called at the latest. */
  async stop(grace: { readonly graceMs: number }): Promise<void> {
    this.#front.stop();
    await Promise.all([this.#grpc.stop(grace), this.#http.stop(grace)]);
    this.#gateway?.close();
  }
}

function etcdGateway({ services }: Surface, options: ProtocolsOptions): Gateway {
  const { limits, clock, logger } = options;
  const { etcdRequestMaxBytes: requestMaxBytes } = limits;
  return new Gateway({ services, routes: ETCD_ROUTES, requestMaxBytes, limits, clock, logger });
}
