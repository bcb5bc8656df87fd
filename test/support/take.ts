// Taking what watches give: so many events, until a revision, until a condition holds.

import type { Engine, Watcher } from "../../server/kv/engine.js";
import type { Event, WatchMessage, WatchSpec } from "../../server/kv/types.js";
import { ALL, text, watch } from "./commands.js";

export type MessageOf<Kind extends WatchMessage["kind"]> = Extract<WatchMessage, { kind: Kind }>;

/** The next message, which must be of this kind. */
export async function takeOne<Kind extends WatchMessage["kind"]>(
  watcher: Watcher,
  kind: Kind,
): Promise<MessageOf<Kind>> {
  const message = await watcher.next();
  if (message?.kind === kind) return message as MessageOf<Kind>;
  throw new Error(`${kind} is due, ${message?.kind ?? "the end"} came`);
}

/** Opens a watch and takes `created`. */
export async function openWatch(engine: Engine, spec: WatchSpec): Promise<Watcher> {
  const watcher = engine.watch(spec);
  await takeOne(watcher, "created");
  return watcher;
}

/** Events messages until there are at least so many events. */
export async function takeMessages(
  watcher: Watcher,
  count: number,
): Promise<MessageOf<"events">[]> {
  const messages: MessageOf<"events">[] = [];
  for (let taken = 0; taken < count; ) {
    const message = await takeOne(watcher, "events");
    messages.push(message);
    taken += message.events.length;
  }
  return messages;
}

/** Exactly so many events: more in the last message than asked for is an error. */
export async function takeEvents(watcher: Watcher, count: number): Promise<Event[]> {
  const events = (await takeMessages(watcher, count)).flatMap((message) => [...message.events]);
  if (events.length === count) return events;
  throw new Error(`${count} events are due, ${events.length} came`);
}

/** One event as `put a@2` or `delete a@3`. */
export function shown(event: Event): string {
  const key = event.type === "put" ? event.entry.key : event.key;
  return `${event.type} ${text(key)}@${event.revision}`;
}

/** Waits, turn by turn, until it holds. @throws after the deadline. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export async function counterOf(engine: Engine, name: string): Promise<number> {
  const count = (await engine.status()).counters[name];
  if (count === undefined) throw new Error(`there is no counter ${name}`);
  return count;
}

/**
 * All events from a revision up to the newest, with what was before them; 1, or the compact
 * revision, is the lowest.
 */
export async function historyOf(engine: Engine, startRevision: number): Promise<Event[]> {
  const { revision } = await engine.status();
  const events: Event[] = [];
  if (startRevision > revision) return events;
  const watcher = await openWatch(engine, watch(ALL, { startRevision, previous: true }));
  watcher.requestProgress();
  for (;;) {
    const message = await watcher.next();
    if (message?.kind === "events") events.push(...message.events);
    else if (message?.kind === "progress") break;
    else throw new Error(`${message?.kind ?? "the end"} came`);
  }
  watcher.close();
  return events;
}
