// From a command line to an exit code: runs the command, says what went wrong, closes what is open.

import type { Kvd } from "../index.js";
import { addressError } from "./address-error.js";
import { hasForeignBytes } from "./argument-bytes.js";
import type { Invocation } from "./command.js";
import { type CommandLine, parseCommandLine } from "./command-line.js";
import { isRefused } from "./daemon/probe.js";
import { debugText, errorText, exitCodeOf } from "./error-text.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { Failure, OutputClosed, UsageError } from "./failure.js";
import { Flags } from "./flags.js";
import { settingsOf } from "./line-settings.js";
import { Output } from "./output.js";
import type { Process } from "./process.js";
import { isOn, readSettings, type Settings } from "./settings.js";

/** Runs one command line. Never rejects. */
export async function run(process: Process): Promise<ExitCode> {
  let settings = plainSettings(process);
  let output = new Output(settings, process);
  try {
    if (hasForeignBytes(process.argv)) {
      const text = "an argument has bytes that are not UTF-8: give a key with --key-encoding hex";
      throw new UsageError(`${text} or base64, a value with -i FILE or from standard input`);
    }
    const line = await parseCommandLine(process.argv);
    if (line.kind === "run") {
      settings = await settingsOf(line, process.environment);
      output = new Output(settings, process);
      return await runCommand(process, { line, settings, output });
    }
    return await show(line, output);
  } catch (error) {
    return report(error, { process, settings, output, writes: false });
  }
}

/** Before flags are read, an error needs to know only how to look. */
function plainSettings(process: Process): Settings {
  const { KVCTL_DEBUG: debug } = process.environment;
  const settings = readSettings({}, {});
  return { ...settings, debug: isOn(debug) || process.argv.includes("--debug") };
}

async function show(
  line: Exclude<CommandLine, { kind: "run" }>,
  output: Output,
): Promise<ExitCode> {
  if (line.kind === "text" && !line.asked) {
    output.errorDetail(line.text);
    return EXIT.usage;
  }
  if (line.kind === "text") {
    await output.write(line.text);
  } else {
    const { description } = await import("./description.js");
    await output.json(await description(line.verb));
  }
  await output.close({ complete: true });
  return EXIT.ok;
}

interface Run {
  readonly line: Extract<CommandLine, { kind: "run" }>;
  readonly settings: Settings;
  readonly output: Output;
}

async function runCommand(process: Process, { line, settings, output }: Run): Promise<ExitCode> {
  let connected: Promise<Kvd> | undefined;
  const invocation: Invocation = {
    verb: line.verb,
    words: line.words,
    tail: line.tail,
    flags: new Flags(line.values),
    settings,
    output,
    environment: process.environment,
    signal: process.signal,
    patience: (ms) => process.patience?.(ms),
    process,
    connect: () => {
      const open = () => connectTo(process, { line, settings, output });
      connected ??= process.connections?.get(settings, open) ?? open();
      return connected;
    },
  };
  try {
    if (settings.printCurl !== undefined) {
      const { printFirstCall } = await import("./print-call.js");
      const shown = new Output(settings, process);
      return await printFirstCall(invocation, { line, shown, tool: settings.printCurl });
    }
    const exitCode = await line.definition.run(invocation);
    const complete = exitCode !== EXIT.interrupted && exitCode !== EXIT.terminated;
    await output.close({ complete });
    return exitCode;
  } catch (error) {
    return report(error, { process, settings, output, writes: line.writes });
  } finally {
    const kv = await connected?.catch(() => undefined);
    if (process.connections === undefined) await kv?.close();
  }
}

async function connectTo(process: Process, { line, settings, output }: Run): Promise<Kvd> {
  const autostart = line.autostart && settings.autostart && settings.origins.server === "default";
  // While the transport is loaded, a look at the port costs nothing.
  const [{ connect }, refused] = await Promise.all([
    import("../index.js"),
    autostart ? isRefused(settings.server) : false,
  ]);
  if (refused) {
    const { startDaemon } = await import("./daemon/start.js");
    const { environment, signal } = process;
    await startDaemon({ settings, output, environment, signal });
  }
  try {
    return connect(settings.server, { timeout: settings.timeoutMs, retry: false, batching: false });
  } catch (error) {
    throw addressError(error, settings);
  }
}

interface Reporting {
  readonly process: Process;
  readonly settings: Settings;
  readonly output: Output;
  readonly writes: boolean;
}

/** Says what went wrong, after what was written before it. */
async function report(
  error: unknown,
  { process, settings, output, writes }: Reporting,
): Promise<ExitCode> {
  const closed = await output.close({ complete: false }).then(
    () => false,
    (thrown) => thrown instanceof OutputClosed,
  );
  if (closed || error instanceof OutputClosed) return EXIT.ok;
  if (process.signal.aborted) return process.signal.reason as ExitCode;
  output.error(errorText(error, { settings, writes }));
  if (error instanceof Failure && error.detail !== undefined) output.errorDetail(error.detail);
  if (settings.debug) output.errorDetail(debugText(error));
  return exitCodeOf(error);
}
