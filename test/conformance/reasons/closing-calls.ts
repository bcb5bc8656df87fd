// Calls that meet an engine that is closed, and watches whose peers do not take what waits for
// them.

import { GetRequest, PutRequest, RangeRequest } from "../../../gen/grpc/kvd/v1/kv.js";
import { GrantRequest, ListRequest } from "../../../gen/grpc/kvd/v1/lease.js";
import type { RemoteClients } from "../../support/remote-engine.js";
import { batchOf, type Step, txnOf } from "./places.js";
import { type Refusal, refusalOf } from "./refusal.js";
import type { CallPlace, RefusedCall } from "./refused-call.js";
import { refuseMultiWatch, refuseStream, refuseWatch } from "./streams.js";

const A = { $case: "key", value: "a" } as const;
const ALL = { $case: "all", value: true } as const;
const PUT: Step = { $case: "put", value: PutRequest.create({ keyForm: A }) };
const GET: Step = { $case: "get", value: GetRequest.create({ keyForm: A }) };

type Attempt = (clients: RemoteClients) => Promise<Refusal>;

const ATTEMPTS: readonly (readonly [place: CallPlace, what: string, attempt: Attempt])[] = [
  ["unary", "a get", ({ kv }) => refusalOf((done) => kv.get({ keyForm: A, revision: 0n }, done))],
  [
    "unary",
    "a put",
    ({ kv }) => refusalOf((done) => kv.put(PutRequest.create({ keyForm: A }), done)),
  ],
  [
    "unary",
    "a range",
    ({ kv }) => refusalOf((done) => kv.range(RangeRequest.create({ selector: ALL }), done)),
  ],
  [
    "unary",
    "a delete",
    ({ kv }) =>
      refusalOf((done) => kv.delete({ selector: A, limit: 0n, returnPrevious: false }, done)),
  ],
  ["txn", "a txn", ({ kv }) => refusalOf((done) => kv.txn(txnOf({ success: [PUT] }), done))],
  [
    "nested txn",
    "a nested txn",
    ({ kv }) => {
      const inner: Step = { $case: "txn", value: txnOf({ success: [PUT] }) };
      return refusalOf((done) => kv.txn(txnOf({ success: [GET, inner] }), done));
    },
  ],
  [
    "batch",
    "a batch",
    ({ kv }) => refusalOf((done) => kv.batch({ operations: batchOf(PUT) }, done)),
  ],
  [
    "batch",
    "a batch of gets",
    ({ kv }) => refusalOf((done) => kv.batch({ operations: batchOf(GET) }, done)),
  ],
  [
    "pipeline",
    "a pipeline, which ends",
    ({ kv }) => refuseStream(kv.pipeline(), [{ id: 1n, operations: batchOf(PUT) }]),
  ],
  ["watch", "a watch", (clients) => refuseWatch(clients, { selector: ALL })],
  [
    "keep-alive",
    "a renewal, whose stream ends",
    ({ lease }) => refuseStream(lease.keepAlive(), [{ id: 7n }]),
  ],
  [
    "unary",
    "a grant",
    ({ lease }) =>
      refusalOf((done) => lease.grant(GrantRequest.create({ ttl: { seconds: 5n } }), done)),
  ],
  ["unary", "a revocation", ({ lease }) => refusalOf((done) => lease.revoke({ id: 7n }, done))],
  [
    "unary",
    "asking after a lease",
    ({ lease }) => refusalOf((done) => lease.timeToLive({ id: 7n, withKeys: false }, done)),
  ],
  [
    "unary",
    "a list of leases",
    ({ lease }) => refusalOf((done) => lease.list(ListRequest.create({}), done)),
  ],
  [
    "unary",
    "a compaction",
    ({ maintenance }) => refusalOf((done) => maintenance.compact({ revision: 4n }, done)),
  ],
  [
    "unary",
    "a hash",
    ({ maintenance }) => refusalOf((done) => maintenance.hash({ revision: 0n }, done)),
  ],
  ["unary", "a status", ({ maintenance }) => refusalOf((done) => maintenance.status({}, done))],
];

export const CLOSING_CALLS: readonly RefusedCall[] = [
  ...ATTEMPTS.map(
    ([place, what, attempt]): RefusedCall => ({
      reason: "SHUTTING_DOWN",
      place,
      what,
      closed: true,
      refuse: ({ clients }) => attempt(clients),
    }),
  ),
  {
    reason: "SHUTTING_DOWN",
    place: "multi-watch",
    what: "a watch",
    closed: true,
    refuse: ({ clients }) => refuseMultiWatch(clients, { selector: ALL }),
  },
];
