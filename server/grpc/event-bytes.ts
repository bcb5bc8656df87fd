// Events as bytes of one encoding, made once for all the watches that give them.
//
// The bytes of an event live as long as the event, which lives in the queues of watches. Watches of
// the same events give the same list, one after the other: the last list is kept in one piece, up
// to a bound.

import type { Event } from "../kv/types.js";

/** A longer list is not kept. */
const KEPT_MAX_BYTES = 256 * 1024;

export class EventBytes {
  readonly #encode: (event: Event) => Uint8Array;
  readonly #ofEvent = new WeakMap<Event, Uint8Array>();
  #lastEvents: readonly Event[] = [];
  #lastBytes: Uint8Array = new Uint8Array(0);

  /** `encode` makes the whole field of an event: its tag, its length, its message. */
  constructor(encode: (event: Event) => Uint8Array) {
    this.#encode = encode;
  }

  /** The fields of all events; the same array for the same events, when they come in a row. */
  join(events: readonly Event[]): Uint8Array {
    if (areSame(events, this.#lastEvents)) return this.#lastBytes;
    const joined = Buffer.concat(events.map((event) => this.#fieldOf(event)));
    if (joined.length <= KEPT_MAX_BYTES) {
      this.#lastEvents = events;
      this.#lastBytes = joined;
    }
    return joined;
  }

  #fieldOf(event: Event): Uint8Array {
    const known = this.#ofEvent.get(event);
    if (known !== undefined) return known;
    const field = this.#encode(event);
    this.#ofEvent.set(event, field);
    return field;
  }
}

function areSame(some: readonly Event[], others: readonly Event[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index += 1) {
    if (some[index] !== others[index]) return false;
  }
  return true;
}
