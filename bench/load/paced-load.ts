// Unary calls at a fixed rate, whatever the answers do: latency is counted from the time at which a
// call should have been sent, so a server that stalls cannot hide those that it keeps from leaving.

import { createHistogram } from "node:perf_hooks";
import { H2Connection } from "./h2-connection.js";
import type { LoadPlan, LoadResult } from "./load.js";
import { MessageSplitter } from "./message-splitter.js";

export interface PacedPlan extends Omit<LoadPlan, "inFlight" | "messages"> {
  /** Calls a second, over all connections. */
  readonly rate: number;
  /** Ends the load before its seconds are over, for what lasts as long as something else. */
  readonly until?: Promise<unknown>;
}

/** On a connection, below what servers allow. What is due beyond it waits, and its time counts. */
const OPEN_MAX = 100;

/** @throws Error when a call was not answered with one message. */
export async function pacedLoad(plan: PacedPlan): Promise<LoadResult> {
  const opening = Array.from({ length: plan.connections }, () => H2Connection.open(plan.port));
  const connections = await Promise.all(opening);
  const latency = createHistogram({ lowest: 1, highest: 3_600_000_000, figures: 3 });
  let over = false;
  const end = () => {
    over = true;
  };
  plan.until?.then(end, end);
  const used = process.cpuUsage();
  const began = performance.now();
  const countedFrom = began + (plan.warmUpSeconds ?? 0) * 1000;
  const until = countedFrom + plan.seconds * 1000;
  let [sent, open, failed, counted] = [0, 0, 0, 0];
  const openOn = new Map(connections.map((connection) => [connection, 0]));
  const change = (connection: H2Connection, by: number) => {
    openOn.set(connection, (openOn.get(connection) ?? 0) + by);
    open += by;
  };
  /** In turn, but for those that are full. */
  const nextConnection = () => {
    for (let tried = 0; tried < connections.length; tried += 1) {
      const connection = connections[(sent + tried) % connections.length] as H2Connection;
      if ((openOn.get(connection) ?? 0) < OPEN_MAX) return connection;
    }
    return undefined;
  };
  const sendOne = (connection: H2Connection, dueAt: number) => {
    const splitter = new MessageSplitter();
    change(connection, 1);
    const stream = connection.open(plan.path, {
      onData: (bytes) => splitter.push(bytes),
      onEnd: () => {
        change(connection, -1);
        if (splitter.messages !== 1) failed += 1;
        if (dueAt < countedFrom) return;
        counted += 1;
        latency.record(Math.max(1, Math.round((performance.now() - dueAt) * 1000)));
      },
    });
    connection.send(stream, plan.bodies[sent % plan.bodies.length] as Buffer, { end: true });
  };
  // The core is ours: looking all the time is more punctual than a timer. Who is late sends all
  // that is due, and calls that are open at the end count.
  for (let now = began; open > 0 || (!over && now < until); now = performance.now()) {
    const due = over || failed > 0 ? 0 : ((Math.min(now, until) - began) / 1000) * plan.rate;
    for (let next = nextConnection(); sent < due && next !== undefined; next = nextConnection()) {
      sendOne(next, began + (sent / plan.rate) * 1000);
      sent += 1;
    }
    await new Promise((resolve) => setImmediate(resolve));
    if (failed > 0) over = true;
  }
  const seconds = (performance.now() - countedFrom) / 1000;
  const { user, system } = process.cpuUsage(used);
  for (const connection of connections) connection.close();
  if (failed > 0) throw new Error(`${plan.path}: ${failed} of ${sent} calls failed`);
  const senderShare = (user + system) / 1000 / (performance.now() - began);
  return { messages: counted, seconds, rate: counted / seconds, senderShare, latency };
}
