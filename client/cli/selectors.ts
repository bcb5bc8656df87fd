// Which keys a command is about: a KEY, or --prefix, or --start and --end, or --all. Exactly one.

import type { SelectorLike } from "../index.js";
import { bytesOfWord } from "./argument-bytes.js";
import { UsageError } from "./failure.js";
import type { Flags } from "./flags.js";
import { bytesFromBase64 } from "./json-forms.js";
import type { OptionDefinition } from "./option.js";

export const KEY_ENCODING: OptionDefinition = {
  flags: "--key-encoding <encoding>",
  description: "how keys are written on the command line: text, hex or base64",
  choices: ["text", "hex", "base64"],
  fallback: "text",
};

export const SELECTOR_OPTIONS: readonly OptionDefinition[] = [
  { flags: "--prefix <prefix>", description: "all keys that start with this" },
  { flags: "--start <key>", description: "all keys from this one on" },
  { flags: "--end <key>", description: "all keys below this one; goes with or without --start" },
  { flags: "--all", description: "all keys" },
  KEY_ENCODING,
];

export const SELECTOR_USAGE = "KEY | --prefix P | --start S --end E | --all";

/** The key in the encoding that was asked for. */
export function keyFromText(flags: Flags, text: string): string | Uint8Array {
  const encoding = flags.text("key-encoding") ?? "text";
  switch (encoding) {
    case "text":
      return bytesOfWord(text);
    case "hex":
      if (/^(?:[0-9a-f]{2})*$/i.test(text)) return Buffer.from(text, "hex");
      throw new UsageError(`"${text}" is not a key in hex`);
    case "base64":
      try {
        return bytesFromBase64("key", text);
      } catch (error) {
        throw new UsageError(`"${text}" is not a key in base64`, { cause: error });
      }
    default:
      throw new UsageError(`--key-encoding is one of text, hex, base64, not "${encoding}"`);
  }
}

/** Does the selector mean one key? */
export function singleKey(selector: SelectorLike): boolean {
  return typeof selector === "string" || selector instanceof Uint8Array || "key" in selector;
}

/**
 * @param words the words of the command line: none, or the KEY.
 * @param fallback what no selector at all means; without one it is an error.
 * @throws UsageError that says what to give.
 */
export function selectorFrom(
  verb: string,
  words: readonly string[],
  flags: Flags,
  fallback?: SelectorLike,
): SelectorLike {
  const [key, excess] = words;
  if (excess !== undefined) {
    throw new UsageError(`${verb} takes one KEY; "${excess}" is too much (quote keys with blanks)`);
  }
  const interval = flags.given("start") || flags.given("end");
  const forms = [
    ...(key === undefined ? [] : ["KEY"]),
    ...(flags.given("prefix") ? ["--prefix"] : []),
    ...(interval ? ["--start/--end"] : []),
    ...(flags.on("all") ? ["--all"] : []),
  ];
  if (forms.length > 1) throw new UsageError(`${forms.join(" and ")} exclude each other; give one`);
  if (key !== undefined) return { key: keyFromText(flags, key) };
  const prefix = flags.text("prefix");
  if (prefix !== undefined) return { prefix: keyFromText(flags, prefix) };
  if (interval) return intervalFrom(flags);
  if (flags.on("all")) return { all: true };
  if (fallback !== undefined) return fallback;
  throw new UsageError(`${verb} needs to know which keys: ${SELECTOR_USAGE}`);
}

function intervalFrom(flags: Flags): SelectorLike {
  const start = flags.text("start");
  const end = flags.text("end");
  return {
    ...(start === undefined ? {} : { start: keyFromText(flags, start) }),
    ...(end === undefined ? {} : { end: keyFromText(flags, end) }),
  };
}
