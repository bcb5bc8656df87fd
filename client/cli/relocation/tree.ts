// Moves or copies all keys of a prefix, in txns of a few hundred keys each.
//
// They are those of one revision. Before anything is written, all targets are looked at, so that a
// key that is in the way is told while nothing has happened. A txn that does not hold (somebody
// changed one of its keys) is done key by key, each as it then is.

import type { Entry, KeyLike } from "../../index.js";
import type { RetryOptions } from "../conflicts.js";
import { isClientError } from "../error-text.js";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { keyBytesOf, NoSuchKey } from "../key-argument.js";
import { pages } from "../listing.js";
import {
  inTxns,
  isAbsent,
  type RelocationKind,
  relocationTxn,
  STEPS_PER_TXN,
  type Step,
} from "./plan.js";
import { inTheWay, relocateKey, type Store } from "./single.js";

export interface Tree {
  readonly from: KeyLike;
  readonly to: KeyLike;
}

export interface Relocated {
  readonly keys: number;
  /** Of the last txn. */
  readonly revision: number;
}

type Options = RelocationKind & RetryOptions;

/** @throws Failure; of exit code 8 when a part was done before. */
export async function relocateTree(kv: Store, tree: Tree, options: Options): Promise<Relocated> {
  const { signal } = options;
  if (!options.force) await checkTargets(kv, tree, signal);
  const done: Tally = { keys: 0, revision: 0 };
  try {
    for await (const page of pages(kv, listingOf(tree, signal, false))) {
      for (const steps of inTxns(stepsOf(page.entries, tree))) {
        await relocateSteps(kv, steps, { options, done });
      }
    }
  } catch (error) {
    if (done.keys === 0 || !(error instanceof Error) || signal.aborted) throw error;
    const count = done.keys === 1 ? "1 key was" : `${done.keys} keys were`;
    const text = `${error.message}; ${count} done before that, up to revision ${done.revision}`;
    throw new Failure(EXIT.partial, text, { cause: error });
  }
  return done;
}

/** What is done so far. */
type Tally = { -readonly [name in keyof Relocated]: Relocated[name] };

function listingOf({ from }: Tree, signal: AbortSignal, keysOnly: boolean) {
  const options = { signal, ...(keysOnly ? { keysOnly } : {}) };
  return { selector: { prefix: from }, options, limit: 0 };
}

function* stepsOf(entries: readonly Entry[], { from, to }: Tree): Generator<Step> {
  const cut = keyBytesOf(from).length;
  const prefix = keyBytesOf(to);
  for (const entry of entries) {
    yield { entry, target: Buffer.concat([prefix, entry.keyBytes.subarray(cut)]) };
  }
}

async function relocateSteps(
  kv: Store,
  steps: readonly Step[],
  { options, done }: { readonly options: Options; readonly done: Tally },
): Promise<void> {
  const { signal } = options;
  const result = await kv.txn(relocationTxn(steps, options), { signal }).catch((error: unknown) => {
    if (isClientError(error) && error.reason === "LEASE_NOT_FOUND") return undefined;
    throw error;
  });
  if (result?.succeeded === true) {
    done.keys += steps.length;
    done.revision = result.revision;
    return;
  }
  for (const { entry, target } of steps) {
    try {
      done.revision = await relocateKey(kv, { from: entry.keyBytes, to: target }, options);
      done.keys += 1;
    } catch (error) {
      // What was deleted meanwhile is not there to be moved.
      if (!(error instanceof NoSuchKey)) throw error;
    }
  }
}

async function checkTargets(kv: Store, tree: Tree, signal: AbortSignal): Promise<void> {
  for await (const page of pages(kv, listingOf(tree, signal, true))) {
    const steps = [...stepsOf(page.entries, tree)];
    for (let at = 0; at < steps.length; at += STEPS_PER_TXN) {
      const targets = steps.slice(at, at + STEPS_PER_TXN).map(({ target }) => target);
      const { succeeded } = await kv.txn({ compare: targets.map(isAbsent) }, { signal });
      if (succeeded) continue;
      for (const target of targets) {
        if ((await kv.get(target, { signal })) !== undefined) throw inTheWay(target);
      }
    }
  }
}
