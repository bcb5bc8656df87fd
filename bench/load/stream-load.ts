// Messages on one stream a connection, with a bounded window of those that wait for an answer: the
// load of Pipeline, and of whatever answers each message of a stream with one.
//
// Answers are counted, not read; with a window of one message each is timed by itself, otherwise in
// the order of sending, which is that of the answers but for a server that overtakes.

import { H2Connection, type H2Stream } from "./h2-connection.js";
import type { LoadPlan, LoadResult } from "./load.js";
import { MessageSplitter } from "./message-splitter.js";
import { Stopwatch } from "./stopwatch.js";

/** @throws Error when a stream ends before all is answered. */
export async function streamLoad(plan: LoadPlan): Promise<LoadResult> {
  const opening = Array.from({ length: plan.connections }, () => H2Connection.open(plan.port));
  const connections = await Promise.all(opening);
  const stopwatch = new Stopwatch(plan);
  const turn = { sent: 0 };
  try {
    await Promise.all(connections.map((each) => oneStream(each, plan, { stopwatch, turn })));
  } finally {
    for (const connection of connections) connection.close();
  }
  return stopwatch.result();
}

/** How far the streams of a load are, together. */
interface Progress {
  readonly stopwatch: Stopwatch;
  readonly turn: { sent: number };
}

function oneStream(
  connection: H2Connection,
  plan: LoadPlan,
  { stopwatch, turn }: Progress,
): Promise<void> {
  const { bodies, inFlight, path } = plan;
  const sentAt: number[] = [];
  return new Promise((resolve, reject) => {
    let stream: H2Stream;
    const fill = () => {
      while (sentAt.length < inFlight && stopwatch.mayGoOn(turn.sent)) {
        sentAt.push(performance.now());
        connection.send(stream, bodies[turn.sent % bodies.length] as Buffer, { end: false });
        turn.sent += 1;
      }
      if (sentAt.length === 0) resolve();
    };
    const splitter = new MessageSplitter();
    let seen = 0;
    stream = connection.open(path, {
      onData: (bytes) => {
        splitter.push(bytes);
        for (; seen < splitter.messages; seen += 1) stopwatch.answered(sentAt.shift() ?? 0);
        fill();
      },
      onEnd: () => reject(new Error(`${path} ended while ${sentAt.length} messages waited`)),
    });
    fill();
  });
}
