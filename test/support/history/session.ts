// One client of a history: sends its calls with the public client, and has them written down with
// what they were answered.

import {
  absent,
  type BatchResultItem,
  type Compare as CompareOfClient,
  compare,
  del,
  type Entry,
  get,
  type Kvd,
  KvdClientError,
  type Operation as OperationOfClient,
  type OperationResult,
  put,
  range,
} from "../../../client/index.js";
import {
  ABSENT,
  type Answer,
  type Command,
  type Compare,
  type Held,
  type Keys,
  type Operation,
} from "./history.js";
import type { HistoryRecorder, Reply } from "./recorder.js";

/** A call has ended, and nobody knows whether it has taken effect: its client is over. */
export class Unanswered extends Error {
  readonly logFailed: boolean;

  constructor(message: string, reason: string | undefined) {
    super(message);
    this.logFailed = reason === "LOG_FAILED";
  }
}

/** The shortest that there is: the keys of this family are seen to end by themselves. */
const TTL = "1s";

export interface SessionOptions {
  readonly recorder: HistoryRecorder;
  readonly kv: Kvd;
  readonly name: string;
}

export class Session {
  readonly #recorder: HistoryRecorder;
  readonly #kv: Kvd;
  readonly #name: string;
  readonly #seen = new Map<string, string>();
  #values = 0;

  constructor({ recorder, kv, name }: SessionOptions) {
    this.#recorder = recorder;
    this.#kv = kv;
    this.#name = name;
  }

  /** One that nobody has written. */
  value(): string {
    this.#values += 1;
    return `${this.#name}-${this.#values}`;
  }

  /** What a key held when it was last read here; by now it may hold something else. */
  lastSeen(key: string): string {
    return this.#seen.get(key) ?? ABSENT;
  }

  /** Whether it was done; else it was refused. */
  async put(key: string, value: string, { leased = false } = {}): Promise<boolean> {
    const operation: Operation = { kind: "put", key, value, ...(leased ? { leased } : {}) };
    const replies = await this.#call([commandOf({ success: [operation] })], async () => {
      const { revision } = await this.#kv.put(key, value, leased ? { ttl: TTL } : {});
      return [reply(revision, [{ kind: "put" }])];
    });
    return replies.length > 0;
  }

  /** Puts if the key still holds what was read, by its revision. */
  async swap(key: string, held: Held | undefined, value: string): Promise<void> {
    const compares = [{ key, is: held?.value ?? ABSENT }];
    const command = commandOf({ compares, success: [{ kind: "put", key, value }] });
    await this.#call([command], async () => {
      try {
        const expectedModRevision = held?.revision ?? 0;
        const { revision } = await this.#kv.put(key, value, { expectedModRevision });
        return [reply(revision, [{ kind: "put" }])];
      } catch (error) {
        if (!(error instanceof KvdClientError)) throw error;
        const { revision } = error.details;
        if (error.reason !== "PRECONDITION_FAILED" || revision === undefined) throw error;
        return [{ revision, succeeded: false, answers: [] }];
      }
    });
  }

  /** Whether it was done; else it was refused. */
  async delete(keys: Keys): Promise<boolean> {
    const command = commandOf({ success: [{ kind: "delete", keys }] });
    const replies = await this.#call([command], async () => {
      const { revision, deleted } = await this.#kv.delete(keys);
      return [reply(revision, [{ kind: "delete", deleted }])];
    });
    return replies.length > 0;
  }

  async read(keys: Keys): Promise<readonly Held[]> {
    const [answered] = await this.#call(
      [commandOf({ success: [{ kind: "read", keys }] })],
      async () => {
        const { revision, entries } = await this.#kv.range(keys);
        return [reply(revision, [readAnswer(entries)])];
      },
    );
    const [answer] = answered?.answers ?? [];
    return answer?.kind === "read" ? answer.entries : [];
  }

  /** A get of the client does not tell its revision. */
  async get(key: string): Promise<void> {
    const command = commandOf({ success: [{ kind: "read", keys: { key } }] });
    await this.#call([command], async () => {
      const entry = await this.#kv.get(key);
      return [reply(undefined, [readAnswer(entry === undefined ? [] : [entry])])];
    });
  }

  async txn(parts: Partial<Command>): Promise<void> {
    const command = commandOf(parts);
    await this.#call([command], async () => {
      const { revision, succeeded, results } = await this.#kv.txn({
        compare: command.compares.map(compareForClient),
        success: command.success.map(operationForClient),
        failure: command.failure.map(operationForClient),
      });
      return [{ revision, succeeded, answers: results.map(answerFromResult) }];
    });
  }

  /** Operations of single keys. */
  async batch(operations: readonly Operation[]): Promise<void> {
    const commands = operations.map((operation) => commandOf({ success: [operation] }));
    await this.#call(commands, async () => {
      const sent = operations.map(operationForBatch);
      const { results } = await this.#kv.batch(sent);
      return results.map(replyFromItem);
    });
  }

  async #call(
    commands: readonly Command[],
    send: () => Promise<readonly (Reply | undefined)[]>,
  ): Promise<readonly (Reply | undefined)[]> {
    const pending = this.#recorder.call(this.#name, commands);
    try {
      const replies = await send();
      pending.answered(replies);
      for (const [index, reply] of replies.entries()) {
        this.#look(commands[index], reply?.answers ?? []);
      }
      return replies;
    } catch (error) {
      if (!(error instanceof KvdClientError)) throw error;
      if (isUnknown(error)) throw new Unanswered(error.message, error.reason);
      if (!isRefusal(error)) throw error;
      pending.refused();
      return [];
    }
  }

  #look(command: Command | undefined, answers: readonly Answer[]): void {
    for (const [index, answer] of answers.entries()) {
      const operation = command?.success[index];
      if (answer.kind !== "read" || operation?.kind !== "read") continue;
      if ("key" in operation.keys) this.#seen.delete(operation.keys.key);
      for (const { key, value } of answer.entries) this.#seen.set(key, value);
    }
  }
}

