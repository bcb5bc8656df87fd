// Snapshots of engines as bytes, whole.

import type { Engine } from "../../server/kv/engine.js";

/** The chunks that an engine gives. */
export async function snapshotOf(engine: Engine): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  const stream = await engine.snapshot();
  try {
    for (let chunk = await stream.next(); chunk !== undefined; chunk = await stream.next()) {
      chunks.push(chunk);
    }
  } finally {
    stream.close();
  }
  return chunks;
}
