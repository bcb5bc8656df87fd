// Batches, as Batch and Pipeline share them: operations in, results out, within the answer's limit.

import type {
  BatchOperation as BatchOperationMessage,
  BatchResponse,
} from "../../gen/grpc/kvd/v1/kv.js";
import type { Engine } from "../kv/engine.js";
import type { Limits } from "../kv/limits.js";
import { batchFromMessages, rowsMaxBytes } from "./commands.js";
import { batchResults } from "./messages.js";

/** A batch may fill the answer, but for a tenth that is kept for the texts of failures. */
const TEXTS_SHARE = 10;

/** What fails alone is in the results. Their number has been checked. */
export async function runBatch(
  engine: Engine,
  messages: readonly BatchOperationMessage[],
  limits: Limits,
): Promise<BatchResponse> {
  const textBytes = Math.floor(rowsMaxBytes(limits) / TEXTS_SHARE);
  const operations = batchFromMessages(messages, limits);
  const maxBytes = rowsMaxBytes(limits) - textBytes;
  const { revision, results } = await engine.batch({ operations, maxBytes });
  return { revision: BigInt(revision), results: batchResults(results, textBytes) };
}
