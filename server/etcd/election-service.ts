// etcd's election service: one leader at a time under a name. What it proclaims is the value of
// its key, and whoever has a LeaderKey can act for it.

import { Election } from "../../gen/es/etcd/election_pb.js";
import {
  CampaignRequest,
  CampaignResponse,
  ElectionService,
  type LeaderKey,
  LeaderRequest,
  LeaderResponse,
  ProclaimRequest,
  ProclaimResponse,
  ResignRequest,
  ResignResponse,
} from "../../gen/grpc/etcd/election.js";
import { type Decoded, methodOptions, servedMethod } from "../grpc/codec.js";
import { unary } from "../grpc/handlers.js";
import type { AnsweringCall, Handlers } from "../grpc/service.js";
import type { Limits } from "../kv/limits.js";
import type { EtcdContext } from "./context.js";
import { serveObserve } from "./leader-observation.js";
import { keyValue } from "./messages.js";
import { refusals, unknown } from "./status.js";
import { waitingUnary, withoutCode } from "./waiting-call.js";
import { type Place, sessionLease, WaitingLine } from "./waiting-line.js";

/** Methods that answer when they can, however long that takes. */
export const ELECTION_WAITS = ["campaign"];

export function electionDefinition(limits: Limits) {
  const generated = ElectionService;
  const input = Election.method;
  const with_ = methodOptions(limits.etcdRequestMaxBytes);
  return {
    campaign: servedMethod(
      generated.campaign,
      with_(input.campaign.input, CampaignRequest, CampaignResponse),
    ),
    proclaim: servedMethod(
      generated.proclaim,
      with_(input.proclaim.input, ProclaimRequest, ProclaimResponse),
    ),
    leader: servedMethod(
      generated.leader,
      with_(input.leader.input, LeaderRequest, LeaderResponse),
    ),
    observe: servedMethod(
      generated.observe,
      with_(input.observe.input, LeaderRequest, LeaderResponse),
    ),
    resign: servedMethod(
      generated.resign,
      with_(input.resign.input, ResignRequest, ResignResponse),
    ),
  };
}

export function electionHandlers(context: EtcdContext): Handlers {
  const { engine, identity, streams } = context;
  const statusOf = withoutCode(context.statusOf);
  return {
    campaign: waitingUnary(
      { statusOf, streams },
      async (request: CampaignRequest, signal): Promise<CampaignResponse> => {
        const { name, lease: leaseId, value } = request;
        const line = new WaitingLine(engine, name);
        const place = await line.turn({ leaseId, value, expired: notLeader }, signal);
        const leader = leaderKey(name, place);
        return { header: identity.header(place.enteredRevision), leader };
      },
    ),
    proclaim: unary(statusOf, async ({ leader, value }: ProclaimRequest) => {
      const { line, place } = standing(leader);
      const lease = await sessionLease(engine, place.leaseId);
      const { revision, succeeded } = await line
        .write({ ...place, leaseId: lease.id }, value)
        .catch(async (error: unknown) => {
          await lease.release();
          throw error;
        });
      if (!succeeded) {
        await lease.release();
        throw notLeader();
      }
      return { header: identity.header(revision) };
    }),
    leader: unary(statusOf, async ({ name }: LeaderRequest): Promise<LeaderResponse> => {
      const { revision, entry } = await new WaitingLine(engine, name).holder();
      if (entry === undefined) throw unknown("election: no leader");
      return { header: identity.header(revision), kv: keyValue(entry) };
    }),
    observe: (call: AnsweringCall<Decoded<LeaderRequest>, LeaderResponse>) =>
      serveObserve(call, { ...context, statusOf }),
    resign: unary(statusOf, async ({ leader }: ResignRequest): Promise<ResignResponse> => {
      const { line, place } = standing(leader);
      const { revision } = await line.leave(place);
      return { header: identity.header(revision) };
    }),
  };

  function standing(leader: LeaderKey | undefined) {
    if (leader === undefined) throw unknown('"leader" field must be provided');
    const { name, key, rev, lease } = leader;
    if (key.length === 0) throw refusals.emptyKey();
    const place: Place = { key, leaseId: lease, createRevision: Number(rev) };
    return { line: new WaitingLine(engine, name), place };
  }
}

function notLeader() {
  return unknown("election: not leader");
}

function leaderKey(name: Uint8Array, { key, leaseId, createRevision }: Place): LeaderKey {
  return { name, key, rev: BigInt(createRevision), lease: leaseId };
}
