// The bound of connections: those beyond it are closed at once, and there is room again when one
// goes.

import { once } from "node:events";
import { connect } from "node:net";
import test, { type ExecutionContext } from "ava";
import { createServer } from "../../server/server.js";
import { RecordingLogger } from "../support/recording-logger.js";

async function serve(t: ExecutionContext, connectionsMax: number) {
  const logger = new RecordingLogger();
  const server = await createServer({ limits: { connectionsMax }, logger, shutdownGraceMs: 0 });
  t.teardown(() => server.close());
  const open = async () => {
    const socket = connect(server.port as number, "127.0.0.1");
    t.teardown(() => socket.destroy());
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  };
  return { logger, open };
}

test("connections beyond the bound are closed, until one goes", async (t) => {
  const { open, logger } = await serve(t, 2);
  const [first, second] = [await open(), await open()];
  for (let count = 0; count < 3; count += 1) await once((await open()).resume(), "close");
  t.false(first.destroyed || second.destroyed);
  t.is(logger.lines.filter(({ text }) => text.includes("--connections-max")).length, 1);
  first.destroy();
  // The server hears of it when it hears of it.
  for (;;) {
    const next = await open();
    next.write("GET /version HTTP/1.1\r\nhost: localhost\r\n\r\n");
    const [bytes] = await Promise.race([once(next, "data"), once(next, "close")]);
    if (Buffer.isBuffer(bytes)) break;
  }
  t.pass();
});
