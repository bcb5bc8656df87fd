// A history of txns, seen from each key alone: what every call wanted of it and made of it.
//
// If the whole history is linearizable then each key's part is (not the other way round: that the
// keys go together is for the replay and for list-append.ts). No revision is used.

import {
  ABSENT,
  type Answered,
  type Call,
  type Command,
  type History,
  type Operation,
  selects,
} from "./history.js";
import { linearize, type RegisterOperation, type Step, type Verdict } from "./wing-gong.js";

/** The verdict on each key. */
export function registerVerdicts(history: History, budget?: number): Map<string, Verdict> {
  const verdicts = new Map<string, Verdict>();
  for (const [key, operations] of registersOf(history)) {
    verdicts.set(key, linearize(operations, budget));
  }
  return verdicts;
}

export function registersOf(history: History): Map<string, RegisterOperation[]> {
  const registers = new Map<string, RegisterOperation[]>();
  for (const key of keysOf(history.calls.map(({ command }) => command))) registers.set(key, []);
  for (const call of history.calls) {
    if (call.outcome.kind === "refused") continue;
    for (const key of touched(call, registers.keys())) {
      registers.get(key)?.push(...operationsOn(key, call));
    }
  }
  return registers;
}

function keysOf(commands: readonly Command[]): Set<string> {
  const keys = new Set<string>();
  for (const command of commands) {
    for (const { key } of command.compares) keys.add(key);
    for (const operation of [...command.success, ...command.failure]) {
      if (operation.kind === "put") keys.add(operation.key);
      else if ("key" in operation.keys) keys.add(operation.keys.key);
    }
  }
  return keys;
}

function touched({ command }: Call, all: Iterable<string>): Iterable<string> {
  const operations = [...command.success, ...command.failure];
  const isRange = (operation: Operation) => operation.kind !== "put" && "prefix" in operation.keys;
  if (operations.some(isRange)) return all;
  return keysOf([command]);
}

function operationsOn(key: string, call: Call): RegisterOperation[] {
  const { command, outcome, tick: called } = call;
  const ends = leaseEnds(key, call);
  if (outcome.kind === "unknown") {
    const steps = [...unknownSteps(key, command, true), ...unknownSteps(key, command, false)];
    const { until } = outcome;
    const operation = { called, returned: undefined, ...(until && { until }), steps };
    return steps.length === 0 ? [] : [operation, ...ends];
  }
  const { tick: returned } = outcome;
  const step = outcome.kind === "answered" ? knownStep(key, command, outcome) : {};
  return Object.keys(step).length === 0 ? [] : [{ called, returned, steps: [step] }, ...ends];
}

/** What is put with a lease may be gone by itself. */
function leaseEnds(key: string, { command, tick }: Call): RegisterOperation[] {
  return [...command.success, ...command.failure].flatMap((operation) => {
    if (operation.kind !== "put" || !operation.leased || operation.key !== key) return [];
    const steps = [{ is: operation.value, becomes: ABSENT }];
    return [{ called: tick, returned: undefined, steps }];
  });
}

function knownStep(key: string, command: Command, { succeeded, answers }: Answered): Step {
  let step = compareStep(key, command, succeeded);
  for (const [index, operation] of (succeeded ? command.success : command.failure).entries()) {
    const answer = answers[index];
    if (operation.kind === "put") {
      if (operation.key === key) step = { ...step, becomes: operation.value };
    } else if (selects(operation.keys, key) && answer?.kind === "read") {
      const value = answer.entries.find((entry) => entry.key === key)?.value ?? ABSENT;
      if (step.becomes === undefined) step = { ...step, is: value };
    } else if (selects(operation.keys, key) && answer?.kind === "delete") {
      step = deleteStep(step, answer.deleted, "key" in operation.keys);
    }
  }
  return step;
}

function deleteStep(step: Step, deleted: number, alone: boolean): Step {
  const untouched = step.becomes === undefined && step.is === undefined;
  if (deleted === 0) return untouched ? { ...step, is: ABSENT } : step;
  const needs = untouched && alone ? { isNot: ABSENT } : {};
  return { ...step, ...needs, becomes: ABSENT };
}

/** Of compares that failed it is not known which, unless there is one only. */
function compareStep(key: string, { compares }: Command, succeeded: boolean): Step {
  const own = compares.find((compare) => compare.key === key);
  if (own === undefined) return {};
  if (succeeded) return { is: own.is };
  return compares.length === 1 ? { isNot: own.is } : {};
}

/** What a branch would do, if it has been taken. */
function unknownSteps(key: string, command: Command, succeeded: boolean): Step[] {
  const written = (succeeded ? command.success : command.failure)
    .filter((operation) => writes(operation, key))
    .at(-1);
  if (written === undefined) return [];
  const becomes = written.kind === "put" ? written.value : ABSENT;
  return [{ ...compareStep(key, command, succeeded), becomes }];
}

function writes(operation: Operation, key: string): boolean {
  if (operation.kind === "put") return operation.key === key;
  return operation.kind === "delete" && selects(operation.keys, key);
}
