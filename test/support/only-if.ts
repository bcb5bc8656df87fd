// Tests of what only some deployments offer: the wire has no way to say it, or no way to see it.

import type { ExecutionContext, TestFn } from "ava";

type Declare = (title: string, run: (t: ExecutionContext) => Promise<void> | void) => void;

/** `test`, or nothing where it does not apply. */
export function onlyIf(applies: boolean, test: TestFn): Declare {
  return applies ? test : () => {};
}
