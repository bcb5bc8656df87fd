// Which error of a txn is told. etcd looks at all puts that would run before it looks at what is
// read; the engine tells the first that fails in the order of the operations.

import type { Engine } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import type { Operation, TxnCommand, TxnOptions, TxnResult } from "../kv/types.js";

/** @throws KvdError the one that etcd would tell. */
export async function runTxn(
  engine: Engine,
  command: TxnCommand,
  options: TxnOptions,
): Promise<TxnResult> {
  try {
    return await engine.txn(command, options);
  } catch (error) {
    if (isOfRead(error)) await refusePuts(engine, command, options);
    throw error;
  }
}

function isOfRead(error: unknown): boolean {
  if (!(error instanceof KvdError)) return false;
  return error.reason === "REVISION_FUTURE" || error.reason === "REVISION_COMPACTED";
}

/** Throws what is wrong with a put of the branches that run; nothing is changed. */
async function refusePuts(engine: Engine, command: TxnCommand, options: TxnOptions): Promise<void> {
  const rehearsal = withPutsOnly(command);
  const ends = { success: [...rehearsal.success, FAILS], failure: [...rehearsal.failure, FAILS] };
  try {
    await engine.txn({ ...rehearsal, ...ends }, options);
  } catch (error) {
    if (!isOfRead(error)) throw error;
  }
}

function withPutsOnly({ compares, success, failure }: TxnCommand): TxnCommand {
  return { compares, success: success.flatMap(putsOf), failure: failure.flatMap(putsOf) };
}

function putsOf(operation: Operation): Operation[] {
  if (operation.kind === "put") return [operation];
  if (operation.kind === "txn") return [{ kind: "txn", txn: withPutsOnly(operation.txn) }];
  return [];
}

/** Of a revision that never comes. */
const FAILS: Operation = {
  kind: "get",
  get: { key: new Uint8Array(1), revision: Number.MAX_SAFE_INTEGER },
};
