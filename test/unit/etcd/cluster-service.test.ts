// One member, under the address that the caller has come by.

import { type ChannelOptions, credentials } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import {
  ClusterClient,
  MemberListRequest,
  type MemberListResponse,
} from "../../../gen/grpc/etcd/rpc.js";
import { Identity } from "../../../server/etcd/identity.js";
import { answersOf, type KnownAnswer } from "../../support/etcd/known-answers.js";
import { serveEtcd } from "../../support/etcd/served-etcd.js";
import { settle } from "../../support/grpc-service.js";

async function membersOf(t: ExecutionContext, address: string, options: ChannelOptions = {}) {
  const client = new ClusterClient(address, credentials.createInsecure(), options);
  t.teardown(() => client.close());
  const request = MemberListRequest.create({ linearizable: true });
  return settle<MemberListResponse>((done) => client.memberList(request, done));
}

test("there is one member, with the ids of the header", async (t) => {
  const { address, engine } = await serveEtcd(t);
  const { header, members } = await membersOf(t, address);
  const { clusterId, memberId } = new Identity(engine.storeId);
  t.like(header, { clusterId, memberId, revision: 0n, raftTerm: 2n });
  t.deepEqual(members, [
    {
      ID: memberId,
      name: "kvd",
      peerURLs: [],
      clientURLs: [`http://${address}`],
      isLearner: false,
    },
  ]);
});

for (const [authority, url] of [
  ["kvd.example:2379", "http://kvd.example:2379"],
  ["[::1]:7856", "http://[::1]:7856"],
  ["localhost", "http://127.0.0.1:7856"],
  ["etcd.sock", "http://127.0.0.1:7856"],
] as const) {
  test(`a caller of ${authority} is told ${url}`, async (t) => {
    const { address } = await serveEtcd(t);
    const options = { "grpc.default_authority": authority };
    const { members } = await membersOf(t, address, options);
    t.deepEqual(members[0]?.clientURLs, [url]);
  });
}

test("the one member stays, and stays alone", async (t) => {
  const { address, engine } = await serveEtcd(t);
  const answerTo = answersOf(t, address);
  const { memberId: ID } = new Identity(engine.storeId);
  const peerURLs = ["http://127.0.0.1:1"];
  const answers: readonly Omit<KnownAnswer, "service">[] = [
    {
      method: "memberAdd",
      request: { peerURLs, isLearner: false },
      answer: "12 kvd: there is one member: none can be added",
    },
    {
      method: "memberRemove",
      request: { ID },
      answer: "12 kvd: there is one member: it cannot be removed",
    },
    {
      method: "memberUpdate",
      request: { ID, peerURLs },
      answer: "12 kvd: there is one member: there are no peers to tell its addresses to",
    },
    {
      method: "memberPromote",
      request: { ID },
      answer: "9 etcdserver: can only promote a learner member",
    },
  ];
  for (const known of answers) {
    t.is(await answerTo({ service: "cluster", ...known }), known.answer);
  }
});
