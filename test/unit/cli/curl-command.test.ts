// Calls as commands of gRPC tools, as a shell takes them.

import { spawnSync } from "node:child_process";
import test from "ava";
import { curlCommand } from "../../../client/cli/curl-command.js";

const CALL = { server: "127.0.0.1:7856", method: "kvd.v1.KvService/Get", json: '{"key":"a"}' };

test("both tools, over TCP and over a socket file", (t) => {
  t.is(
    curlCommand("grpcurl", CALL),
    `grpcurl -plaintext -d '{"key":"a"}' 127.0.0.1:7856 kvd.v1.KvService/Get`,
  );
  t.is(
    curlCommand("buf", { ...CALL, server: "http://localhost:7856/" }),
    `buf curl --protocol grpc --http2-prior-knowledge -d '{"key":"a"}' http://localhost:7856/kvd.v1.KvService/Get`,
  );
  const server = "unix:/run/kvd.sock";
  t.is(
    curlCommand("grpcurl", { ...CALL, server }),
    `grpcurl -plaintext -unix -d '{"key":"a"}' /run/kvd.sock kvd.v1.KvService/Get`,
  );
  t.is(
    curlCommand("buf", { ...CALL, server }),
    `buf curl --protocol grpc --http2-prior-knowledge --unix-socket /run/kvd.sock -d '{"key":"a"}' http://localhost/kvd.v1.KvService/Get`,
  );
});

test("a shell gives the request on as it is", (t) => {
  const json = JSON.stringify({ key: `it's "$HOME" \`x\` \\n ! *` });
  const command = curlCommand("grpcurl", { ...CALL, json });
  const { stdout } = spawnSync("sh", ["-c", command.replace(/^grpcurl/, "printf '%s\\n'")]);
  t.deepEqual(stdout.toString().split("\n").slice(0, 3), ["-plaintext", "-d", json]);
});

test("a request that is too long for an argument is standard input", (t) => {
  const json = JSON.stringify({ key: "a", value: "A".repeat(200_000) });
  const command = curlCommand("buf", { ...CALL, json });
  const script = command.replace(/^buf curl/, 'f() { cat; echo "$@"; }; f');
  const [first, second] = spawnSync("sh", { input: script }).stdout.toString().split("\n");
  t.is(first, json);
  t.regex(second ?? "", /-d @- /);
});
