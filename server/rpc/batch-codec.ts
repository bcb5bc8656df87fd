// Batches from bytes to bytes: what Batch answers, and Pipeline to each request of its stream.
//
// Where the engine offers the direct way (kv/direct.ts), a message is read into a plan, applied and
// answered row by row, without an object for each operation. A message that the plan does not take,
// and every message where there is no direct way, goes through the generated codec. Both give the
// same answers, byte by byte: test/property/batch-codec.test.ts.

import type { BatchOperation } from "../../gen/grpc/kvd/v1/kv.js";
import { decodeRequest, encodeMessage } from "../grpc/codec.js";
import type { DirectBatch } from "../kv/direct.js";
import type { Engine } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { BatchResultItem } from "../kv/types.js";
import { type AnswerBounds, answerBounds, runBatch } from "./batch.js";
import { BatchAnswer } from "./batch-answer.js";
import { BatchPlan, DELETE, GET, PUT } from "./batch-plan.js";
import { BatchResults } from "./batch-results.js";
import { scanBatch } from "./batch-scan.js";
import type { BatchShape } from "./batch-shape.js";

/** What of an engine is asked. */
export type BatchEngine = Pick<Engine, "batch" | "direct">;

interface Operations {
  readonly operations: readonly BatchOperation[];
}

export class BatchCodec<Request extends Operations, Response> {
  readonly #engine: BatchEngine;
  readonly #limits: Limits;
  readonly #shape: BatchShape<Request, Response>;
  /** Of the message that is being answered: that is over before the next one is looked at. */
  readonly #plan: BatchPlan;
  readonly #answer: BatchAnswer;
  readonly #bounds: AnswerBounds;
  #results: BatchResults | undefined;
  #next = 0;
  readonly #work = (batch: DirectBatch) => this.#apply(batch);

  constructor(engine: BatchEngine, shape: BatchShape<Request, Response>, limits: Limits) {
    this.#engine = engine;
    this.#shape = shape;
    this.#limits = limits;
    this.#plan = new BatchPlan(shape, limits);
    this.#answer = new BatchAnswer(shape);
    this.#bounds = answerBounds(limits);
  }

  /**
   * The answer's bytes, at once when there is nothing to wait for.
   *
   * @throws KvdError before anything is applied, or as a rejection.
   */
  answer(bytes: Uint8Array): Buffer | Promise<Buffer> {
    const { direct } = this.#engine;
    if (direct === undefined || !this.#plan.read(bytes)) return this.answerByMessages(bytes);
    const { readsOnly, count: operations } = this.#plan;
    const { maxBytes } = this.#bounds;
    return direct.batch({ readsOnly, operations, maxBytes }, this.#work);
  }

  /** The same through the generated codec. @throws as answer(). */
  answerByMessages(bytes: Uint8Array): Promise<Buffer> {
    const { request, input, operationTag, response, respond } = this.#shape;
    const { requestMaxBytes } = this.#limits;
    const scan = () => scanBatch(bytes, operationTag >> 3, this.#limits);
    const decoded = decodeRequest(bytes, { request, input, requestMaxBytes, scan });
    if (!decoded.ok) throw decoded.error;
    const { message } = decoded;
    return runBatch(this.#engine, message.operations, this.#limits).then((answer) =>
      encodeMessage(response, respond(message, answer)),
    );
  }

  #apply(batch: DirectBatch): Buffer {
    const plan = this.#plan;
    const answer = this.#answer;
    answer.begin();
    this.#results = undefined;
    this.#next = 0;
    while (this.#next < plan.count) this.#applyUntilFailure(batch);
    const bytes = answer.finish(batch.revision, plan);
    plan.clear();
    return bytes;
  }

  /** Goes on behind an operation that fails, too: to try each by itself would cost every one. */
  #applyUntilFailure(batch: DirectBatch): void {
    try {
      for (; this.#next < this.#plan.count; this.#next += 1) this.#applyOne(batch);
    } catch (error) {
      if (!(error instanceof KvdError)) throw error;
      this.#other({ kind: "failure", error });
      this.#next += 1;
    }
  }

  #applyOne(batch: DirectBatch): void {
    const plan = this.#plan;
    const answer = this.#answer;
    plan.goTo(this.#next);
    const { source, keyStart, keyEnd } = plan;
    switch (plan.kind) {
      case GET: {
        const found = batch.get(source, keyStart, keyEnd);
        if (found) answer.found(batch.revision, plan, batch.entry);
        else answer.absent(batch.revision);
        break;
      }
      case PUT:
        answer.put(batch.put(source, keyStart, keyEnd, plan.valueStart, plan.valueEnd));
        break;
      case DELETE: {
        const count = batch.delete(source, keyStart, keyEnd);
        answer.deleted(batch.revision, count);
        break;
      }
      default:
        this.#other(batch.run(plan.other(this.#next)));
    }
  }

  #other(item: BatchResultItem): void {
    this.#results ??= new BatchResults(this.#bounds.textBytes);
    this.#answer.other(this.#results.result(item));
  }
}
