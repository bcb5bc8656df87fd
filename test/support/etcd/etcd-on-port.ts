// A real etcd on a TCP port, for clients that cannot speak to a socket file, and for its JSON
// gateway, which calls the server by its port. One member, alone, gone with the test.

import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { inTime, RunningProcess, type Scope, temporaryFolder } from "../process.js";

const SERVES = "serving client traffic";
/** A file, in the folder that it runs in. */
const PEERS = "localhost:2";

/** The address of an etcd that serves, such as 127.0.0.1:41234. */
export async function startEtcdOnPort(scope: Scope): Promise<string> {
  const folder = await temporaryFolder(scope);
  await mkdir(`${folder}/data`, { mode: 0o700 });
  const address = `127.0.0.1:${await freePort()}`;
  const flags = [
    ...["--name", "peer", "--data-dir", "data", "--logger", "zap", "--log-outputs", "stdout"],
    ...["--listen-client-urls", `http://${address}`],
    ...["--advertise-client-urls", `http://${address}`],
    ...["--listen-peer-urls", `unix://${PEERS}`],
    ...["--initial-advertise-peer-urls", `http://${PEERS}`],
    ...["--initial-cluster", `peer=http://${PEERS}`],
  ];
  const process = new RunningProcess(scope, ["etcd", ...flags], { folder });
  const serves = process.output((stdout) => (stdout.includes(SERVES) ? true : undefined));
  await inTime(serves, "etcd");
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
