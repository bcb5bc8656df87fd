// Other keys on the way in or out: a prefix is taken off, then another one put before.

import type { Flags } from "../flags.js";
import { FormError } from "../json-forms.js";
import type { OptionDefinition } from "../option.js";
import { keyFromText } from "../selectors.js";
import { lineText } from "../terminal-text.js";

export const KEY_CHANGE_OPTIONS: readonly OptionDefinition[] = [
  { flags: "--strip-prefix <prefix>", description: "take this off every key, which must have it" },
  { flags: "--add-prefix <prefix>", description: "put this before every key" },
];

/** @throws FormError for a key that has not the prefix, or is nothing else. */
export type KeyChange = (key: Uint8Array) => Uint8Array;

/** @throws UsageError */
export function keyChangeFrom(flags: Flags): KeyChange {
  const strip = bytesFlag(flags, "strip-prefix");
  const add = bytesFlag(flags, "add-prefix");
  if (strip === undefined && add === undefined) return (key) => key;
  return (key) => {
    const rest = strip === undefined ? key : withoutPrefix(key, strip);
    const changed = add === undefined ? rest : Buffer.concat([add, rest]);
    if (changed.length > 0) return changed;
    throw new FormError(`nothing is left of the key ${lineText(key)} without its prefix`);
  };
}

/** The bytes of a flag that takes a key or a prefix, in --key-encoding. @throws UsageError */
export function bytesFlag(flags: Flags, name: string): Buffer | undefined {
  const text = flags.text(name);
  return text === undefined ? undefined : Buffer.from(keyFromText(flags, text));
}

export function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(key.subarray(0, prefix.length), prefix) === 0;
}

function withoutPrefix(key: Uint8Array, prefix: Uint8Array): Uint8Array {
  if (startsWith(key, prefix)) return key.subarray(prefix.length);
  throw new FormError(`the key ${lineText(key)} does not start with ${lineText(prefix)}`);
}
