// What `lock` and `elect` have in common on the command line: NAME, the command after --, the ttl,
// how long to wait.

import type { Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { atMostOne, numberFromText } from "../flags.js";
import type { OptionDefinition } from "../option.js";
import { KEY_ENCODING, keyFromText } from "../selectors.js";

export const WAITING_OPTIONS: readonly OptionDefinition[] = [
  { flags: "--ttl <duration>", description: "how long it outlives a kvctl that is killed (15s)" },
  { flags: "--wait <duration>", description: "wait no longer than this for the others before" },
  { flags: "--try", description: "do not wait at all: --wait 0s" },
  {
    flags: "-E, --conflict-exit-code <code>",
    description: "what to end with when it was not got in time (1)",
  },
  { flags: "--status", description: "show who has it and who waits, and end" },
  KEY_ENCODING,
];

const DEFAULT_TTL_MS = 15_000;
/** What a timer takes; longer is for ever. */
const WAIT_MAX_MS = 0x7fff_ffff;

export interface LockWords {
  readonly name: Uint8Array;
  /** Words after NAME, before `--`. */
  readonly rest: readonly string[];
  readonly command: readonly string[] | undefined;
}

/** @throws UsageError */
export function lockWords({ verb, words, tail, flags }: Invocation): LockWords {
  if (tail !== undefined && tail.length === 0) throw new UsageError("-- wants a command after it");
  const [name, ...rest] = words.slice(0, words.length - (tail?.length ?? 0));
  if (name === undefined || name === "") {
    throw new UsageError(`${verb} needs a NAME, which all who exclude each other give`);
  }
  const key = keyFromText(flags, name);
  return { name: typeof key === "string" ? Buffer.from(key) : key, rest, command: tail };
}

/** @throws UsageError */
export function waitingFrom({ flags }: Invocation) {
  atMostOne(flags, ["wait", "try"]);
  const waitMs = flags.on("try") ? 0 : flags.durationMs("wait");
  return {
    ttlMs: flags.durationMs("ttl") ?? DEFAULT_TTL_MS,
    waitMs: waitMs === undefined || waitMs > WAIT_MAX_MS ? undefined : waitMs,
    conflictExitCode: conflictExitCode(flags.text("conflict-exit-code")),
  };
}

/** Flags that mean nothing beside another one. @throws UsageError */
export function refuseBeside(
  { flags, tail }: Invocation,
  flag: string,
  others: readonly string[],
): void {
  if (tail !== undefined)
    throw new UsageError(`--${flag} runs no command; leave out what is after --`);
  const other = others.find((name) => flags.given(name));
  if (other !== undefined) throw new UsageError(`--${flag} and --${other} exclude each other`);
}

function conflictExitCode(text: string | undefined): ExitCode {
  if (text === undefined) return EXIT.negative;
  const code = numberFromText("--conflict-exit-code", text);
  // The caller's own number, which the table cannot list.
  if (code <= 255) return code as ExitCode;
  throw new UsageError("--conflict-exit-code takes a number up to 255");
}
