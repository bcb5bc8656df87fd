// Row 10: a million keys in pages, beside etcd with pages of the same size.

import { type Bench, type Case, RATE } from "../case.js";
import { fillEtcd, fillKvd } from "../load/fill.js";
import { type ListingPlan, listEtcd, listKvd } from "../load/listing.js";
import { startEtcd } from "../servers/etcd.js";
import { type ServerProcess, shareOf } from "../servers/server-process.js";

const KEYS = 1_000_000;
const PAGE_ROWS = 1000;

interface Listing {
  readonly name: string;
  readonly server: ServerProcess;
  readonly list: (plan: ListingPlan) => Promise<number>;
}

async function measure(bench: Bench, { name, server, list }: Listing): Promise<void> {
  const used = shareOf(server);
  const began = performance.now();
  const keys = await list({ port: server.port, pageRows: PAGE_ROWS });
  if (keys !== KEYS) throw new Error(`${name} listed ${keys} keys of ${KEYS}`);
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
    await bench.inTurn({
      kvd: () => measure(bench, { name: "kvd", server: kvd, list: listKvd }),
      etcd: etcd && (() => measure(bench, { name: "etcd", server: etcd, list: listEtcd })),
    });
  },
};
