// A naive model of the service, written from the contract alone: a list of whole states, one a
// revision, and a map of leases. It shares nothing with the store but the vocabulary.

import { type ErrorDetails, KvdError, type Reason } from "../../server/kv/errors.js";
import type { Selector } from "../../server/kv/selector.js";
import type {
  BatchOperation,
  BatchResultItem,
  Compare,
  DeleteCommand,
  DeleteReason,
  Entry,
  GetCommand,
  Operation,
  OperationResult,
  PutCommand,
  RangeQuery,
  TxnCommand,
} from "../../server/kv/types.js";

/** By the key's hexadecimal digits, which sort as the bytes do. */
export type State = ReadonlyMap<string, Entry>;

export interface ModelEvent {
  readonly revision: number;
  readonly key: string;
  /** Undefined: deleted. */
  readonly entry: Entry | undefined;
  readonly previous: Entry | undefined;
  readonly reason: DeleteReason | undefined;
}

interface ModelLease {
  readonly id: bigint;
  readonly ttlMs: number;
  readonly ofPut: boolean;
  deadlineMs: number;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytesOf = (key: string) => Buffer.from(key, "hex");
const byKey = (left: Entry, right: Entry) => Buffer.compare(left.key, right.key);

/** What the model was after a step. */
export interface ModelMark {
  readonly revision: number;
  readonly compactRevision: number;
  readonly nowMs: number;
  readonly leases: readonly Readonly<ModelLease>[];
}

/** What one commit is about to become. */
interface Draft {
  readonly state: Map<string, Entry>;
  readonly events: ModelEvent[];
  readonly begun: ModelLease[];
}

export class Model {
  /** By revision; index 0 is not used. */
  readonly states: State[] = [new Map(), new Map()];
  readonly events: ModelEvent[] = [];
  readonly leases = new Map<bigint, ModelLease>();
  compactRevision = 0;
  nowMs = 0;
  /** The ids that the engine will choose, in order. */
  readonly #ids: () => bigint;

  constructor(ids: () => bigint) {
    this.#ids = ids;
  }

  get revision(): number {
    return this.states.length - 1;
  }

  get state(): State {
    return this.states[this.revision] as State;
  }

  get(command: GetCommand): { revision: number; entry: Entry | undefined } {
    const revision = this.#readable(command.revision);
    return { revision, entry: this.states[revision]?.get(hex(command.key)) };
  }

  /** All rows of a listing, whatever its pages. */
  rows(query: RangeQuery): { revision: number; rows: (Entry | Uint8Array)[] } {
    const revision = this.#readable(query.revision);
    return { revision, rows: rowsOf(this.states[revision] as State, query) };
  }

  put(command: PutCommand) {
    return this.#commit((draft) => this.#put(draft, command));
  }

  delete(command: DeleteCommand) {
    return this.#commit((draft) => this.#delete(draft, command));
  }

  txn(command: TxnCommand) {
    refuseDuplicates(command);
    const before = this.state;
    return this.#commit((draft) => this.#txn(draft, before, command, ""));
  }

  batch(operations: readonly BatchOperation[]): unknown[] {
    return operations.map((operation) => {
      try {
        if (operation.kind === "get") return { kind: "get", get: this.get(operation.get) };
        if (operation.kind === "put") return { kind: "put", put: this.put(operation.put) };
        if (operation.kind === "delete") {
          return { kind: "delete", delete: this.delete(operation.delete) };
        }
        return { kind: "failure", error: operation.error };
      } catch (error) {
        if (!(error instanceof KvdError)) throw error;
        return { kind: "failure", error } satisfies BatchResultItem;
      }
    });
  }

  grant(command: { readonly id: bigint; readonly ttlMs: number }): bigint {
    if (command.id !== 0n && this.leases.has(command.id)) throw refusal("LEASE_EXISTS");
    const id = command.id === 0n ? this.#ids() : command.id;
    this.leases.set(id, {
      id,
      ttlMs: command.ttlMs,
      ofPut: false,
      deadlineMs: this.nowMs + command.ttlMs,
    });
    return id;
  }

  keepAlive(id: bigint): number {
    const lease = this.leases.get(id);
    if (lease === undefined) return 0;
    lease.deadlineMs = this.nowMs + lease.ttlMs;
    return lease.ttlMs;
  }

