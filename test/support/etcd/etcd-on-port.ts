// A real etcd on a TCP port, for clients that cannot speak to a socket file, and for its JSON
// gateway, which calls the server by its port.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { Scope } from "../process.js";
import { startEtcd } from "./etcd-server.js";

/** The address of an etcd that serves, such as 127.0.0.1:41234. */
export async function startEtcdOnPort(scope: Scope): Promise<string> {
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  await startEtcd(scope, ["--listen-client-urls", url, "--advertise-client-urls", url]);
  return address;
}

/** etcd does not tell which port it took, so it gets one that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
