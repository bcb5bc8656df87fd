// The KEY of verbs that are about one key, and how texts name it.

import type { KeyLike } from "../index.js";
import type { Invocation } from "./command.js";
import { EXIT } from "./exit-codes.js";
import { Failure, UsageError } from "./failure.js";
import { keyFromText } from "./selectors.js";
import { lineText } from "./terminal-text.js";

/** The only word of the command line. @throws UsageError */
export function onlyKey({ verb, words, flags }: Invocation): KeyLike {
  const [key, excess] = words;
  if (key === undefined) throw new UsageError(`${verb} needs a key: ${verb} KEY`);
  if (excess !== undefined) {
    throw new UsageError(`${verb} takes one KEY; "${excess}" is too much (quote keys with blanks)`);
  }
  return keyFromText(flags, key);
}

export function keyBytesOf(key: KeyLike): Uint8Array {
  return typeof key === "string" ? Buffer.from(key) : key;
}

/** In a line of text. */
export function shownKey(key: KeyLike): string {
  return lineText(keyBytesOf(key));
}

/** Such as `there is no key "a"`. */
export class NoSuchKey extends Failure {
  override readonly name: string = "NoSuchKey";

  constructor(key: KeyLike) {
    super(EXIT.negative, `there is no key ${quotedKey(key)}`);
  }
}

/** In double quotes, once: a key that cannot stand without them has them already. */
export function quotedKey(key: KeyLike): string {
  const shown = shownKey(key);
  return shown.startsWith('"') ? shown : `"${shown}"`;
}
