// Server reflection: what is found, and what the served descriptors hold.

import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import test from "ava";
import {
  ServerReflectionClient,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionService,
} from "../../../gen/grpc/grpc/reflection/v1/reflection.js";
import {
  ServerReflectionClient as AlphaClient,
  ServerReflectionService as AlphaService,
} from "../../../gen/grpc/grpc/reflection/v1alpha/reflection.js";
import { Reflection } from "../../../server/grpc/reflection.js";
import { connectClient, logStream, serveServices } from "../../support/grpc-service.js";

const SERVICES = ["kvd.v1.KvService", "grpc.health.v1.Health"];

type Question = NonNullable<ServerReflectionRequest["messageRequest"]>;

function ask(messageRequest: Question | undefined) {
  return new Reflection(SERVICES).answer({ host: "there", messageRequest });
}

function filesFor(question: Question) {
  const { messageResponse } = ask(question);
  if (messageResponse?.$case !== "fileDescriptorResponse") return [];
  const { fileDescriptorProto } = messageResponse.value;
  return fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

test("the services that are served are listed", (t) => {
  const { validHost, messageResponse } = ask({ $case: "listServices", value: "*" });
  t.is(validHost, "there");
  const service = SERVICES.map((name) => ({ name }));
  t.deepEqual(messageResponse, { $case: "listServicesResponse", value: { service } });
});

test("a file comes first, then everything that it imports, each once", (t) => {
  const files = filesFor({ $case: "fileByFilename", value: "kvd/v1/kv.proto" });
  const names = files.map(({ name }) => name);
  t.is(names[0], "kvd/v1/kv.proto");
  t.true(names.includes("google/protobuf/any.proto"), "an import of an import");
  t.is(new Set(names).size, names.length);
  const set = create(FileDescriptorSetSchema, { file: files.toReversed() });
  t.notThrows(() => createFileRegistry(set));
});

const symbol = test.macro({
  exec: (t, value: string, file: string) => {
    t.is(filesFor({ $case: "fileContainingSymbol", value })[0]?.name, file);
  },
  title: (what) => `the file of ${what} is found by its full name`,
});

test("a service", symbol, "kvd.v1.KvService", "kvd/v1/kv.proto");
test("a method", symbol, "kvd.v1.KvService.Get", "kvd/v1/kv.proto");
test("a message", symbol, "kvd.v1.WatchRequest", "kvd/v1/watch.proto");
test("a nested message", symbol, "kvd.v1.MultiWatchEnded.MetadataEntry", "kvd/v1/watch.proto");
test("a field", symbol, "kvd.v1.WatchRequest.start_revision", "kvd/v1/watch.proto");
test("a oneof", symbol, "kvd.v1.WatchRequest.selector", "kvd/v1/watch.proto");
test("an enum", symbol, "kvd.v1.EventType", "kvd/v1/watch.proto");
test("an enum value", symbol, "kvd.v1.EVENT_TYPE_PUT", "kvd/v1/watch.proto");
test(
  "a value of a nested enum",
  symbol,
  "grpc.health.v1.HealthCheckResponse.SERVING",
  "grpc/health/v1/health.proto",
);

test("the descriptors hold the comments of the protos", (t) => {
  const [file] = filesFor({ $case: "fileContainingSymbol", value: "kvd.v1.KvService" });
  const comments = file?.sourceCodeInfo?.location.map(({ leadingComments }) => leadingComments);
  t.true(comments?.some((comment) => comment.includes("Reads one key, now or at a past revision")));
});

const absent = test.macro({
  exec: (t, question: Question) => {
    const { messageResponse } = ask(question);
    t.like(messageResponse, { $case: "errorResponse", value: { errorCode: status.NOT_FOUND } });
  },
  title: (what) => `${what} is answered as not found`,
});

test("an unknown file", absent, { $case: "fileByFilename", value: "kvd/v1/nothing.proto" });
test("an unknown symbol", absent, { $case: "fileContainingSymbol", value: "kvd.v1.Nothing" });
test("an extension", absent, {
  $case: "fileContainingExtension",
  value: { containingType: "kvd.v1.Key", extensionNumber: 100 },
});
test("the extensions of an unknown message", absent, {
  $case: "allExtensionNumbersOfType",
  value: "kvd.v1.Nothing",
});

test("a message of ours has no extensions", (t) => {
  const baseTypeName = "kvd.v1.Key";
  const { messageResponse } = ask({ $case: "allExtensionNumbersOfType", value: baseTypeName });
  const value = { baseTypeName, extensionNumber: [] };
  t.deepEqual(messageResponse, { $case: "allExtensionNumbersResponse", value });
});

test("no question at all is an error of the asker", (t) => {
  const { messageResponse } = ask(undefined);
  t.like(messageResponse, { value: { errorCode: status.INVALID_ARGUMENT } });
});

test("v1 and v1alpha answer alike, in order, until the asker is done", async (t) => {
  const { handlers } = new Reflection(SERVICES);
  const address = await serveServices(t, [
    { definition: ServerReflectionService, handlers },
    { definition: AlphaService, handlers },
  ]);
  for (const ClientOf of [ServerReflectionClient, AlphaClient]) {
    const call = connectClient(t, address, ClientOf).serverReflectionInfo();
    const log = logStream<ServerReflectionResponse>(call);
    call.write({ host: "", messageRequest: { $case: "fileByFilename", value: "nothing" } });
    call.write({ host: "", messageRequest: { $case: "listServices", value: "" } });
    call.end();
    t.is((await log.status).code, status.OK);
    const cases = log.messages.map(({ messageResponse }) => messageResponse?.$case);
    t.deepEqual(cases, ["errorResponse", "listServicesResponse"]);
  }
});

test("the end of the server ends open streams", async (t) => {
  const reflection = new Reflection(SERVICES);
  const { handlers } = reflection;
  const address = await serveServices(t, [{ definition: ServerReflectionService, handlers }]);
  const call = connectClient(t, address, ServerReflectionClient).serverReflectionInfo();
  const log = logStream<ServerReflectionResponse>(call);
  call.write({ host: "", messageRequest: { $case: "listServices", value: "" } });
  await log.received(1);
  reflection.close();
  t.is((await log.status).code, status.UNAVAILABLE);
});
