// Watches as load: one connection puts, all others watch all of its keys. An event counts from when
// its put was due, which stands in its value; an operation is an event that came. A last put, of a
// key of its own, tells the watches that nothing follows.

import type { Kvd, Watch, WatchEvent } from "../../index.js";
import type { KeySpace } from "./key-space.js";
import type { Load } from "./request-load.js";
import type { Tally } from "./tally.js";

/** How long events may take after the last put, if calls have no limit. */
const PATIENCE_MS = 60_000;

/** Stands for no time: this is the end. */
const END_STAMP = -1;

export async function watchLoad(
  writer: Kvd,
  watchers: readonly Kvd[],
  load: Load,
  timeoutMs: number,
): Promise<void> {
  const { tally, keys } = load;
  const watches = watchers.map((kv) => kv.watch({ prefix: keys.prefix }));
  await Promise.all(watches.map((watch) => watch.ready()));
  const seen = { events: 0 };
  const reading = watches.map((watch) => read(watch, tally, seen));
  const written = await putAll(writer, load);
  const late = setTimeout(() => {
    for (const watch of watches) watch.close();
  }, timeoutMs || PATIENCE_MS);
  if (tally.lost !== undefined) for (const watch of watches) watch.close();
  await Promise.all(reading);
  clearTimeout(late);
  const missing = written * watches.length - seen.events;
  if (missing > 0) tally.error("MISSING", missing);
}

/** Until the last put. */
async function read(watch: Watch, tally: Tally, seen: { events: number }): Promise<void> {
  try {
    for await (const event of watch) {
      const due = stampOf(event);
      if (due === END_STAMP) return;
      seen.events += 1;
      tally.operations += 1;
      tally.latencies("event").record(performance.now() - due);
    }
  } catch (error) {
    tally.failed(error, 1);
  } finally {
    watch.close();
  }
}

function stampOf(event: WatchEvent): number {
  if (event.type !== "put") return performance.now();
  const { bytes } = event.entry;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(0);
}

/** How many were answered. */
async function putAll(kv: Kvd, { workload, keys, pace, tally }: Load): Promise<number> {
  const nextKey = keys.sequence(workload.seed);
  const puts = workload.requests || Number.POSITIVE_INFINITY;
  let written = 0;
  for (let sent = 0; sent < puts; sent += 1) {
    const turn = pace.take();
    const due = typeof turn === "object" ? await turn : turn;
    if (due === undefined) break;
    try {
      await kv.put(nextKey(), stamped(keys, due));
      tally.answered("put", { operations: 0, ms: performance.now() - due });
      written += 1;
    } catch (error) {
      if (!tally.failed(error, 1)) return written;
    }
  }
  await kv.put(`${keys.prefix}end`, stamped(keys, END_STAMP)).catch((error: unknown) => {
    tally.failed(error, 1);
  });
  return written;
}

/** The time in the first bytes of the value. */
function stamped({ value }: KeySpace, time: number): Uint8Array {
  const bytes = value.slice();
  new DataView(bytes.buffer).setFloat64(0, time);
  return bytes;
}
