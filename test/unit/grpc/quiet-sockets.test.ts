// Sockets that a session of HTTP/2 has let go of are closed, and none that is alive.

import { once } from "node:events";
import { connect } from "node:http2";
import { type AddressInfo, createServer } from "node:net";
import test, { type ExecutionContext } from "ava";
import { GrpcServer } from "../../../server/grpc/grpc-server.js";
import { QuietSockets } from "../../../server/grpc/quiet-sockets.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { systemClock } from "../../../server/lib/clock.js";
import { silentLogger } from "../../../server/lib/logger.js";
import { connectRaw } from "../../support/http-peer.js";
import { ManualClock } from "../../support/manual-clock.js";

const QUIET_MS = 1000;

/** A gRPC server whose sockets are looked after in the test's time. */
async function serve(t: ExecutionContext) {
  const limits = defaultLimits();
  const grpc = new GrpcServer({ surfaces: [], limits, clock: systemClock, logger: silentLogger });
  const clock = new ManualClock();
  const quiet = new QuietSockets({ maxMs: QUIET_MS, clock });
  const listener = createServer((socket) => {
    quiet.add(socket);
    grpc.accept(socket);
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.teardown(async () => {
    listener.close();
    quiet.close();
    await grpc.stop({ graceMs: 0 });
  });
  return { address: `127.0.0.1:${(listener.address() as AddressInfo).port}`, clock };
}

test("a malformed SETTINGS frame does not keep its socket", async (t) => {
  const { address, clock } = await serve(t);
  const { socket, all, until } = await connectRaw(t, address);
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\u0005\u0004\0\0\0\0\0abcde");
  await until(/./s);
  await clock.settle();
  clock.advance(QUIET_MS);
  await clock.settle();
  clock.advance(QUIET_MS);
  await all;
  t.pass();
});

test("a connection that answers pings stays", async (t) => {
  const { address, clock } = await serve(t);
  const session = connect(`http://${address}`);
  t.teardown(() => session.destroy());
  await once(session, "connect");
  for (let round = 0; round < 5; round += 1) {
    await new Promise((resolve) => session.ping(resolve));
    clock.advance(QUIET_MS);
    await clock.settle();
    t.false(session.destroyed);
  }
});
