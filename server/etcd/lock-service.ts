// etcd's lock service: a mutex that the server waits for on its caller's behalf.
//
// What a caller holds is a key; it is his until the key is deleted or its lease ends. Deeds that
// need the lock should compare that key's create revision, in a txn: a lease can end unnoticed.

import { Lock } from "../../gen/es/etcd/lock_pb.js";
import {
  LockRequest,
  LockResponse,
  LockService,
  UnlockRequest,
  UnlockResponse,
} from "../../gen/grpc/etcd/lock.js";
import { methodOptions, servedMethod } from "../grpc/codec.js";
import { unary } from "../grpc/handlers.js";
import type { Handlers } from "../grpc/service.js";
import type { Limits } from "../kv/limits.js";
import type { EtcdContext } from "./context.js";
import { refusals, unknown } from "./status.js";
import { waitingUnary, withoutCode } from "./waiting-call.js";
import { deleteCommand, WaitingLine } from "./waiting-line.js";

/** Methods that answer when they can, however long that takes. */
export const LOCK_WAITS = ["lock"];

export function lockDefinition(limits: Limits) {
  const generated = LockService;
  const input = Lock.method;
  const with_ = methodOptions(limits.etcdRequestMaxBytes);
  return {
    lock: servedMethod(generated.lock, with_(input.lock.input, LockRequest, LockResponse)),
    unlock: servedMethod(
      generated.unlock,
      with_(input.unlock.input, UnlockRequest, UnlockResponse),
    ),
  };
}

export function lockHandlers(context: EtcdContext): Handlers {
  const { engine, identity, streams } = context;
  const statusOf = withoutCode(context.statusOf);
  const expired = () => unknown("mutex: session is expired");
  return {
    lock: waitingUnary(
      { statusOf, streams },
      async ({ name, lease: leaseId }: LockRequest, signal): Promise<LockResponse> => {
        const entrant = { leaseId, value: new Uint8Array(0), expired };
        const { key, revision } = await new WaitingLine(engine, name).turn(entrant, signal);
        return { header: identity.header(revision), key };
      },
    ),
    unlock: unary(statusOf, async ({ key }: UnlockRequest): Promise<UnlockResponse> => {
      if (key.length === 0) throw refusals.emptyKey();
      const { revision } = await engine.delete(deleteCommand(key));
      return { header: identity.header(revision) };
    }),
  };
}
