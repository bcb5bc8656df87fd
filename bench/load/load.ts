// What a load is told, and what it says afterwards.

import type { RecordableHistogram } from "node:perf_hooks";

export interface LoadPlan {
  readonly port: number;
  /** The full path of the method. */
  readonly path: string;
  /** Framed messages, sent in turn. */
  readonly bodies: readonly Buffer[];
  readonly connections: number;
  /** Calls, or messages of a stream, that wait for their answer on each connection. */
  readonly inFlight: number;
  readonly seconds: number;
  /** What comes in the first seconds is not counted. */
  readonly warmUpSeconds?: number;
  /** Stop after so many messages instead, all of which count. */
  readonly messages?: number;
}

export interface LoadResult {
  readonly messages: number;
  readonly seconds: number;
  /** Messages a second. */
  readonly rate: number;
  /** What the sender's own process used of a core. Near 1: it, not the server, was the limit. */
  readonly senderShare: number;
  /** From sending to the answer, in microseconds; HDR. */
  readonly latency: RecordableHistogram;
}
