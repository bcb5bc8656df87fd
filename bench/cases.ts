// The cases of the suite, in the order in which they run.

import type { BenchOptions } from "./arguments.js";
import type { Case } from "./case.js";
import { batchCase, durableBatchCase } from "./cases/batch.js";
import { clientCase } from "./cases/client.js";
import { bigCollectionCase, collectionCase } from "./cases/collection.js";
import { latencyCase } from "./cases/latency.js";
import { listingCase } from "./cases/listing.js";
import { longWorkCase } from "./cases/long-work.js";
import { bigMemoryCase, memoryCase } from "./cases/memory.js";
import { processStartCase } from "./cases/process-start.js";
import { realKeysCase } from "./cases/real-keys.js";
import { seedCase } from "./cases/seed.js";
import { bigSizeCostCase, sizeCostCase } from "./cases/size-cost.js";
import { startCase } from "./cases/start.js";
import { etcdProtocolCase, getCase, lonePutCase, putCase } from "./cases/unary.js";
import { idleWatchersCase, watchCase } from "./cases/watch.js";

export const CASES: readonly Case[] = [
  getCase,
  putCase,
  lonePutCase,
  etcdProtocolCase,
  batchCase,
  durableBatchCase,
  seedCase,
  latencyCase,
  memoryCase,
  bigMemoryCase,
  realKeysCase,
  startCase,
  longWorkCase,
  watchCase,
  idleWatchersCase,
  listingCase,
  sizeCostCase,
  bigSizeCostCase,
  processStartCase,
  clientCase,
  collectionCase,
  bigCollectionCase,
];

/** Those that a pattern names; without any the quick set, and what else is wanted. */
export function chosenCases(
  cases: readonly Case[],
  { patterns, all, big }: Pick<BenchOptions, "patterns" | "all" | "big">,
): readonly Case[] {
  if (patterns.length === 0)
    return cases.filter(({ set }) => set === undefined || (set === "all" ? all || big : big));
  return cases.filter(({ name }) =>
    patterns.some((pattern) =>
      // "memory" means the case of that name alone, not batch-memory as well.
      cases.some((one) => one.name === pattern.source)
        ? pattern.source === name
        : pattern.test(name),
    ),
  );
}