  revoke(id: bigint): number {
    if (!this.leases.has(id)) throw refusal("LEASE_NOT_FOUND");
    return this.#endLease(id, "revoked");
  }

  /** What remains of a lease, and its keys in byte order. */
  timeToLive(id: bigint): { ttlMs: number; keys: string[] } {
    const lease = this.leases.get(id);
    if (lease === undefined) throw refusal("LEASE_NOT_FOUND");
    return { ttlMs: lease.deadlineMs - this.nowMs, keys: this.#keysOf(id) };
  }

  compact(revision: number): void {
    if (revision > this.revision) throw refusal("REVISION_FUTURE", { revision: this.revision });
    if (revision <= this.compactRevision) throw this.#compacted();
    this.compactRevision = revision;
  }

  /** Time passes: leases end in the order of their deadlines, then of their ids. */
  advance(ms: number, onEnd: () => void = () => {}): void {
    this.nowMs += ms;
    for (;;) {
      const due = [...this.leases.values()]
        .filter(({ deadlineMs }) => deadlineMs <= this.nowMs)
        .sort(
          (left, right) => left.deadlineMs - right.deadlineMs || (left.id < right.id ? -1 : 1),
        )[0];
      if (due === undefined) return;
      this.#endLease(due.id, "expired");
      onEnd();
    }
  }

  mark(): ModelMark {
    const { revision, compactRevision, nowMs } = this;
    const leases = [...this.leases.values()].map((lease) => ({ ...lease }));
    return { revision, compactRevision, nowMs, leases };
  }

  /** Becomes as another is now; each goes on by itself. */
  copyFrom(other: Model): void {
    this.states.splice(0, this.states.length, ...other.states);
    this.events.splice(0, this.events.length, ...other.events);
    this.nowMs = other.nowMs;
    this.rewind(other.mark(), new Map());
  }

  /** Forgets what came after a mark. Time does not go back: leases have what `remains` says. */
  rewind(mark: ModelMark, remains: ReadonlyMap<bigint, number>): void {
    this.states.length = mark.revision + 1;
    while ((this.events.at(-1)?.revision ?? 0) > mark.revision) this.events.pop();
    this.compactRevision = mark.compactRevision;
    this.leases.clear();
    for (const lease of mark.leases) {
      const remainingMs = remains.get(lease.id) ?? lease.deadlineMs - mark.nowMs;
      this.leases.set(lease.id, { ...lease, deadlineMs: this.nowMs + remainingMs });
    }
  }

  #readable(revision: number): number {
    if (revision > this.revision) throw refusal("REVISION_FUTURE", { revision: this.revision });
    if (revision !== 0 && revision < this.compactRevision) throw this.#compacted();
    return revision === 0 ? this.revision : revision;
  }

  #compacted(): KvdError {
    return refusal("REVISION_COMPACTED", { compactRevision: this.compactRevision });
  }

