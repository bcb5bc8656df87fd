// Single calls that wait to be sent, in the order in which they were made, and the cutting of
// messages from them.
//
// A get that is equal to one that waits already joins it, unless a write of its key was made in
// between. What nobody waits for any more is left out.

import { FRAMING_MAX_BYTES } from "./pipeline-message.js";
import { Single, type SingleOptions } from "./single.js";

/**
 * The bounds of a message, well below those of the contract (16,384 operations, 4 MiB): larger ones
 * win nothing, and the first answers come sooner. One operation may be larger by itself.
 */
const OPERATIONS_MAX = 1_000;
const MESSAGE_MAX_BYTES = 256 * 1024;

export class SingleQueue {
  #waiting: Single[] = [];
  /** Gets that wait, by what makes them equal: of what is, and of what was at some revision. */
  readonly #gets = new Map<string, Single>();
  readonly #getsThen = new Map<string, Single>();
  #operationsMax = OPERATIONS_MAX;
  #messageMaxBytes = MESSAGE_MAX_BYTES;

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  /** The call, or the equal get that waits already. `getKey`: see getKeyOf. */
  add(options: SingleOptions, getKey: string | undefined): Single {
    const gets = options.readsNow ? this.#gets : this.#getsThen;
    const equal = getKey === undefined ? undefined : gets.get(getKey);
    if (equal !== undefined) return equal;
    const single = new Single(options);
    this.#waiting.push(single);
    if (getKey !== undefined) gets.set(getKey, single);
    else if (!single.reads) this.#forgetGetsOf(single.keyText);
    return single;
  }

  /**
   * Takes the next message; none when it would have to wait. Gets alone are answered from what is
   * durable, and so might miss a write that was made before them and is `unanswered`; together with
   * a write they see all that was done.
   */
  take(unanswered: ReadonlyMap<string, number>): readonly Single[] {
    this.#forgetGets();
    const taken: Single[] = [];
    let bytes = 0;
    let writes = false;
    let at = 0;
    let waits: { readonly at: number; readonly count: number } | undefined;
    for (; at < this.#waiting.length; at += 1) {
      const single = this.#waiting[at] as Single;
      if (single.over) continue;
      const size = single.bytes.length + FRAMING_MAX_BYTES;
      if (taken.length > 0 && this.#endsBefore(single, { count: taken.length, bytes, size })) break;
      if (!single.reads) writes = true;
      else if (mightMiss(single, unanswered)) waits ??= { at, count: taken.length };
      taken.push(single);
      bytes += size;
    }
    if (waits !== undefined && !writes) {
      at = waits.at;
      taken.length = waits.count;
    }
    this.#waiting.splice(0, at);
    return taken;
  }

  /** Puts back what was taken and has to be sent again, before everything else. */
  putBack(singles: readonly Single[]): void {
    this.#waiting = [...singles, ...this.#waiting];
  }

  /** The server takes less in a message than was sent. */
  shrink(operations: number): void {
    this.#operationsMax = Math.max(1, Math.min(this.#operationsMax, Math.floor(operations / 2)));
    this.#messageMaxBytes = Math.max(1, Math.floor(this.#messageMaxBytes / 2));
  }

  /** Everything that waits. */
  takeAll(): readonly Single[] {
    this.#forgetGets();
    return this.#waiting.splice(0);
  }

  /** Forgets what nobody waits for. */
  prune(): void {
    this.#forgetGets();
    this.#waiting = this.#waiting.filter((single) => !single.over);
  }

  /** Behind a write of the key; a revision that is to come may be that of any write. */
  #forgetGetsOf(keyText: string): void {
    this.#gets.delete(getKeyOf(keyText, 0n));
    this.#getsThen.clear();
  }

  #forgetGets(): void {
    this.#gets.clear();
    this.#getsThen.clear();
  }

  #endsBefore(
    single: Single,
    message: { readonly count: number; readonly bytes: number; readonly size: number },
  ): boolean {
    if (single.returnsPrevious || message.count >= this.#operationsMax) return true;
    return message.bytes + message.size > this.#messageMaxBytes;
  }
}

/** Whether a get has to see what is not answered yet; a revision may be that of any write. */
function mightMiss(single: Single, unanswered: ReadonlyMap<string, number>): boolean {
  return single.readsNow ? unanswered.has(single.keyText) : unanswered.size > 0;
}

/** What makes two gets of keys that are text equal; no revision has a space in it. */
export function getKeyOf(keyText: string, revision: bigint): string {
  return revision === 0n ? keyText : `${revision} ${keyText}`;
}
