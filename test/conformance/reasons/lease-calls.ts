// Calls about leases and of maintenance that are refused.

import { GrantRequest } from "../../../gen/grpc/kvd/v1/lease.js";
import type { Reason } from "../../../server/kv/errors.js";
import { type Fixture, LEASE } from "./fixture.js";
import { TTLS_OUT_OF_RANGE } from "./operations.js";
import { refusalOf } from "./refusal.js";
import type { RefusedCall } from "./refused-call.js";

const HUGE = 2n ** 53n;

const grant =
  (fields: Parameters<typeof GrantRequest.create>[0]) =>
  ({ clients }: Fixture) =>
    refusalOf((done) => clients.lease.grant(GrantRequest.create(fields), done));

export const LEASE_CALLS: readonly RefusedCall[] = [
  {
    reason: "FIELD_MISSING",
    place: "unary",
    what: "a grant without a ttl",
    refuse: grant({ id: 9n }),
  },
  ...TTLS_OUT_OF_RANGE.map(
    ([what, seconds, nanos]): RefusedCall => ({
      reason: "TTL_OUT_OF_RANGE",
      place: "unary",
      what: `a grant of ${what}`,
      refuse: grant({ id: 9n, ttl: { seconds, nanos } }),
    }),
  ),
  {
    reason: "LEASE_EXISTS",
    place: "unary",
    what: "a grant of an id that is taken",
    refuse: grant({ id: LEASE, ttl: { seconds: 5n } }),
  },
  {
    reason: "TOO_MANY_LEASES",
    place: "unary",
    what: "one lease more than there may be",
    limits: { leasesMax: 2 },
    refuse: grant({ ttl: { seconds: 5n } }),
  },
  ...[0n, 404n, -404n].flatMap((id): RefusedCall[] => [
    {
      reason: "LEASE_NOT_FOUND",
      place: "unary",
      what: `a revocation of lease ${id}`,
      refuse: ({ clients }) => refusalOf((done) => clients.lease.revoke({ id }, done)),
    },
    {
      reason: "LEASE_NOT_FOUND",
      place: "unary",
      what: `asking after lease ${id}`,
      refuse: ({ clients }) =>
        refusalOf((done) => clients.lease.timeToLive({ id, withKeys: true }, done)),
    },
  ]),
];

const maintenance = (
  method: "compact" | "hash",
  reason: Reason,
  revision: bigint,
  metadata: { readonly [name: string]: string } = {},
): RefusedCall => ({
  reason,
  place: "unary",
  what: `${method} at revision ${revision}`,
  metadata,
  refuse: ({ clients }) => refusalOf((done) => clients.maintenance[method]({ revision }, done)),
});

export const MAINTENANCE_CALLS: readonly RefusedCall[] = [
  ...[0n, -1n, HUGE, -(2n ** 63n)].map((revision) =>
    maintenance("compact", "NUMBER_OUT_OF_RANGE", revision),
  ),
  ...[1n, 3n].map((revision) =>
    maintenance("compact", "REVISION_COMPACTED", revision, { compact_revision: "3" }),
  ),
  ...[7n, HUGE - 1n].map((revision) =>
    maintenance("compact", "REVISION_FUTURE", revision, { revision: "6" }),
  ),
  ...[-1n, HUGE].map((revision) => maintenance("hash", "NUMBER_OUT_OF_RANGE", revision)),
  maintenance("hash", "REVISION_COMPACTED", 2n, { compact_revision: "3" }),
  maintenance("hash", "REVISION_FUTURE", 7n, { revision: "6" }),
];
