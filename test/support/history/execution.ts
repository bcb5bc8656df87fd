// What a command does, naively: to a map of what the keys hold.

import { ABSENT, type Answer, type Change, type Command, type Held, selects } from "./history.js";

export type State = ReadonlyMap<string, Held>;

export interface Execution {
  readonly succeeded: boolean;
  readonly changes: readonly Change[];
  readonly answers: readonly Answer[];
}

/** As if it were applied to a state, in a revision. The state stays as it is. */
export function execute(command: Command, state: State, revision: number): Execution {
  const { compares, success, failure } = command;
  const succeeded = compares.every(({ key, is }) => (state.get(key)?.value ?? ABSENT) === is);
  const after = new Map(state);
  const changes: Change[] = [];
  const answers: Answer[] = [];
  const chosen = (keys: Parameters<typeof selects>[0]) =>
    [...after.values()].filter(({ key }) => selects(keys, key)).sort(byKey);
  for (const operation of succeeded ? success : failure) {
    if (operation.kind === "read") {
      answers.push({ kind: "read", entries: chosen(operation.keys) });
    } else if (operation.kind === "put") {
      const { key, value } = operation;
      changes.push({ key, value });
      after.set(key, { key, value, revision });
      answers.push({ kind: "put" });
    } else {
      const gone = chosen(operation.keys);
      for (const { key } of gone) {
        changes.push({ key, value: ABSENT });
        after.delete(key);
      }
      answers.push({ kind: "delete", deleted: gone.length });
    }
  }
  return { succeeded, changes, answers };
}

export function apply(
  state: Map<string, Held>,
  changes: readonly Change[],
  revision: number,
): void {
  for (const { key, value } of changes) {
    if (value === ABSENT) state.delete(key);
    else state.set(key, { key, value, revision });
  }
}

function byKey(one: Held, other: Held): number {
  return one.key < other.key ? -1 : 1;
}
