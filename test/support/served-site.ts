// kvd.v1 as JSON over HTTP/1, with routes of its own: a gateway of the real services.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { DescMethod } from "@bufbuild/protobuf";
import type { ExecutionContext } from "ava";
import { KvService } from "../../gen/es/kvd/v1/kv_pb.js";
import { LeaseService } from "../../gen/es/kvd/v1/lease_pb.js";
import { openMemoryEngine } from "../../server/engines/memory.js";
import type { GrpcService } from "../../server/grpc/service.js";
import { Gateway } from "../../server/http/gateway.js";
import { HttpServer } from "../../server/http/http-server.js";
import { Pages } from "../../server/http/pages.js";
import { Site } from "../../server/http/site.js";
import { defaultLimits, type Limits } from "../../server/kv/limits.js";
import { type Clock, systemClock } from "../../server/lib/clock.js";
import { type Logger, silentLogger } from "../../server/lib/logger.js";
import { kvdServices } from "../../server/rpc/kvd-services.js";

const kv = KvService.method;
const lease = LeaseService.method;
const METHODS: readonly DescMethod[] = [
  kv.put,
  kv.get,
  kv.range,
  kv.txn,
  kv.batch,
  kv.watch,
  kv.multiWatch,
  lease.grant,
  lease.keepAlive,
];
const ROUTES = new Map(METHODS.map((method) => [`${method.parent.name}/${method.name}`, method]));

export interface SiteSettings {
  readonly limits?: Partial<Limits>;
  readonly clock?: Clock;
  readonly allowedHosts?: readonly string[];
  /** In place of those that there are routes for. */
  readonly services?: readonly GrpcService[];
  readonly answerMaxBytes?: number;
  readonly logger?: Logger;
}

export async function serveSite(t: ExecutionContext, settings: SiteSettings = {}) {
  const limits = defaultLimits(settings.limits);
  const { clock = systemClock, allowedHosts = [], logger = silentLogger } = settings;
  const engine = await openMemoryEngine({ limits, clock });
  const { services, stopStreams } = kvdServices({ engine, limits, clock, logger, version: "0" });
  const gateway = new Gateway({
    services: settings.services ?? services,
    routes: ROUTES,
    requestMaxBytes: limits.requestMaxBytes,
    ...(settings.answerMaxBytes !== undefined && { answerMaxBytes: settings.answerMaxBytes }),
    limits,
    clock,
    logger,
  });
  const pages = new Pages({ engine, version: "0", etcdVersion: "3.6.11" });
  const site = new Site({ pages, gateway, allowedHosts });
  const http = new HttpServer({
    serve: (request, response) => site.serve(request, response),
    limits,
    clock,
    logger,
  });
  const listener = createServer((socket) => http.accept(socket)).listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.teardown(async () => {
    listener.close();
    stopStreams();
    await http.stop({ graceMs: 0 });
    gateway.close();
    engine.check();
    await engine.close();
  });
  const { port } = listener.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, engine, http, stopStreams };
}
