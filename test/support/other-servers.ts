// Servers that are no kvd: silent ones, ones that speak something else, and ones that answer every
// gRPC call with a status. What speaks to them is a process of its own.

import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Scope } from "./process.js";

/** Takes connections and says nothing. */
export function silentServer(scope: Scope): Promise<string> {
  return addressOf(
    scope,
    createServer((socket) => socket.resume()),
  );
}

export function httpServer(scope: Scope): Promise<string> {
  return addressOf(
    scope,
    createHttpServer((_, response) => response.end("hello\n")),
  );
}

/** Greets in a protocol that is nobody's here. */
export function greetingServer(scope: Scope): Promise<string> {
  return addressOf(
    scope,
    createServer((socket) => socket.write("220 welcome\r\n")),
  );
}

/** Answers each call with a status of gRPC, by its number. */
export function statusServer(
  scope: Scope,
  answer: { readonly status: number; readonly message: string },
): Promise<string> {
  const server = createHttp2Server();
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    const headers = {
      ":status": 200,
      "content-type": "application/grpc",
      "grpc-status": String(answer.status),
      "grpc-message": encodeURIComponent(answer.message),
    };
    stream.respond(headers, { endStream: true });
  });
  return addressOf(scope, server);
}

/** On a port of the system's choice; its connections go with the test. */
async function addressOf(scope: Scope, server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  scope.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
