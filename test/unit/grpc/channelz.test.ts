// channelz, which tells of connections and counts calls: served to who asks the server for it.

import { Client, credentials, getChannelzServiceDefinition, status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../../client/index.js";
import { createServer, type ServerOptions } from "../../../server/server.js";

interface ServersAnswer {
  readonly server: readonly { readonly data: { readonly calls_succeeded: string } }[];
}

/** What GetServers answers after one put, or the code of its status. */
async function serversOf(t: ExecutionContext, options: ServerOptions) {
  const server = await createServer({ ...options, shutdownGraceMs: 0 });
  t.teardown(() => server.close());
  const kvd = connect(server.address);
  await kvd.put("a", "1");
  await kvd.close();
  const client = new Client(server.address, credentials.createInsecure());
  t.teardown(() => client.close());
  const method = getChannelzServiceDefinition().GetServers;
  if (method === undefined) throw new Error("grpc-js has no GetServers");
  const { path, requestSerialize, responseDeserialize } = method;
  return await new Promise<ServersAnswer | number>((resolve) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (error, answer) =>
      resolve(error === null ? (answer as ServersAnswer) : error.code),
    );
  });
}

test("channelz counts calls when it is asked for", async (t) => {
  const answer = await serversOf(t, { channelz: true });
  if (typeof answer === "number") throw new Error(`status ${answer}`);
  t.true(answer.server.some(({ data }) => Number(data.calls_succeeded) >= 1));
});

test("channelz is not served by default", async (t) => {
  t.is(await serversOf(t, {}), status.UNIMPLEMENTED);
});
