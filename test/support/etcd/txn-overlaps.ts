// Whether a txn may change one key twice. kvd's store holds one change of a key in a revision, so
// kvd refuses all that could. etcd looks for them in the order in which it collects, and misses a
// put of one nested txn that a later one deletes; ranges whose end is not above their key (from a
// key on, or turned round) it does not find at all, and what it misses may end its process.

import type { DeleteRangeRequest, RequestOp, TxnRequest } from "../../../gen/grpc/etcd/rpc.js";

interface Changes {
  readonly puts: Set<string>;
  readonly deletes: DeleteRangeRequest[];
}

/** True if both servers refuse it or neither does. */
export function isJudgedAlike(txn: TxnRequest): boolean {
  const changesTwice = mayChangeTwice(txn.success) || mayChangeTwice(txn.failure);
  const etcdFinds = collected(txn.success) === undefined || collected(txn.failure) === undefined;
  return changesTwice === etcdFinds && !(changesTwice && [txn.success, txn.failure].some(isOdd));
}

function isOdd(operations: readonly RequestOp[]): boolean {
  return changesOf(operations).deletes.some(
    ({ key, rangeEnd }) => rangeEnd.length > 0 && Buffer.compare(rangeEnd, key) <= 0,
  );
}

/** Two branches of one txn never both run. */
function mayChangeTwice(operations: readonly RequestOp[]): boolean {
  const changes = operations.map((operation) => changesOf([operation]));
  return operations.some(({ request }, at) => {
    const mine = changes[at] as Changes;
    const meets = changes.some((other, index) => index !== at && isMet(mine, other));
    const inner = request?.$case === "requestTxn" ? request.value : undefined;
    if (meets || inner === undefined) return meets;
    return mayChangeTwice(inner.success) || mayChangeTwice(inner.failure);
  });
}

function isMet({ puts }: Changes, other: Changes): boolean {
  return [...puts].some(
    (key) => other.puts.has(key) || other.deletes.some((one) => covers(one, key)),
  );
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
    for (const key of success.puts) {
      if (puts.has(key) || clashes(key)) return undefined;
      puts.add(key);
    }
    for (const key of failure.puts) {
      if ((puts.has(key) && !success.puts.has(key)) || clashes(key)) return undefined;
      puts.add(key);
    }
    deletes.push(...success.deletes, ...failure.deletes);
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
