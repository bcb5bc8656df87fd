// Batches by their messages: operations in, results out, within the answer's limit. What
// batch-codec.ts does with bytes, where the engine lets it.

import type {
  BatchOperation as BatchOperationMessage,
  BatchResponse,
} from "../../gen/grpc/kvd/v1/kv.js";
import type { Engine } from "../kv/engine.js";
import type { Limits } from "../kv/limits.js";
import { BatchResults } from "./batch-results.js";
import { batchOperationOf, rowsMaxBytes } from "./commands.js";

/** A batch may fill the answer, but for a tenth that is kept for the texts of failures. */
const TEXTS_SHARE = 10;

export interface AnswerBounds {
  /** Of the texts of failures. */
  readonly textBytes: number;
  /** Of all else. */
  readonly maxBytes: number;
}

export function answerBounds(limits: Limits): AnswerBounds {
  const textBytes = Math.floor(rowsMaxBytes(limits) / TEXTS_SHARE);
  return { textBytes, maxBytes: rowsMaxBytes(limits) - textBytes };
}

/** What fails alone is in the results. Their number has been checked. */
export async function runBatch(
  engine: Pick<Engine, "batch">,
  messages: readonly BatchOperationMessage[],
  limits: Limits,
): Promise<BatchResponse> {
  const { textBytes, maxBytes } = answerBounds(limits);
  const operations = messages.map((message) => batchOperationOf(message, limits));
  const { revision, results } = await engine.batch({ operations, maxBytes });
  const texts = new BatchResults(textBytes);
  return { revision: BigInt(revision), results: results.map((item) => texts.result(item)) };
}
