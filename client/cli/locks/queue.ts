// The queue of a lock or an election: keys NAME/LEASE, the lease in hex, each attached to that
// lease. Whose key was created first has it; each of the others waits for the key right before its
// own, so that an end wakes one and not all.
//
// This is the layout of etcd's clients and of its lock and election services, so those of the same
// name wait for each other. Keys below NAME/ that are none of a lease are somebody else's.

import type { Entry, Kvd } from "../../index.js";
import { isClientError } from "../error-text.js";
import { passes, patiently, pause } from "./patience.js";

const SLASH = 0x2f;
const LEASE = /^-?[0-9a-f]{1,16}$/;
const PAUSE_MS = 300;

/** A key, told apart from later ones of the same name. */
export type Place = Pick<Entry, "keyBytes" | "createRevision">;

export class LockQueue {
  readonly prefix: Uint8Array;
  readonly #kv: Kvd;

  constructor(kv: Kvd, name: Uint8Array) {
    this.#kv = kv;
    this.prefix = Buffer.concat([name, Buffer.of(SLASH)]);
  }

  keyOf(leaseId: bigint): Uint8Array {
    return Buffer.concat([this.prefix, Buffer.from(leaseId.toString(16))]);
  }

  has(keyBytes: Uint8Array): boolean {
    const rest = Buffer.from(keyBytes).subarray(this.prefix.length);
    return LEASE.test(rest.toString("latin1"));
  }

  /** All that are in it, the first one first. */
  async members(options: {
    readonly keysOnly: boolean;
    readonly signal: AbortSignal;
  }): Promise<Entry[]> {
    const members: Entry[] = [];
    for await (const entry of this.#kv.entries({ prefix: this.prefix }, options)) {
      if (this.has(entry.keyBytes)) members.push(entry);
    }
    return members.sort((one, other) => one.createRevision - other.createRevision);
  }

  /** Those that are before it, the first one first, without values. */
  async before({ createRevision }: Place, signal: AbortSignal): Promise<Entry[]> {
    const members = await patiently(() => this.members({ keysOnly: true, signal }), signal);
    return (members ?? []).filter((member) => member.createRevision < createRevision);
  }

  /** Returns when the key is gone, or is a later one, or the signal is aborted. @throws */
  async absence({ keyBytes: key, createRevision }: Place, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const range = () => this.#kv.range({ key }, { keysOnly: true, signal });
      const now = await patiently(range, signal);
      if (now?.entries[0]?.createRevision !== createRevision) return;
      if (await this.#deletion(key, now.revision + 1, signal)) return;
    }
  }

  /** False when it has to be looked at again. */
  async #deletion(key: Uint8Array, startRevision: number, signal: AbortSignal): Promise<boolean> {
    const options = { startRevision, exclude: ["put"] as const, resume: true, signal };
    try {
      for await (const _ of this.#kv.watch({ key }, options)) return true;
      return signal.aborted;
    } catch (error) {
      const again = isClientError(error) && error.reason === "REVISION_COMPACTED";
      if (!again && !passes(error)) throw error;
      await pause(PAUSE_MS, signal);
      return false;
    }
  }
}
