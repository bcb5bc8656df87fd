// Whether a txn may put and delete one key, and etcd lets it: it looks for that in the order in
// which it collects, and so finds some and not others. A txn that changes a key twice in one
// revision is not something that kvd's store can hold: it refuses all of them.

import type { DeleteRangeRequest, RequestOp, TxnRequest } from "../../../gen/grpc/etcd/rpc.js";

interface Changes {
  readonly puts: Set<string>;
  readonly deletes: DeleteRangeRequest[];
}

/** True if etcd would do it and one of its branches may change a key twice. */
export function slipsThrough(txn: TxnRequest): boolean {
  return [txn.success, txn.failure].some(overlaps) && !isRefused(txn);
}

export function isRefused(txn: TxnRequest): boolean {
  return collected(txn.success) === undefined || collected(txn.failure) === undefined;
}

/** Whether one branch may put a key and delete it: two branches of one txn never both run. */
function overlaps(operations: readonly RequestOp[]): boolean {
  const changes = operations.map((operation) => changesOf([operation]));
  return operations.some(({ request }, at) => {
    const mine = changes[at] as Changes;
    const meets = changes.some(({ deletes }, other) => other !== at && anyCovered(mine, deletes));
    const inner = request?.$case === "requestTxn" ? request.value : undefined;
    return meets || (inner !== undefined && (overlaps(inner.success) || overlaps(inner.failure)));
  });
}

function anyCovered({ puts }: Changes, deletes: readonly DeleteRangeRequest[]): boolean {
  return [...puts].some((key) => deletes.some((one) => covers(one, key)));
}

/** However deep. */
function changesOf(operations: readonly RequestOp[]): Changes {
  const puts = new Set<string>();
  const deletes: DeleteRangeRequest[] = [];
  for (const { request } of operations) {
    if (request?.$case === "requestPut") puts.add(text(request.value.key));
    if (request?.$case === "requestDeleteRange") deletes.push(request.value);
    if (request?.$case !== "requestTxn") continue;
    for (const inner of [request.value.success, request.value.failure].map(changesOf)) {
      for (const key of inner.puts) puts.add(key);
      deletes.push(...inner.deletes);
    }
  }
  return { puts, deletes };
}

/** As etcd collects; undefined when it finds something. */
function collected(operations: readonly RequestOp[]): Changes | undefined {
  const puts = new Set<string>();
  const deletes = operations.flatMap(({ request }) =>
    request?.$case === "requestDeleteRange" ? [request.value] : [],
  );
  const clashes = (key: string) => deletes.some((one) => isFoundIn(one, key));
  for (const { request } of operations) {
    if (request?.$case !== "requestTxn") continue;
    const [success, failure] = [request.value.success, request.value.failure].map(collected);
    if (success === undefined || failure === undefined) return undefined;
    deletes.push(...success.deletes);
    for (const key of success.puts) {
      if (puts.has(key) || clashes(key)) return undefined;
      puts.add(key);
    }
    deletes.push(...failure.deletes);
    for (const key of failure.puts) {
      if ((puts.has(key) && !success.puts.has(key)) || clashes(key)) return undefined;
      puts.add(key);
    }
  }
  for (const { request } of operations) {
    if (request?.$case !== "requestPut") continue;
    const key = text(request.value.key);
    if (puts.has(key) || clashes(key)) return undefined;
    puts.add(key);
  }
  return { puts, deletes };
}

/** What a delete deletes. */
function covers({ key, rangeEnd }: DeleteRangeRequest, put: string): boolean {
  const [start, end] = [text(key), text(rangeEnd)];
  if (end === "") return put === start;
  return put >= start && (end === "\0" || put < end);
}

/** What etcd finds: it does not know its way in ranges whose end is not above the key. */
function isFoundIn({ key, rangeEnd }: DeleteRangeRequest, put: string): boolean {
  const [start, end] = [text(key), text(rangeEnd)];
  if (end === "") return put === start;
  return put >= start && put < end;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
