// The gRPC server: services, health and reflection of them, and the stop of all that they run.
//
// Connections are handed to it; it does not listen. A stop lets what runs finish: health says
// NOT_SERVING, streams that would never end are ended with a status, calls have a bounded time.
// What is still there after that is cut.

import type { Socket } from "node:net";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { HealthService } from "../../gen/grpc/grpc/health/v1/health.js";
import { ServerReflectionService } from "../../gen/grpc/grpc/reflection/v1/reflection.js";
import { ServerReflectionService as AlphaReflectionService } from "../../gen/grpc/grpc/reflection/v1alpha/reflection.js";
import type { Limits } from "../kv/limits.js";
import type { Clock } from "../lib/clock.js";
import type { Logger } from "../lib/logger.js";
import { CallCounter } from "./call-figures.js";
import { CallServer } from "./call-server.js";
import { channelzService } from "./channelz.js";
import { Health } from "./health.js";
import { Reflection } from "./reflection.js";
import type { GrpcService } from "./service.js";

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

/** The transport's own limit lies above ours, so that ours answers, with a reason. */
const MESSAGE_MARGIN_BYTES = 1024 * 1024;

export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #calls: CallServer;
  readonly #health: Health;
  readonly #reflection: Reflection;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    const { surfaces, limits, clock, logger, channelz = false } = options;
    const services = surfaces.flatMap((surface) => surface.services);
    const own = services.map(({ definition }) => nameOf(definition));
    const standard = [HealthService, ServerReflectionService, AlphaReflectionService].map(nameOf);
    this.#health = new Health(own);
    this.#reflection = new Reflection([...own, ...standard]);
    const { handlers } = this.#reflection;
    const requestMaxBytes = Math.max(...surfaces.map((surface) => surface.requestMaxBytes));
    const counts = channelz ? new CallCounter(clock) : undefined;
    this.#calls = new CallServer({
      services: [
        ...services,
        { definition: HealthService, handlers: this.#health.handlers },
        { definition: ServerReflectionService, handlers },
        { definition: AlphaReflectionService, handlers },
        ...(counts === undefined ? [] : [channelzService(counts)]),
      ],
      messageMaxBytes: requestMaxBytes + MESSAGE_MARGIN_BYTES,
      connectionMaxStreams: limits.connectionMaxStreams,
      requestMaxMs: limits.requestMaxMs,
      answerMaxMs: limits.watcherIdleMaxMs,
      clock,
      logger,
      counts,
    });
  }

  /** Serves a connection. */
  accept(socket: Socket): void {
    this.#calls.accept(socket);
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
      this.#calls.drain().then(() => {
        cut.cancel();
        resolve();
      });
    });
    this.#calls.close();
  }
}

/** The full name of a service, as its paths have it: /kvd.v1.KvService/Get. */
function nameOf(definition: ServiceDefinition): string {
  return Object.values(definition)[0]?.path.split("/")[1] ?? "";
}
