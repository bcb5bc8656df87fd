// Runs a command up to its first call, and prints that as a command of a gRPC tool instead of
// making it. So every command can be shown, and none needs code for it.
//
// What a command would do after an answer cannot be known without the answer; that is said.

import { connectDry, type DryRequest, type Kvd } from "../index.js";
import { addressError } from "./address-error.js";
import type { CommandDefinition, Invocation } from "./command.js";
import { curlCommand } from "./curl-command.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import type { Output } from "./output.js";
import type { CurlTool } from "./settings.js";
import { isJson } from "./value-output.js";

/** Calls that only ask. A command that writes goes on after them. */
const ASKS = /\/(?:Get|Range|Watch|TimeToLive|List|Status|Hash)$/;
const COUNTS = '"countOnly":true';
const LISTS = /\/(?:Range|List)$/;

export interface Printing {
  readonly line: {
    readonly definition: CommandDefinition;
    readonly writes: boolean;
    /** False: nothing would keep it from doing all that it does, so it is not run. */
    readonly calls: boolean;
  };
  /** Where the call is shown: what the command itself writes is dropped. */
  readonly shown: Output;
  readonly tool: CurlTool;
}

export async function printFirstCall(
  invocation: Invocation,
  { line, shown, tool }: Printing,
): Promise<ExitCode> {
  const { settings, output } = invocation;
  if (!line.calls) {
    shown.note(`${invocation.verb} makes no call that could be printed; it was not run`);
    return EXIT.ok;
  }
  const stop = new AbortController();
  const signal = AbortSignal.any([invocation.signal, stop.signal]);
  let take: (request: DryRequest) => void = () => {};
  const first = new Promise<DryRequest>((resolve) => {
    take = resolve;
  });
  let kv: Kvd | undefined;
  const connect = async () => {
    try {
      kv ??= connectDry(settings.server, take);
      return kv;
    } catch (error) {
      throw addressError(error, settings);
    }
  };
  const over = line.definition.run({ ...invocation, signal, connect });
  const request = await Promise.race([first, over]);
  if (typeof request === "number") {
    shown.note("it makes no call");
    return request;
  }
  // It goes on with a call that failed, and nobody wants to know.
  over.catch(() => {});
  stop.abort(EXIT.ok);
  await kv?.close();
  await output.close({ complete: false });
  const { method } = request;
  const json = await request.json();
  const command = curlCommand(tool, {
    server: settings.server,
    method,
    json: shown.jsonText(json),
  });
  if (isJson(shown)) await shown.json({ method, request: JSON.parse(json), command });
  else await shown.line(command);
  await shown.close({ complete: true });
  remark(shown, { method, text: json, verb: invocation.verb, writes: line.writes });
  return EXIT.ok;
}

function remark(
  shown: Output,
  told: { readonly method: string; text: string; verb: string; writes: boolean },
): void {
  const { method, text, verb, writes } = told;
  const counts = text.includes(COUNTS);
  const aside = (method.endsWith("/Status") && verb !== "status") || (counts && verb !== "count");
  if (aside || (writes && ASKS.test(method))) {
    shown.note("this is the first call; what follows depends on its answer");
  } else if (LISTS.test(method) && !counts) {
    shown.note("this is the first page; the next one takes the pageToken of its answer");
  }
}