function isUnknown({ code, reason }: KvdClientError): boolean {
  if (reason !== undefined) return reason === "LOG_FAILED";
  return code === "UNAVAILABLE" || code === "DEADLINE_EXCEEDED" || code === "CANCELLED";
}

function isRefusal({ reason }: KvdClientError): boolean {
  return reason === "NO_SPACE" || reason === "SHUTTING_DOWN";
}

function commandOf(parts: Partial<Command>): Command {
  return { compares: [], success: [], failure: [], ...parts };
}

function reply(revision: number | undefined, answers: readonly Answer[]): Reply {
  return { revision, succeeded: true, answers };
}

function readAnswer(entries: readonly Entry[]): Answer {
  const held = entries.map((entry) => {
    return { key: entry.key, value: entry.text(), revision: entry.modRevision };
  });
  return { kind: "read", entries: held };
}

function compareForClient({ key, is }: Compare): CompareOfClient {
  return is === ABSENT ? absent(key) : compare.value(key, "=", is);
}

function operationForClient(operation: Operation): OperationOfClient {
  if (operation.kind === "put") return put(operation.key, operation.value);
  return operation.kind === "read" ? range(operation.keys) : del(operation.keys);
}

function operationForBatch(operation: Operation) {
  if (operation.kind === "put") return put(operation.key, operation.value);
  if (!("key" in operation.keys)) throw new Error("a batch is of single keys");
  return operation.kind === "read" ? get(operation.keys.key) : del(operation.keys);
}

function answerFromResult(result: OperationResult): Answer {
  if (result.kind === "put") return { kind: "put" };
  if (result.kind === "delete") return { kind: "delete", deleted: result.deleted };
  if (result.kind === "range") return readAnswer(result.entries);
  if (result.kind === "txn") throw new Error("there are no txns within txns here");
  return readAnswer(result.entry === undefined ? [] : [result.entry]);
}

/** Undefined: it was refused. */
function replyFromItem(item: BatchResultItem): Reply | undefined {
  if (item.kind === "failure") {
    if (item.reason === "LOG_FAILED") throw new Unanswered(item.message, item.reason);
    if (item.reason === "NO_SPACE") return undefined;
    throw new Error(`${item.reason} in a batch: ${item.message}`);
  }
  return reply(item.revision, [answerFromResult(item)]);
}
