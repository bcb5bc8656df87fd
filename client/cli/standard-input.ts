// Standard input, which one reader has at a time: a shell's commands must not read what is typed
// for the shell, nor the lines of its script.

import process from "node:process";
import { UsageError } from "./failure.js";

let owner: string | undefined;

/** @throws UsageError while a shell reads it. */
export function standardInput(): typeof process.stdin {
  if (owner === undefined) return process.stdin;
  const text = `standard input is where ${owner} reads its commands`;
  throw new UsageError(`${text}; give the value as a word ($'…' takes any bytes), or a file`);
}

/** Nobody else gets it until it is released. */
export function takeStandardInput(name: string) {
  const stream = standardInput();
  owner = name;
  const release = () => {
    owner = undefined;
  };
  return { stream, release };
}
