// etcd's cluster service: there is one member, and it stays the only one.

import { Cluster } from "../../gen/es/etcd/rpc_pb.js";
import {
  ClusterService,
  type Member,
  MemberAddRequest,
  MemberAddResponse,
  MemberListRequest,
  MemberListResponse,
  MemberPromoteRequest,
  MemberPromoteResponse,
  MemberRemoveRequest,
  MemberRemoveResponse,
  MemberUpdateRequest,
  MemberUpdateResponse,
} from "../../gen/grpc/etcd/rpc.js";
import { methodOptions, servedMethod } from "../grpc/codec.js";
import { unary } from "../grpc/handlers.js";
import type { Handlers } from "../grpc/service.js";
import type { Limits } from "../kv/limits.js";
import type { EtcdContext } from "./context.js";
import { precondition, refusals, unimplemented } from "./status.js";

export function clusterDefinition(limits: Limits) {
  const generated = ClusterService;
  const input = Cluster.method;
  const with_ = methodOptions(limits.etcdRequestMaxBytes);
  return {
    memberAdd: servedMethod(
      generated.memberAdd,
      with_(input.memberAdd.input, MemberAddRequest, MemberAddResponse),
    ),
    memberRemove: servedMethod(
      generated.memberRemove,
      with_(input.memberRemove.input, MemberRemoveRequest, MemberRemoveResponse),
    ),
    memberUpdate: servedMethod(
      generated.memberUpdate,
      with_(input.memberUpdate.input, MemberUpdateRequest, MemberUpdateResponse),
    ),
    memberList: servedMethod(
      generated.memberList,
      with_(input.memberList.input, MemberListRequest, MemberListResponse),
    ),
    memberPromote: servedMethod(
      generated.memberPromote,
      with_(input.memberPromote.input, MemberPromoteRequest, MemberPromoteResponse),
    ),
  };
}

export function clusterHandlers(context: EtcdContext): Handlers {
  const { identity, statusOf } = context;
  const alone = (what: string) => unimplemented(`there is one member: ${what}`);
  const requireOwn = (id: bigint) => {
    if (id !== identity.memberId) throw refusals.memberNotFound();
  };
  return {
    memberList: unary(
      statusOf,
      async (_request: MemberListRequest, call): Promise<MemberListResponse> => ({
        // etcd tells no revision here.
        header: identity.header(0),
        members: [onlyMember(identity.memberId, call.getHost())],
      }),
    ),
    memberAdd: unary(statusOf, async (_request: MemberAddRequest): Promise<MemberAddResponse> => {
      throw alone("none can be added");
    }),
    memberRemove: unary(
      statusOf,
      async ({ ID }: MemberRemoveRequest): Promise<MemberRemoveResponse> => {
        requireOwn(ID);
        throw alone("it cannot be removed");
      },
    ),
    memberUpdate: unary(
      statusOf,
      async ({ ID }: MemberUpdateRequest): Promise<MemberUpdateResponse> => {
        requireOwn(ID);
        throw alone("there are no peers to tell its addresses to");
      },
    ),
    memberPromote: unary(
      statusOf,
      async ({ ID }: MemberPromoteRequest): Promise<MemberPromoteResponse> => {
        requireOwn(ID);
        throw precondition("can only promote a learner member");
      },
    ),
  };
}

/** Where kvd listens unless it is told otherwise: for callers that have come without a port. */
const USUAL_ADDRESS = "127.0.0.1:7856";

/** A name or an address, and a port. */
const HOST_AND_PORT = /^(?:\[[\da-f:.%]+\]|[\w.-]+):\d{1,5}$/i;

/** Clients go on with the addresses that it tells: the one under which the caller has found it. */
function onlyMember(ID: bigint, authority: string): Member {
  const address = HOST_AND_PORT.test(authority) ? authority : USUAL_ADDRESS;
  return {
    ID,
    name: "kvd",
    peerURLs: [],
    clientURLs: [`http://${address}`],
    isLearner: false,
  };
}
