// The ceiling: grpc-js with the service of kvd.v1 and handlers that answer a fixed message at once.
//
//   node dist/bench/null-server.js
//
// Requests are decoded and answers encoded as a server has to, without the second copy that the
// generated definitions make; nothing is looked up, checked or kept. It is run by the suite.

import {
  type handleUnaryCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import {
  BatchRequest,
  BatchResponse,
  GetRequest,
  GetResponse,
  KvServiceService,
  PutRequest,
  PutResponse,
} from "../gen/grpc/kvd/v1/kv.js";
import { keyAt, VALUE } from "./fixtures.js";

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** The method with codecs that copy nothing, and its answer. */
function answering<Request, Response>(
  name: "get" | "put" | "batch",
  [request, response]: readonly [Codec<Request>, Codec<Response>],
  answer: Response,
) {
  const { path, requestStream, responseStream } = KvServiceService[name];
  const definition: MethodDefinition<Request, Response> = {
    path,
    requestStream,
    responseStream,
    requestSerialize: (message) => Buffer.from(request.encode(message).finish()),
    requestDeserialize: (bytes) => request.decode(bytes),
    responseSerialize: (message) => {
      const bytes = response.encode(message).finish();
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    responseDeserialize: (bytes) => response.decode(bytes),
  };
  const handler: handleUnaryCall<Request, Response> = (_call, reply) => reply(null, answer);
  return { definition, handler };
}

const METHODS = {
  get: answering(
    "get",
    [GetRequest, GetResponse],
    GetResponse.fromPartial({
      revision: 2n,
      kv: {
        keyForm: { $case: "key", value: keyAt(1) },
        value: VALUE,
        createRevision: 2n,
        modRevision: 2n,
        version: 1n,
      },
    }),
  ),
  put: answering("put", [PutRequest, PutResponse], PutResponse.fromPartial({ revision: 2n })),
  batch: answering("batch", [BatchRequest, BatchResponse], BatchResponse.create()),
};

const server = new Server({ "grpc.enable_channelz": 0, "grpc.max_concurrent_streams": 250 });
const entries = Object.entries(METHODS);
server.addService(
  Object.fromEntries(
    entries.map(([name, { definition }]) => [name, definition]),
  ) as ServiceDefinition,
  Object.fromEntries(entries.map(([name, { handler }]) => [name, handler])),
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`listening on ${port}\n`);
});