  #keysOf(id: bigint): string[] {
    return [...this.state.entries()]
      .filter(([, entry]) => entry.leaseId === id)
      .map(([key]) => key)
      .sort();
  }

  #endLease(id: bigint, reason: DeleteReason): number {
    const keys = this.#keysOf(id);
    this.#commit((draft) => {
      for (const key of keys) this.#remove(draft, key, reason);
    });
    this.leases.delete(id);
    return keys.length;
  }

  /** Runs a mutation on a copy, and keeps it if it changes something and does not throw. */
  #commit<T>(run: (draft: Draft) => T): T {
    const draft: Draft = { state: new Map(this.state), events: [], begun: [] };
    const result = run(draft);
    if (draft.events.length === 0) return result;
    this.states.push(draft.state);
    this.events.push(...draft.events);
    for (const lease of draft.begun) this.leases.set(lease.id, lease);
    for (const lease of [...this.leases.values()]) {
      if (lease.ofPut && this.#keysOf(lease.id).length === 0) this.leases.delete(lease.id);
    }
    return result;
  }

  #put(draft: Draft, command: PutCommand) {
    const key = hex(command.key);
    const before = draft.state.get(key);
    const { expectedModRevision: expected, value } = command;
    if (expected === "present" || value === "keep") {
      if (before === undefined) throw refusal("PRECONDITION_FAILED");
    }
    this.#expect(before, expected === "present" ? undefined : expected);
    const { leaseId, ttlMs } = this.#lease(draft, command, before);
    const revision = this.revision + 1;
    const entry: Entry = {
      key: command.key,
      value: value === "keep" ? (before as Entry).value : value,
      createRevision: before?.createRevision ?? revision,
      modRevision: revision,
      version: (before?.version ?? 0) + 1,
      leaseId,
    };
    draft.state.set(key, entry);
    draft.events.push({ revision, key, entry, previous: before, reason: undefined });
    return { revision, previous: command.returnPrevious ? before : undefined, leaseId, ttlMs };
  }

  #lease(draft: Draft, command: PutCommand, before: Entry | undefined) {
    const { lease } = command;
    if (lease.kind === "none") return { leaseId: 0n, ttlMs: 0 };
    if (lease.kind === "ttl") {
      const id = this.#ids();
      const deadlineMs = this.nowMs + lease.ttlMs;
      draft.begun.push({ id, ttlMs: lease.ttlMs, ofPut: true, deadlineMs });
      return { leaseId: id, ttlMs: lease.ttlMs };
    }
    const id = lease.kind === "keep" ? (before?.leaseId ?? 0n) : lease.id;
    const found = this.leases.get(id) ?? draft.begun.find((begun) => begun.id === id);
    if (lease.kind === "lease") {
      if (found === undefined) throw refusal("LEASE_NOT_FOUND");
      const keys = [...draft.state.values()].filter(({ leaseId }) => leaseId === id);
      if (before?.leaseId !== id && keys.length >= lease.maxKeys) throw refusal("LEASE_FULL");
    }
    return { leaseId: id, ttlMs: found?.ttlMs ?? 0 };
  }

  #expect(before: Entry | undefined, expected: number | undefined): void {
    const modRevision = before?.modRevision ?? 0;
    if (expected === undefined || expected === modRevision) return;
    throw refusal("PRECONDITION_FAILED", { modRevision, revision: this.revision });
  }

  #remove(draft: Draft, key: string, reason: DeleteReason): void {
    const previous = draft.state.get(key);
    draft.state.delete(key);
    const revision = this.revision + 1;
    draft.events.push({ revision, key, entry: undefined, previous, reason });
  }

  #delete(draft: Draft, command: DeleteCommand) {
    const { selector, limit } = command;
    if (selector.kind === "key") {
      this.#expect(draft.state.get(hex(selector.key)), command.expectedModRevision);
    }
    const selected = [...draft.state.values()]
      .filter((entry) => selects(selector, entry.key))
      .sort(byKey);
    const gone = limit === 0 ? selected : selected.slice(0, limit);
    if (gone.length > command.maxKeys) throw refusal("TOO_MANY_KEYS");
    for (const entry of gone) this.#remove(draft, hex(entry.key), "deleted");
    return {
      revision: this.#seen(draft),
      deleted: gone.length,
      more: gone.length < selected.length,
      previous: command.returnPrevious ? gone : [],
    };
  }

  #seen(draft: Draft): number {
    return draft.events.length > 0 ? this.revision + 1 : this.revision;
  }

  #txn(draft: Draft, before: State, txn: TxnCommand, path: string): unknown {
    const succeeded = txn.compares.every((compare) => holds(compare, before));
    const list = succeeded ? txn.success : txn.failure;
    const results = list.map((operation, index) => {
      const at = `${path}${succeeded ? "success" : "failure"}[${index}]`;
      try {
        return this.#step(draft, before, operation, at);
      } catch (error) {
        if (!(error instanceof KvdError) || error.details.operation !== undefined) throw error;
        throw error.with({ operation: at });
      }
    });
    return { revision: this.#seen(draft), succeeded, results };
  }

  #step(draft: Draft, before: State, operation: Operation, at: string): unknown {
    switch (operation.kind) {
      case "put":
        return { kind: "put", put: this.#put(draft, operation.put) };
      case "delete":
        return { kind: "delete", delete: this.#delete(draft, operation.delete) };
      case "txn":
        return { kind: "txn", txn: this.#txn(draft, before, operation.txn, `${at}.txn.`) };
      case "get": {
        const { key, revision } = operation.get;
        if (revision !== 0) return { kind: "get", get: this.get(operation.get) };
        const entry = draft.state.get(hex(key));
        return { kind: "get", get: { revision: this.#seen(draft), entry } };
      }
      case "range": {
        const { range } = operation;
        const { revision, rows } =
          range.revision === 0
            ? { revision: this.#seen(draft), rows: rowsOf(draft.state, range) }
            : this.rows(range);
        return { kind: "range", range: { revision, rows } };
      }
    }
  }
}

/** Only for results in which nothing is left out. */
export type ModelResult = OperationResult;

function refusal(reason: Reason, details: ErrorDetails = {}): KvdError {
  return new KvdError(reason, "as the model has it", details);
}

export function selects(selector: Selector, key: Uint8Array): boolean {
  switch (selector.kind) {
    case "all":
      return true;
    case "key":
      return Buffer.compare(selector.key, key) === 0;
    case "prefix":
      return hex(key).startsWith(hex(selector.prefix));
    case "interval":
      return (
        (selector.start === undefined || Buffer.compare(selector.start, key) <= 0) &&
        (selector.end === undefined || Buffer.compare(key, selector.end) < 0)
      );
  }
}

/** Entries, and folded prefixes, in the order asked for. */
function rowsOf(state: State, query: RangeQuery): (Entry | Uint8Array)[] {
  const selected = [...state.values()].filter((entry) => selects(query.selector, entry.key));
  const rows: (Entry | Uint8Array)[] = [];
  let folded: string | undefined;
  for (const entry of selected.sort(byKey)) {
    const group = groupOf(entry.key, query);
    if (group === undefined) {
      rows.push(query.keysOnly ? { ...entry, value: new Uint8Array(0) } : entry);
    } else if (group !== folded) {
      folded = group;
      rows.push(bytesOf(group));
    }
  }
  return query.order === "ascending" ? rows : rows.reverse();
}

function groupOf(key: Uint8Array, query: RangeQuery): string | undefined {
  if (query.delimiter.length === 0) return undefined;
  const from = query.selector.kind === "prefix" ? query.selector.prefix.length : 0;
  const at = Buffer.from(key).indexOf(Buffer.from(query.delimiter), from);
  return at < 0 ? undefined : hex(key.subarray(0, at + query.delimiter.length));
}

function holds(compare: Compare, state: State): boolean {
  const selected = [...state.values()].filter((entry) => selects(compare.selector, entry.key));
  const sides = selected.length === 0 ? [undefined] : selected;
  return sides.every((entry) => relates(compare, entry));
}

function relates({ target, relation }: Compare, entry: Entry | undefined): boolean {
  if (target.kind === "value") {
    if (entry === undefined) return false;
    return ordered(Buffer.compare(entry.value, target.value), relation);
  }
  if (target.kind === "exists")
    return ((entry !== undefined) === target.value) === (relation === "equal");
  if (target.kind === "leaseId") {
    const stored = entry?.leaseId ?? 0n;
    return ordered(stored < target.value ? -1 : stored > target.value ? 1 : 0, relation);
  }
  return ordered((entry?.[target.kind] ?? 0) - target.value, relation);
}

function ordered(order: number, relation: Compare["relation"]): boolean {
  if (relation === "equal") return order === 0;
  if (relation === "not-equal") return order !== 0;
  return relation === "less" ? order < 0 : order > 0;
}

/** One way through a txn for each choice of branches: none of them may write a key twice. */
function refuseDuplicates(txn: TxnCommand): void {
  for (const way of [...waysOf(txn.success), ...waysOf(txn.failure)]) {
    const puts = way.filter((operation) => operation.kind === "put");
    const deletes = way.filter((operation) => operation.kind === "delete");
    puts.forEach(({ put }, index) => {
      const again = puts.slice(index + 1).some((other) => hex(other.put.key) === hex(put.key));
      const covered = deletes.some((other) => selects(other.delete.selector, put.key));
      if (again || covered) throw refusal("DUPLICATE_KEY");
    });
  }
}

function waysOf(operations: readonly Operation[]): Exclude<Operation, { kind: "txn" }>[][] {
  return operations.reduce<Exclude<Operation, { kind: "txn" }>[][]>(
    (ways, operation) => {
      const next =
        operation.kind === "txn"
          ? [...waysOf(operation.txn.success), ...waysOf(operation.txn.failure)]
          : [[operation]];
      return ways.flatMap((way) => next.map((more) => [...way, ...more]));
    },
    [[]],
  );
}
