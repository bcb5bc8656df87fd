// The contract from outside: buf curl and reflection, with nothing of ours but the address.

import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../client/index.js";
import {
  ServerReflectionClient,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from "../../gen/grpc/grpc/reflection/v1/reflection.js";
import { inTime, PROJECT, RunningProcess, run, startKvd } from "../support/process.js";

const BUF = join(PROJECT, "node_modules/.bin/buf");
const CURL = ["curl", "--protocol", "grpc", "--http2-prior-knowledge"];

interface Call {
  readonly method: string;
  readonly data: string;
}

const buf = (t: ExecutionContext, address: string, { method, data }: Call) =>
  run(t, [BUF, ...CURL, "-d", data, `http://${address}/kvd.v1.${method}`]);

interface Step {
  readonly created?: { readonly storeId: string };
  readonly events?: { readonly events: readonly object[] };
}

/** JSON documents that follow each other, as far as they are whole. */
function documentsOf(text: string): Step[] {
  return text
    .split(/(?<=^\})\n/m)
    .flatMap((part) => (part.endsWith("}") ? [JSON.parse(part)] : []));
}

async function reflect(t: ExecutionContext, address: string, request: ServerReflectionRequest) {
  const client = new ServerReflectionClient(address, credentials.createInsecure());
  t.teardown(() => client.close());
  const stream = client.serverReflectionInfo();
  stream.on("error", () => {});
  stream.write(request);
  const answered = new Promise<ServerReflectionResponse>((resolve) => stream.once("data", resolve));
  const answer = await inTime(answered, "reflection");
  stream.end();
  return answer.messageResponse;
}

test("the commands of the README put and get, as they stand", async (t) => {
  const { address } = await startKvd(t);
  const npx = (data: string, method: string) => {
    const command = `npx buf curl --protocol grpc --http2-prior-knowledge -d '${data}' \
http://${address}/kvd.v1.KvService/${method}`;
    return run(t, ["sh", "-c", command]);
  };
  const put = await npx('{"key":"kenya:capital","value":"TmFpcm9iaQ=="}', "Put");
  t.is(put.exitCode, 0, put.stderr);
  t.deepEqual(JSON.parse(put.stdout), { revision: "2" });
  const got = await npx('{"key":"kenya:capital"}', "Get");
  t.like(JSON.parse(got.stdout), {
    revision: "2",
    kv: { key: "kenya:capital", value: "TmFpcm9iaQ==", modRevision: "2", version: "1" },
  });
});

test("durations, txns and listings can be typed by hand", async (t) => {
  const { address } = await startKvd(t);
  const data = '{"key": "kenya:capital", "value": "", "ttl": "30s"}';
  const put = await buf(t, address, { method: "KvService/Put", data });
  t.like(JSON.parse(put.stdout), { revision: "2", ttl: "30s" });
  const txn = await buf(t, address, {
    method: "KvService/Txn",
    data: '{"compares": [{"key": "a", "exists": false}], "success": [{"put": {"key": "a"}}]}',
  });
  t.like(JSON.parse(txn.stdout), { revision: "3", succeeded: true });
  const range = await buf(t, address, { method: "KvService/Range", data: '{"all": true}' });
  t.is(JSON.parse(range.stdout).kvs.length, 2);
});

test("an error shows its status, its reason and its text", async (t) => {
  const { address } = await startKvd(t);
  const { exitCode, stderr } = await buf(t, address, {
    method: "KvService/Get",
    data: '{"key": ""}',
  });
  t.not(exitCode, 0);
  t.regex(stderr, /"code": "invalid_argument"/);
  t.regex(stderr, /KEY_EMPTY|google\.rpc\.ErrorInfo/);
});

const SERVICES = [
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
  "kvd.v1.KvService",
  "kvd.v1.LeaseService",
  "kvd.v1.MaintenanceService",
];
const ETCD_SERVICES = [
  ...["Auth", "Cluster", "KV", "Lease", "Maintenance", "Watch"].map(
    (name) => `etcdserverpb.${name}`,
  ),
  ...["v3electionpb.Election", "v3lockpb.Lock"],
];

for (const [args, services] of [
  [[], [...SERVICES, ...ETCD_SERVICES]],
  [["--no-etcd"], SERVICES],
] as const) {
  test(`the services are listed ${args.join()}`.trim(), async (t) => {
    const { address } = await startKvd(t, { args });
    const words = [BUF, ...CURL, "--list-services", `http://${address}`] as const;
    const { exitCode, stdout } = await run(t, words);
    t.is(exitCode, 0);
    t.deepEqual(stdout.trimEnd().split("\n").sort(), [...services].sort());
  });
}

test("the methods are listed, through either version of reflection", async (t) => {
  const { address } = await startKvd(t);
  for (const protocol of ["grpc-v1", "grpc-v1alpha"]) {
    const flags = ["--reflect-protocol", protocol, "--list-methods"];
    const { stdout } = await run(t, [BUF, ...CURL, ...flags, `http://${address}`]);
    t.true(stdout.includes("kvd.v1.KvService/MultiWatch"), stdout);
  }
});

test("health answers", async (t) => {
  const { address } = await startKvd(t);
  const url = `http://${address}/grpc.health.v1.Health/Check`;
  const { stdout } = await run(t, [BUF, ...CURL, "-d", '{"service": "kvd.v1.KvService"}', url]);
  t.deepEqual(JSON.parse(stdout), { status: "SERVING" });
});

test("the descriptors hold the comments of the contract", async (t) => {
  const { address } = await startKvd(t);
  const answer = await reflect(t, address, {
    host: "",
    messageRequest: { $case: "fileContainingSymbol", value: "kvd.v1.PutRequest" },
  });
  t.is(answer?.$case, "fileDescriptorResponse");
  if (answer?.$case !== "fileDescriptorResponse") return;
  const files = answer.value.fileDescriptorProto.map((file) =>
    Buffer.from(file).toString("latin1"),
  );
  t.true(
    files.some((file) => file.includes("The mod_revision that the key must have; 0: it must")),
  );
});

test("a watch shows each change as it happens", async (t) => {
  const { address } = await startKvd(t);
  const kv = connect(address);
  t.teardown(() => kv.close());
  await kv.put("kenya:capital", "Nairobi");
  const data = '{"prefix": "kenya:", "start_revision": 1, "previous": true}';
  const url = `http://${address}/kvd.v1.KvService/Watch`;
  const watch = new RunningProcess(t, [BUF, ...CURL, "-d", data, url]);
  const events = (count: number) =>
    watch.output((stdout) => {
      const [created, ...steps] = documentsOf(stdout);
      const found = steps.flatMap((step) => step.events?.events ?? []);
      return found.length < count ? undefined : { created, found };
    });
  await events(1);
  await kv.put("kenya:capital", "Mombasa");
  await kv.delete("kenya:capital");
  const { created, found } = await events(3);
  t.truthy(created?.created?.storeId);
  const [first, second, third] = found;
  t.like(first, { type: "EVENT_TYPE_PUT", kv: { modRevision: "2" } });
  t.like(second, { type: "EVENT_TYPE_PUT", previous: { value: "TmFpcm9iaQ==" } });
  t.like(third, { type: "EVENT_TYPE_DELETE", deleteReason: "DELETE_REASON_DELETED" });
});
