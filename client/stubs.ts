// The generated code: `import { KvServiceClient } from "kvd-grpc/stubs"`. For programs that want
// the bare contract: messages with their codecs, and for grpc-js the clients and the definitions of
// the services, as ts-proto makes them of proto/kvd/v1. The client itself is index.ts.

export { Any } from "../gen/grpc/google/protobuf/any.js";
export { Duration } from "../gen/grpc/google/protobuf/duration.js";
export { Timestamp } from "../gen/grpc/google/protobuf/timestamp.js";
export * from "../gen/grpc/kvd/v1/error.js";
export * from "../gen/grpc/kvd/v1/kv.js";
export * from "../gen/grpc/kvd/v1/lease.js";
export * from "../gen/grpc/kvd/v1/maintenance.js";
export * from "../gen/grpc/kvd/v1/watch.js";
