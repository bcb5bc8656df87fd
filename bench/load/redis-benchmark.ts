// redis-benchmark as the load of Redis: its own tool, with its own defaults but for what is asked.

import { outputOf } from "./h2load.js";

export interface RedisPlan {
  readonly port: number;
  readonly requests: number;
  /** Commands that travel together. */
  readonly pipeline: number;
  readonly distinctKeys: number;
  readonly valueBytes: number;
  readonly connections?: number;
}

export interface RedisRates {
  readonly set: number;
  readonly get: number;
}

/** Commands a second. @throws Error when its output tells none. */
export async function redisBenchmark(plan: RedisPlan): Promise<RedisRates> {
  const { port, requests, pipeline, distinctKeys, valueBytes, connections = 50 } = plan;
  const output = await outputOf([
    ...["redis-benchmark", "-p", String(port), "--csv", "-t", "set,get", "-n", String(requests)],
    ...["-P", String(pipeline), "-r", String(distinctKeys), "-d", String(valueBytes)],
    ...["-c", String(connections)],
  ]);
  const rate = (test: string) => Number(new RegExp(`"${test}","([\\d.]+)"`).exec(output)?.[1]);
  const rates = { set: rate("SET"), get: rate("GET") };
  if (!(rates.set > 0 && rates.get > 0)) throw new Error(output);
  return rates;
}
