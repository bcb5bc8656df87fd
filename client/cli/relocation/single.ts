// Moves or copies one key, as it is when it happens.

import type { KeyLike, Kvd } from "../../index.js";
import { type RetryOptions, untilUnchanged } from "../conflicts.js";
import { isClientError } from "../error-text.js";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { NoSuchKey, quotedKey } from "../key-argument.js";
import { type RelocationKind, relocationTxn } from "./plan.js";

/** What is asked of the connection. */
export type Store = Pick<Kvd, "get" | "range" | "txn">;

/** The revision. @throws Failure when there is no original, or the target is in the way. */
export function relocateKey(
  kv: Store,
  { from, to }: { readonly from: KeyLike; readonly to: KeyLike },
  options: RelocationKind & RetryOptions,
): Promise<number> {
  const { signal } = options;
  return untilUnchanged(quotedKey(from), options, async () => {
    const entry = await kv.get(from, { signal });
    if (entry === undefined) throw new NoSuchKey(from);
    if (!options.force && (await kv.get(to, { signal })) !== undefined) throw inTheWay(to);
    try {
      const spec = relocationTxn([{ entry, target: to }], options);
      const { succeeded, revision } = await kv.txn(spec, { signal });
      return succeeded ? revision : undefined;
    } catch (error) {
      // It ended since, and the key with it.
      if (isClientError(error) && error.reason === "LEASE_NOT_FOUND") return undefined;
      throw error;
    }
  });
}

export function inTheWay(key: KeyLike): Failure {
  return new Failure(EXIT.negative, `${quotedKey(key)} is there already; --force writes over it`);
}
