// The bound of connections: those beyond it are closed at once, and there is room again when one
// goes.

import { once } from "node:events";
import { connect, Socket } from "node:net";
import test, { type ExecutionContext } from "ava";
import { ConnectionLimit } from "../../server/connection-limit.js";
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

test("the log is not told of each connection that comes and goes at the bound", async (t) => {
  const logger = new RecordingLogger();
  const open: Socket[] = [];
  const limit = new ConnectionLimit({ max: 20, logger, onConnection: (it) => open.push(it) });
  const fill = () => {
    while (open.length < 20) limit.accept(new Socket());
    limit.accept(new Socket());
  };
  const leave = async (count: number) => {
    for (const socket of open.splice(0, count)) await once(socket.destroy(), "close");
  };
  fill();
  for (let round = 0; round < 5; round += 1) {
    await leave(1);
    fill();
  }
  t.is(logger.lines.length, 1);
  await leave(3);
  fill();
  t.is(logger.lines.length, 2);
  await leave(20);
});
