// Row 10: a million keys in pages, beside etcd with pages of the same size: all of kvd's, and of
// etcd's so many, evenly spread, as tell what a page costs.

import { type Bench, type Case, RATE } from "../case.js";
import { keyAt } from "../fixtures.js";
import { fillEtcd, fillKvd } from "../load/fill.js";
import { type ListingPlan, listKvd, pagesOfEtcd } from "../load/listing.js";
import { startEtcd } from "../servers/etcd.js";
import { type ServerProcess, shareOf } from "../servers/server-process.js";

const KEYS = 1_000_000;
const PAGE_ROWS = 1000;
const SAMPLES = 20;
const SAMPLED_KEYS = Array.from({ length: SAMPLES }, (_, at) => keyAt((at * KEYS) / SAMPLES));

interface Listing {
  readonly name: string;
  readonly server: ServerProcess;
  readonly expected: number;
  readonly list: (plan: ListingPlan) => Promise<number>;
}

async function measure(bench: Bench, { name, server, expected, list }: Listing): Promise<void> {
  const used = shareOf(server);
  const began = performance.now();
  const keys = await list({ port: server.port, pageRows: PAGE_ROWS });
  if (keys !== expected) throw new Error(`${name} listed ${keys} keys of ${expected}`);
  const seconds = (performance.now() - began) / 1000;
  bench.record(`${name}, keys listed`, RATE, keys / seconds, { server: used() });
}

export const listingCase: Case = {
  name: "listing",
  about: `1 million keys with their values, in pages of ${PAGE_ROWS}`,
  goals: [
    {
      row: 10,
      text: "keys listed, of etcd's",
      over: "kvd, keys listed",
      under: "etcd, keys listed",
      bound: { atLeast: 2 },
    },
  ],
  async run(bench) {
    const kvd = await bench.kvd();
    await fillKvd(kvd.port, KEYS);
    const etcd = bench.has("etcd") ? await bench.use(startEtcd(bench.path("etcd"))) : undefined;
    if (etcd !== undefined) await fillEtcd(etcd.port, KEYS);
    const pages = (plan: ListingPlan) => pagesOfEtcd(plan, SAMPLED_KEYS);
    await bench.inTurn({
      kvd: () => measure(bench, { name: "kvd", server: kvd, expected: KEYS, list: listKvd }),
      etcd:
        etcd &&
        (() => {
          const expected = SAMPLED_KEYS.length * PAGE_ROWS;
          return measure(bench, { name: "etcd", server: etcd, expected, list: pages });
        }),
    });
  },
};
