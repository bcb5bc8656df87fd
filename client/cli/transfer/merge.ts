// Two listings in the order of their keys' bytes, side by side: what is in one, in the other, in
// both. One row of each is held.

import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { lineText } from "../terminal-text.js";

export interface Keyed {
  readonly key: Uint8Array;
}

export interface Pair<L, R> {
  /** Undefined: the key is in the other one alone. */
  readonly left: L | undefined;
  readonly right: R | undefined;
}

/** @throws Failure when one of them is not in order. */
export async function* merged<L extends Keyed, R extends Keyed>(
  left: AsyncIterable<L>,
  right: AsyncIterable<R>,
): AsyncGenerator<Pair<L, R>> {
  const lefts = new InOrder(left);
  const rights = new InOrder(right);
  try {
    let one: L | undefined;
    let other: R | undefined;
    await Promise.all([
      lefts.next().then((row) => {
        one = row;
      }),
      rights.next().then((row) => {
        other = row;
      }),
    ]);
    while (one !== undefined || other !== undefined) {
      const order = orderOf(one, other);
      yield { left: order <= 0 ? one : undefined, right: order >= 0 ? other : undefined };
      if (order <= 0) one = await lefts.next();
      if (order >= 0) other = await rights.next();
    }
  } finally {
    await Promise.all([lefts.end(), rights.end()]);
  }
}

/** What is not there comes last. */
function orderOf(one: Keyed | undefined, other: Keyed | undefined): number {
  if (one === undefined) return 1;
  return other === undefined ? -1 : Buffer.compare(one.key, other.key);
}

class InOrder<T extends Keyed> {
  readonly #rows: AsyncIterator<T>;
  #previous: T | undefined;

  constructor(rows: AsyncIterable<T>) {
    this.#rows = rows[Symbol.asyncIterator]();
  }

  async next(): Promise<T | undefined> {
    const next = await this.#rows.next();
    if (next.done === true) return undefined;
    const previous = this.#previous;
    if (previous !== undefined && Buffer.compare(previous.key, next.value.key) >= 0) {
      const text = `a listing is not in order at ${lineText(next.value.key)}`;
      throw new Failure(EXIT.internal, text);
    }
    this.#previous = next.value;
    return next.value;
  }

  async end(): Promise<void> {
    await this.#rows.return?.();
  }
}
