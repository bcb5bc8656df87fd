// Services on grpc-js's own server, for tests of the client: a peer that nobody of ours has
// written.

import {
  Server,
  ServerCredentials,
  type ServerOptions,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { ExecutionContext } from "ava";

export interface ScriptedService {
  readonly definition: ServiceDefinition;
  readonly handlers: object;
}

/** The address that serves them until the test ends. */
export async function serveOnGrpcJs(
  t: ExecutionContext,
  services: readonly ScriptedService[],
  options: ServerOptions = {},
): Promise<string> {
  const server = new Server({ "grpc.enable_channelz": 0, ...options });
  for (const { definition, handlers } of services) {
    server.addService(definition, handlers as UntypedServiceImplementation);
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  t.teardown(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}
