// Where Batch and Pipeline differ on the wire: the same operations and results, under other field
// numbers, and an id.
//
// Tags are field numbers of kv.proto times eight, plus the wire type.

import type { DescMessage } from "@bufbuild/protobuf";
import { BatchRequestSchema, PipelineRequestSchema } from "../../gen/es/kvd/v1/kv_pb.js";
import {
  BatchRequest,
  BatchResponse,
  PipelineRequest,
  PipelineResponse,
} from "../../gen/grpc/kvd/v1/kv.js";
import type { Codec } from "../grpc/codec.js";

export interface BatchTags {
  /** Of the request. */
  readonly operationTag: number;
  /** Of request and answer; where there is no id, a number that is no tag. */
  readonly idTag: number;
  /** Of the answer. */
  readonly revisionTag: number;
  readonly resultTag: number;
}

/** With the generated codec. */
export interface BatchShape<Request, Response> extends BatchTags {
  readonly request: Codec<Request>;
  readonly input: DescMessage;
  readonly response: Codec<Response>;
  readonly respond: (request: Request, answer: BatchResponse) => Response;
}

const BYTES = 2;
const field = (number: number, wireType = 0) => number * 8 + wireType;

export const BATCH_SHAPE: BatchShape<BatchRequest, BatchResponse> = {
  operationTag: field(1, BYTES),
  idTag: -1,
  revisionTag: field(1),
  resultTag: field(2, BYTES),
  request: BatchRequest,
  input: BatchRequestSchema,
  response: BatchResponse,
  respond: (_request, answer) => answer,
};

export const PIPELINE_SHAPE: BatchShape<PipelineRequest, PipelineResponse> = {
  operationTag: field(2, BYTES),
  idTag: field(1),
  revisionTag: field(2),
  resultTag: field(3, BYTES),
  request: PipelineRequest,
  input: PipelineRequestSchema,
  response: PipelineResponse,
  respond: ({ id }, answer) => ({ id, ...answer }),
};
