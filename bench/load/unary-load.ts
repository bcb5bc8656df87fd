// Unary calls in closed loops: each connection keeps so many in flight, and sends the next when one
// is answered. Bodies are prebuilt, so thousands of different ones cost no more than one.

import { H2Connection } from "./h2-connection.js";
import type { LoadPlan, LoadResult } from "./load.js";
import { MessageSplitter } from "./message-splitter.js";
import { Stopwatch } from "./stopwatch.js";

/** @throws Error when a call was not answered with one message. */
export async function unaryLoad(plan: LoadPlan): Promise<LoadResult> {
  const { path, bodies, inFlight } = plan;
  const opening = Array.from({ length: plan.connections }, () => H2Connection.open(plan.port));
  const connections = await Promise.all(opening);
  const stopwatch = new Stopwatch(plan);
  let sent = 0;
  let failed = 0;
  try {
    await new Promise<void>((resolve) => {
      let open = 0;
      const call = (connection: H2Connection) => {
        if (failed > 0 || !stopwatch.mayGoOn(sent)) {
          if (open === 0) resolve();
          return;
        }
        const body = bodies[sent % bodies.length] as Buffer;
        sent += 1;
        open += 1;
        const splitter = new MessageSplitter();
        const sentAt = performance.now();
        const stream = connection.open(path, {
          onData: (bytes) => splitter.push(bytes),
          onEnd: () => {
            open -= 1;
            if (splitter.messages === 1) stopwatch.answered(sentAt);
            else failed += 1;
            call(connection);
          },
        });
        connection.send(stream, body, { end: true });
      };
      for (const connection of connections) {
        for (let count = 0; count < inFlight; count += 1) call(connection);
      }
    });
  } finally {
    for (const connection of connections) connection.close();
  }
  if (failed > 0) throw new Error(`${path}: ${failed} of ${sent} calls were not answered`);
  return stopwatch.result();
}
