// Channels for watches alone, so that any number of them cannot starve calls, or each other: a
// connection carries a bounded number of streams (250 by default on the server), and one more would
// wait without a word.

import type { Client } from "@grpc/grpc-js";

/** What RFC 9113 asks every server to allow at least. */
const WATCHES_PER_CHANNEL = 100;

interface WatchChannel {
  readonly client: Client;
  watches: number;
}

export class WatchChannels {
  readonly #open: () => Client;
  readonly #channels: WatchChannel[] = [];

  constructor(open: () => Client) {
    this.#open = open;
  }

  /** A channel with room for one more watch; release() gives the room back, once. */
  acquire(): { readonly client: Client; release(): void } {
    const channel = this.#channels.find(({ watches }) => watches < WATCHES_PER_CHANNEL);
    const chosen = channel ?? { client: this.#open(), watches: 0 };
    if (channel === undefined) this.#channels.push(chosen);
    chosen.watches += 1;
    return { client: chosen.client, release: () => this.#release(chosen) };
  }

  close(): void {
    for (const { client } of this.#channels.splice(0)) client.close();
  }

  /** One channel stays for the next watch; others go with their last one. */
  #release(channel: WatchChannel): void {
    channel.watches -= 1;
    if (channel.watches > 0 || this.#channels.length <= 1) return;
    const index = this.#channels.indexOf(channel);
    if (index < 0) return;
    this.#channels.splice(index, 1);
    channel.client.close();
  }
}
