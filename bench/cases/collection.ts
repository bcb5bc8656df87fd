// Whether pauses of the garbage collector grow with the number of keys: the longest and the mean of
// a server that works on a store of ten thousand keys, of a million, of ten million.

import type { Bench, Case } from "../case.js";
import { pipelineBodies } from "../fixtures.js";
import { fillKvd } from "../load/fill.js";
import { streamLoad } from "../load/stream-load.js";
import { KVD } from "../methods.js";

const LOAD_SECONDS = 5;
const MIX = { operations: 100, distinctKeys: 10_000 };

/** A line of --trace-gc: what kind, and how long the world stood still. */
const PAUSE = /ms: (Scavenge|Mark-Compact)[^>]*> [^,]*MB, ([\d.]+) \/ /g;

/** In milliseconds, by the text of --trace-gc. */
export function pausesIn(text: string): readonly { readonly kind: string; readonly ms: number }[] {
  return [...text.matchAll(PAUSE)].map(([, kind = "", ms]) => ({ kind, ms: Number(ms) }));
}

async function measure(bench: Bench, keys: number): Promise<void> {
  let text = "";
  const server = await bench.kvd({
    nodeFlags: ["--trace-gc"],
    onOutput: (chunk) => {
      text += chunk;
    },
  });
  await fillKvd(server.port, keys);
  text = "";
  const began = performance.now();
  await streamLoad({
    port: server.port,
    path: KVD.pipeline,
    bodies: pipelineBodies(MIX),
    connections: 8,
    inFlight: 4,
    seconds: LOAD_SECONDS,
  });
  const seconds = (performance.now() - began) / 1000;
  await server.stop();
  const pauses = pausesIn(text).map(({ ms }) => ms);
  const sum = pauses.reduce((all, ms) => all + ms, 0);
  const longest = pauses.reduce((most, ms) => Math.max(most, ms), 0);
  bench.record(`${keys} keys: longest pause`, "ms", longest);
  bench.record(`${keys} keys: mean pause`, "ms", sum / Math.max(1, pauses.length));
  bench.record(`${keys} keys: of the time`, "%", sum / seconds / 10);
}

async function run(bench: Bench, sizes: readonly number[]): Promise<void> {
  const subjects = sizes.map((keys) => [String(keys), () => measure(bench, keys)] as const);
  await bench.inTurn(Object.fromEntries(subjects));
}

export const collectionCase: Case = {
  name: "gc",
  about: "pauses of the garbage collector under a Pipeline load, at 10,000 and 1 million keys",
  goals: [],
  set: "all",
  run: (bench) => run(bench, [10_000, 1_000_000]),
};

export const bigCollectionCase: Case = {
  name: "gc-10m",
  about: "the same, with 10 million too",
  goals: [],
  set: "big",
  run: (bench) => run(bench, [10_000, 1_000_000, 10_000_000]),
};
