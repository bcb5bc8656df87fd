// A port of a test's own that nobody listens on yet: for programs that have to be told theirs, or
// looked for before they are there.
//
// A port that was merely free a moment ago is soon given to another test. This one is kept by an
// idle connection: the system gives out no port that is in use, but lets one listen on it that
// asks for it by number.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Scope } from "./process.js";

export async function reservedPort(scope: Scope): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const accepted = once(listener, "connection") as Promise<[Socket]>;
  const client = connect(port, "127.0.0.1");
  const [server] = await accepted;
  listener.close();
  scope.teardown(() => {
    client.destroy();
    server.destroy();
  });
  return port;
}
