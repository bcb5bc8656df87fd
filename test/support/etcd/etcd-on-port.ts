// A real etcd on a TCP port, for clients that cannot speak to a socket file, and for its JSON
// gateway, which calls the server by its port.

import type { Scope } from "../process.js";
import { reservedPort } from "../reserved-port.js";
import { startEtcd } from "./etcd-server.js";

/** The address of an etcd that serves, such as 127.0.0.1:41234. */
export async function startEtcdOnPort(scope: Scope): Promise<string> {
  // etcd does not tell which port it took.
  const address = `127.0.0.1:${await reservedPort(scope)}`;
  const url = `http://${address}`;
  await startEtcd(scope, ["--listen-client-urls", url, "--advertise-client-urls", url]);
  return address;
}
