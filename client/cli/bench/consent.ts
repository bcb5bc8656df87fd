// Load on a server that may not be one's own: on this machine it is announced, elsewhere asked for.

import { createInterface } from "node:readline/promises";
import type { Invocation } from "../command.js";
import { EXIT } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";

const LOCAL = /^(?:http:\/\/)?(?:unix:|127\.\d+\.\d+\.\d+:|localhost:|\[::1\]:)/i;

export function isLocal(server: string): boolean {
  return LOCAL.test(server);
}

/** @throws UsageError without a terminal to ask on, Failure when the answer is no. */
export async function agreeToLoad({ flags, output, settings }: Invocation): Promise<void> {
  const { server } = settings;
  if (isLocal(server) || flags.on("yes")) return;
  if (process.stdin.isTTY !== true || !output.notesToTerminal) {
    throw new UsageError(`bench puts load on ${server}: add --yes if that is meant`);
  }
  output.prompt(`Put load on ${server}, and write to it? [y/N] `);
  const terminal = createInterface({ input: process.stdin });
  try {
    for await (const line of terminal) {
      if (/^y(?:es)?$/i.test(line.trim())) return;
      break;
    }
  } finally {
    terminal.close();
  }
  throw new Failure(EXIT.negative, `nothing was sent to ${server}`);
}
