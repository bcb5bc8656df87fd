// What tests do to a store and to the model alike, and what comes of it in a few words.

import type { Engine } from "../../server/kv/engine.js";
import { KvdError } from "../../server/kv/errors.js";
import type { DeleteCommand, PutCommand, TxnCommand } from "../../server/kv/types.js";
import { TXN_OPTIONS } from "./commands.js";
import type { Model } from "./model.js";

export type Act =
  | { readonly kind: "put"; readonly put: PutCommand }
  | { readonly kind: "delete"; readonly delete: DeleteCommand }
  | { readonly kind: "txn"; readonly txn: TxnCommand }
  | { readonly kind: "grant"; readonly id: bigint; readonly ttlMs: number }
  | { readonly kind: "keepAlive" | "revoke"; readonly id: bigint }
  | { readonly kind: "compact"; readonly revision: number };

/** Applied in this turn; the answer comes when it is durable. */
export async function answerOfEngine(engine: Engine, act: Act): Promise<string> {
  try {
    return await applyToEngine(engine, act);
  } catch (error) {
    return refusalOf(error);
  }
}

export function answerOfModel(model: Model, act: Act): string {
  try {
    return applyToModel(model, act);
  } catch (error) {
    return refusalOf(error);
  }
}

async function applyToEngine(engine: Engine, act: Act): Promise<string> {
  switch (act.kind) {
    case "put":
      return `put at ${(await engine.put(act.put)).revision}`;
    case "delete": {
      const { deleted, revision } = await engine.delete(act.delete);
      return `deleted ${deleted} at ${revision}`;
    }
    case "txn": {
      const { succeeded, revision } = await engine.txn(act.txn, TXN_OPTIONS);
      return `txn ${succeeded} at ${revision}`;
    }
    case "grant":
      return `lease ${(await engine.grant(act)).id}`;
    case "keepAlive":
      return `renewed to ${(await engine.keepAlive(act)).ttlMs}`;
    case "revoke":
      return `revoked with ${(await engine.revoke(act)).deleted}`;
    case "compact":
      return `compacted at ${(await engine.compact(act)).compactRevision}`;
  }
}

function applyToModel(model: Model, act: Act): string {
  switch (act.kind) {
    case "put":
      return `put at ${model.put(act.put).revision}`;
    case "delete": {
      const { deleted, revision } = model.delete(act.delete);
      return `deleted ${deleted} at ${revision}`;
    }
    case "txn": {
      const { succeeded, revision } = model.txn(act.txn) as {
        succeeded: boolean;
        revision: number;
      };
      return `txn ${succeeded} at ${revision}`;
    }
    case "grant":
      return `lease ${model.grant(act)}`;
    case "keepAlive":
      return `renewed to ${model.keepAlive(act.id)}`;
    case "revoke":
      return `revoked with ${model.revoke(act.id)}`;
    case "compact":
      model.compact(act.revision);
      return `compacted at ${act.revision}`;
  }
}

function refusalOf(error: unknown): string {
  if (error instanceof KvdError) return error.reason;
  throw error;
}
