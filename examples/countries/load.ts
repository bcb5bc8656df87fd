// The countries of the world in kvd: loads them, reads one back, lists some, watches a change, and
// makes two that belong together. Tells what it does.
//
//   npm start                                     (in one terminal)
//   node dist/examples/countries/load.js          (in another; an address may follow)
//
// In a program of your own it is `import { connect } from "kvd-grpc"`.

import process from "node:process";
import { countries } from "countries-list";
import { compare, connect, get, json, type Kvd, put } from "../../client/index.js";

interface Profile {
  readonly name: string;
  readonly capital: string;
  readonly continent: string;
}

const PREFIX = "country:";

await main(process.argv[2] ?? "127.0.0.1:7856");

async function main(address: string): Promise<void> {
  await using kv = connect(address);
  await kv.ready();
  await load(kv);
  await readOne(kv);
  await listSome(kv);
  await watchAChange(kv);
  await moveTheCapital(kv);
}

/** Many independent writes in one message; each is a revision of its own. */
async function load(kv: Kvd): Promise<void> {
  const profiles = Object.entries(countries);
  const puts = profiles.map(([code, profile]) => put(PREFIX + code, json({ code, ...profile })));
  const { revision, results } = await kv.batch(puts);
  const failed = results.filter(({ kind }) => kind === "failure");
  say(`loaded ${results.length - failed.length} countries, revision ${revision}`);
}

async function readOne(kv: Kvd): Promise<void> {
  const entry = await kv.get(`${PREFIX}KE`);
  if (entry === undefined) throw new Error("Kenya is missing");
  const { name, capital } = entry.json() as Profile;
  say(`${entry.key} is ${name}, its capital is ${capital}`);
}

/** A range is half-open: from K on, up to but without L. Pages come by themselves. */
async function listSome(kv: Kvd): Promise<void> {
  const keys: string[] = [];
  const interval = { start: `${PREFIX}K`, end: `${PREFIX}L` };
  for await (const { key } of kv.entries(interval, { keysOnly: true })) keys.push(key);
  say(`with K: ${keys.join(" ")}`);
  const { count } = await kv.count({ prefix: PREFIX });
  say(`in all: ${count}`);
}

/** What happens after the watch was opened is not missed, whenever it is looked at. */
async function watchAChange(kv: Kvd): Promise<void> {
  const watch = kv.watch({ prefix: PREFIX }, { previous: true });
  await watch.ready();
  const key = `${PREFIX}KE`;
  const before = (await kv.get(key))?.json() as Profile;
  await kv.put(key, json({ ...before, capital: "Mombasa" }));
  for await (const event of watch) {
    if (event.type !== "put") continue;
    const was = event.previous?.json() as Profile;
    const is = event.entry.json() as Profile;
    say(`watched ${event.key}: ${was.capital} became ${is.capital}, revision ${event.revision}`);
    break;
  }
}

/** Two changes that belong together, only if nobody was faster. */
async function moveTheCapital(kv: Kvd): Promise<void> {
  const key = `${PREFIX}KE`;
  const entry = await kv.get(key);
  if (entry === undefined) throw new Error("Kenya is missing");
  const profile = { ...(entry.json() as Profile), capital: "Nairobi" };
  const move = {
    compare: [compare.modRevision(key, "=", entry.modRevision)],
    success: [put(key, json(profile)), put("capital:KE", "Nairobi")],
    failure: [get(key)],
  };
  const first = await kv.txn(move);
  say(`moved it back: ${first.succeeded}, revision ${first.revision}`);
  const second = await kv.txn(move);
  say(`and again: ${second.succeeded}, because it has changed since`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
