// Observe: the present leader of an election, then each that follows, and each change of what it
// proclaims.
//
// A leader that comes and goes while another one leads is never seen: it did not lead.

import type { LeaderRequest, LeaderResponse } from "../../gen/grpc/etcd/election.js";
import type { Decoded } from "../grpc/codec.js";
import { servePaced } from "../grpc/paced-stream.js";
import type { AnsweringCall } from "../grpc/service.js";
import type { Engine } from "../kv/engine.js";
import { type Entry, entryBytes, type Revision } from "../kv/types.js";
import type { EtcdContext } from "./context.js";
import { eventsFrom } from "./key-events.js";
import { keyValue } from "./messages.js";
import { signalOf } from "./waiting-call.js";
import { WaitingLine } from "./waiting-line.js";

export type ObserveCall = AnsweringCall<Decoded<LeaderRequest>, LeaderResponse>;

interface Leading {
  readonly revision: Revision;
  readonly entry: Entry;
}

/** Runs until the call is over or the server stops. */
export function serveObserve(call: ObserveCall, context: EtcdContext): Promise<void> {
  const { engine, identity, streams } = context;
  const signal = signalOf(call, streams);
  const messages = async function* ({ name }: LeaderRequest) {
    for await (const { revision, entry } of leaders(engine, name, signal)) {
      const message = { header: identity.header(revision), kv: keyValue(entry) };
      yield { message, bytes: entryBytes(entry) };
    }
  };
  return servePaced(call, messages, { ...context, signal });
}

async function* leaders(
  engine: Engine,
  name: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Leading> {
  const line = new WaitingLine(engine, name);
  let told: Revision = 0;
  for (;;) {
    const { revision, entry } = await line.holder();
    const leading = entry ? { revision, entry } : await firstPut(engine, line, revision, signal);
    if (leading === undefined) continue;
    if (leading.entry.modRevision !== told) yield leading;
    told = leading.entry.modRevision;
    for await (const change of changes(engine, leading, signal)) {
      yield change;
      told = change.revision;
    }
  }
}

/** Who leads where nobody did; undefined when that has to be looked up anew. */
async function firstPut(
  engine: Engine,
  { prefix }: WaitingLine,
  seenRevision: Revision,
  signal: AbortSignal,
): Promise<Leading | undefined> {
  const query = { selector: { kind: "prefix", prefix }, startRevision: seenRevision + 1 } as const;
  for await (const event of eventsFrom(engine, query, signal)) {
    if (event.type === "put") return { revision: event.revision, entry: event.entry };
  }
  return undefined;
}

/** What a leader proclaims after that, until it leads no more. */
async function* changes(
  engine: Engine,
  { revision, entry }: Leading,
  signal: AbortSignal,
): AsyncGenerator<Leading> {
  const selector = { kind: "key", key: entry.key } as const;
  for await (const event of eventsFrom(engine, { selector, startRevision: revision + 1 }, signal)) {
    if (event.type === "delete") return;
    yield { revision: event.revision, entry: event.entry };
  }
}
