// A real etcd of one member: Debian's etcd-server.

import { freePort } from "./free-port.js";
import { ServerProcess } from "./server-process.js";

export async function startEtcd(dataDir: string): Promise<ServerProcess> {
  const [clients, peers] = [await freePort(), await freePort()];
  const urls = { clients: `http://127.0.0.1:${clients}`, peers: `http://127.0.0.1:${peers}` };
  const flags = [
    ...["--data-dir", dataDir, "--logger", "zap", "--log-outputs", "stdout"],
    ...["--listen-client-urls", urls.clients, "--advertise-client-urls", urls.clients],
    ...["--listen-peer-urls", urls.peers, "--initial-advertise-peer-urls", urls.peers],
    ...["--initial-cluster", `default=${urls.peers}`, "--quota-backend-bytes", "8000000000"],
  ];
  return ServerProcess.start(["etcd", ...flags], {
    portIn: (output) => (output.includes("serving client traffic") ? clients : undefined),
  });
}
