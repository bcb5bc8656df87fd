// Page tokens that are refused.

import { RangeRequest, type RangeResponse } from "../../../gen/grpc/kvd/v1/kv.js";
import { ListRequest } from "../../../gen/grpc/kvd/v1/lease.js";
import { call } from "../../support/remote-engine.js";
import { type Fixture, serveFixture } from "./fixture.js";
import { refusalOf } from "./refusal.js";
import type { RefusedCall } from "./refused-call.js";

const ALL = { $case: "all", value: true } as const;

/** A token of a listing of all keys by ones. */
async function tokenOf({ clients }: Fixture): Promise<Uint8Array> {
  const request = RangeRequest.create({ selector: ALL, limit: 1n });
  const page = await call<RangeResponse>((done) => clients.kv.range(request, done));
  return page.nextPageToken;
}

const OTHER_LISTINGS: readonly (readonly [what: string, Partial<RangeRequest>])[] = [
  ["another selector", { selector: { $case: "prefix", value: "a" } }],
  ["another order", { order: 2 }],
  ["keys only", { keysOnly: true }],
  ["counting", { countOnly: true }],
  ["a delimiter", { delimiter: "/" }],
  ["another revision", { revision: 4n }],
];

const withToken =
  (change: (token: Buffer) => Uint8Array, fields: Partial<RangeRequest> = {}) =>
  async (fixture: Fixture) => {
    const pageToken = change(Buffer.from(await tokenOf(fixture)));
    const request = RangeRequest.create({ selector: ALL, ...fields, pageToken });
    return refusalOf((done) => fixture.clients.kv.range(request, done));
  };

const flip = (token: Buffer, index: number) => {
  const changed = Buffer.from(token);
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
};

export const PAGE_CALLS: readonly RefusedCall[] = [
  ...OTHER_LISTINGS.map(
    ([what, fields]): RefusedCall => ({
      reason: "PAGE_TOKEN_INVALID",
      place: "unary",
      what: `a page token with ${what}`,
      refuse: withToken((token) => token, fields),
    }),
  ),
  ...(
    [
      ["a byte", () => Buffer.from([1])],
      ["text", () => Buffer.from("not a token")],
      ["a token that is cut short", (token) => token.subarray(0, -1)],
      ["a token with something behind it", (token) => Buffer.concat([token, token])],
      ["a token changed at its first byte", (token) => flip(token, 0)],
      ["a token changed in its middle", (token) => flip(token, token.length >> 1)],
      ["a token changed at its last byte", (token) => flip(token, token.length - 1)],
      ["more than 16 KiB", () => Buffer.alloc(16 * 1024 + 1, 1)],
    ] as [string, (token: Buffer) => Uint8Array][]
  ).map(
    ([what, change]): RefusedCall => ({
      reason: "PAGE_TOKEN_INVALID",
      place: "unary",
      what: `${what} as a page token`,
      refuse: withToken(change),
    }),
  ),
  ...[Buffer.from("x"), Buffer.alloc(9), Buffer.alloc(20_000)].map(
    (pageToken): RefusedCall => ({
      reason: "PAGE_TOKEN_INVALID",
      place: "unary",
      what: `${pageToken.length} bytes as a page token of leases`,
      refuse: ({ clients }) =>
        refusalOf((done) => clients.lease.list(ListRequest.create({ pageToken }), done)),
    }),
  ),
  {
    reason: "STORE_CHANGED",
    place: "unary",
    what: "a page token of another store",
    refuse: async ({ clients }, t) => {
      const pageToken = await tokenOf(await serveFixture(t));
      const request = RangeRequest.create({ selector: ALL, pageToken });
      return refusalOf((done) => clients.kv.range(request, done));
    },
  },
];
