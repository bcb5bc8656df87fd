// Where an operation can stand: alone, in a txn, nested in one, in a batch, in a pipeline. Each
// place sends it over the wire, among operations that are right, and answers how it was refused.

import { type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import {
  BatchOperation,
  type BatchResult,
  type Operation,
  type PipelineResponse,
  TxnRequest,
} from "../../../gen/grpc/kvd/v1/kv.js";
import type { RemoteClients } from "../../support/remote-engine.js";
import { type Refusal, refusalInAnswer, refusalOf, refusalOfCall } from "./refusal.js";

export type Step = NonNullable<Operation["operation"]>;

export const OPERATION_PLACES = [
  "unary",
  "txn",
  "failure of a txn",
  "nested txn",
  "batch",
  "pipeline",
] as const;

export type OperationPlace = (typeof OPERATION_PLACES)[number];

const GET_A: Step = {
  $case: "get",
  value: { keyForm: { $case: "key", value: "a" }, revision: 0n },
};

const A_IS_ABSENT = {
  selector: { $case: "key", value: "a" },
  target: { $case: "exists", value: false },
} as const;

/** The path that the metadata of a refusal names, by place. */
export const PATHS: { readonly [place in OperationPlace]: string | undefined } = {
  unary: undefined,
  txn: "success[1]",
  "failure of a txn": "failure[0]",
  "nested txn": "success[1].txn.failure[1].txn.success[0]",
  batch: undefined,
  pipeline: undefined,
};

export function refuseIn(
  place: OperationPlace,
  clients: RemoteClients,
  step: Step | undefined,
): Promise<Refusal> {
  switch (place) {
    case "unary":
      return refuseAlone(clients, step);
    case "txn":
      return refuseTxn(clients, { success: [GET_A, step] });
    case "failure of a txn":
      return refuseTxn(clients, { compares: [A_IS_ABSENT], failure: [step] });
    case "nested txn": {
      const innermost = txnStep({ success: [step] });
      const inner = txnStep({ compares: [A_IS_ABSENT], failure: [GET_A, innermost] });
      return refuseTxn(clients, { success: [GET_A, inner] });
    }
    case "batch":
      return refuseInBatch(clients, step);
    case "pipeline":
      return refuseInPipeline(clients, step);
  }
}

interface Branches {
  readonly compares?: readonly (typeof A_IS_ABSENT)[];
  readonly success?: readonly (Step | undefined)[];
  readonly failure?: readonly (Step | undefined)[];
}

export function txnOf({ compares = [], success = [], failure = [] }: Branches): TxnRequest {
  const operations = (steps: readonly (Step | undefined)[]) =>
    steps.map((operation) => (operation === undefined ? {} : { operation }));
  return TxnRequest.create({
    compares: [...compares],
    success: operations(success),
    failure: operations(failure),
  });
}

function txnStep(branches: Branches): Step {
  return { $case: "txn", value: txnOf(branches) };
}

function refuseTxn({ kv }: RemoteClients, branches: Branches): Promise<Refusal> {
  return refusalOf((done) => kv.txn(txnOf(branches), done));
}

function refuseAlone({ kv }: RemoteClients, step: Step | undefined): Promise<Refusal> {
  return refusalOf((done) => {
    switch (step?.$case) {
      case "get":
        return kv.get(step.value, done);
      case "put":
        return kv.put(step.value, done);
      case "delete":
        return kv.delete(step.value, done);
      case "range":
        return kv.range(step.value, done);
      case "txn":
        return kv.txn(step.value, done);
      default:
        throw new Error("an operation without a member does not stand alone");
    }
  });
}

export type BatchStep = NonNullable<BatchOperation["operation"]>;

export function isBatchStep(step: Step | undefined): step is BatchStep | undefined {
  return step === undefined || ["get", "put", "delete"].includes(step.$case);
}

/** The step, between two gets that are right. */
export function batchOf(step: Step | undefined): BatchOperation[] {
  if (!isBatchStep(step)) throw new Error(`${step?.$case} does not stand in a batch`);
  const steps = [GET_A as BatchStep, step, GET_A as BatchStep];
  return steps.map((operation) =>
    operation === undefined ? BatchOperation.create({}) : BatchOperation.create({ operation }),
  );
}

function refuseInBatch({ kv }: RemoteClients, step: Step | undefined): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    kv.batch({ operations: batchOf(step) }, (error, response) => {
      if (error !== null) settleWith(() => refusalOfCall(error), resolve, reject);
      else settleWith(() => failureAmong(response.results), resolve, reject);
    });
  });
}

function settleWith<T>(run: () => T, resolve: (value: T) => void, reject: (why: unknown) => void) {
  try {
    resolve(run());
  } catch (error) {
    reject(error);
  }
}

/** The failure in the middle; what is around it was done. */
function failureAmong(results: readonly BatchResult[]): Refusal {
  const [before, failed, after] = results.map(({ result }) => result);
  if (before?.$case !== "get" || after?.$case !== "get" || results.length !== 3) {
    throw new Error("what stood around the failing operation was not done");
  }
  if (failed?.$case !== "failure") throw new Error(`a ${failed?.$case} was not refused`);
  const { reason, message, modRevision } = failed.value;
  return refusalInAnswer(reason, message, { mod_revision: `${modRevision}` });
}

/** A request that is refused, and the id of the answer. */
const PIPELINE_ID = -5n;

function refuseInPipeline({ kv }: RemoteClients, step: Step | undefined): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const stream = kv.pipeline();
    const answers: PipelineResponse[] = [];
    stream.on("data", (answer: PipelineResponse) => answers.push(answer));
    stream.on("error", (error: ServiceError) =>
      settleWith(() => refusalOfCall(error), resolve, reject),
    );
    stream.on("status", ({ code }: StatusObject) => {
      if (code !== status.OK) return;
      const [answer] = answers;
      if (answers.length !== 1 || answer?.id !== PIPELINE_ID) reject(new Error("another answer"));
      else settleWith(() => failureAmong(answer.results), resolve, reject);
    });
    stream.write({ id: PIPELINE_ID, operations: batchOf(step) });
    stream.end();
  });
}
