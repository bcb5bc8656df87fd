// Flags and environment, read once into one frozen Config: the only reader of argv and env.
//
// A flag goes before its variable (--store-max-bytes before KVD_STORE_MAX_BYTES), that before the
// default. What is unknown as a flag, or out of its range, is refused with the flag, the value and
// the range; a variable KVD_… that is unknown is only told of, because others may use that prefix
// (Kubernetes does, beside a service that is called kvd).

import { CommanderError } from "commander";
import {
  applyEnvironment,
  attributeOfLimit,
  DEBUG_GRPC,
  DEFAULT_LISTEN,
  DEFAULT_LOG_LEVEL,
  DEFAULT_SHUTDOWN_GRACE_MS,
  type Environment,
  type FlagValues,
  kvdCommand,
  type LogLevel,
  limitNames,
  unknownVariables,
} from "./config-flags.js";
import { limitConflict } from "./config-limits.js";
import { ValueError } from "./config-values.js";
import { LIMITS, type LimitName, type Limits } from "./kv/limits.js";
import { isLoopback, parseListenAddress } from "./listen-address.js";
import { defaultHistoryMaxBytes, defaultStoreMaxBytes, type Machine } from "./memory-sizes.js";

export interface Config {
  /**
   * As they were given; each can be parsed, and with `insecure` unset each is a loopback address.
   */
  readonly listen: readonly string[];
  readonly portFile: string | undefined;
  /** It was said that nothing is to be kept on disk. */
  readonly memory: boolean;
  readonly insecure: boolean;
  readonly logLevel: LogLevel;
  readonly shutdownGraceMs: number;
  /** Leave the variables that make grpc-js print what it does, metadata of calls included. */
  readonly debugGrpc: boolean;
  readonly limits: Limits;
  /** Variables that look like kvd's and mean nothing to it. */
  readonly unknownVariables: readonly string[];
}

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: "serve"; readonly config: Config }
  /** --help, --version. */
  | { readonly kind: "print"; readonly text: string }
  | { readonly kind: "refused"; readonly text: string };

export interface Surroundings {
  /** Without the executable and the script. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly machine: Machine;
  readonly version: string;
}

export function readInvocation(surroundings: Surroundings): Invocation {
  let printed = "";
  const print = (text: string) => {
    printed += text;
  };
  const command = kvdCommand(surroundings.version);
  command.configureOutput({ writeOut: print, writeErr: print });
  try {
    command.parse(surroundings.argv, { from: "user" });
    applyEnvironment(command, surroundings.env);
    const config = configFromValues(command.opts(), surroundings.machine);
    const ofEnvironment = {
      debugGrpc: surroundings.env[DEBUG_GRPC] !== undefined,
      unknownVariables: unknownVariables(command, surroundings.env),
    };
    return { kind: "serve", config: Object.freeze({ ...config, ...ofEnvironment }) };
  } catch (error) {
    if (error instanceof ValueError) return { kind: "refused", text: `error: ${error.message}\n` };
    if (!(error instanceof CommanderError)) throw error;
    return { kind: error.exitCode === 0 ? "print" : "refused", text: printed };
  }
}

function configFromValues(values: FlagValues, machine: Machine) {
  const { listen = [DEFAULT_LISTEN], insecure = false } = values;
  const exposed = listen.find((text) => !isLoopback(parseListenAddress(text)));
  if (exposed !== undefined && !insecure) {
    throw new ValueError(
      `--listen ${exposed} can be reached from other machines, and kvd has neither TLS nor rights ` +
        "yet: say --insecure if that is meant",
    );
  }
  return {
    listen: Object.freeze([...listen]),
    portFile: values.portFile,
    memory: values.memory ?? false,
    insecure,
    logLevel: values.logLevel ?? DEFAULT_LOG_LEVEL,
    shutdownGraceMs: values.shutdownGrace ?? DEFAULT_SHUTDOWN_GRACE_MS,
    limits: limitsFromValues(values, machine),
  };
}

function limitsFromValues(values: FlagValues, machine: Machine): Limits {
  const given = (name: LimitName) => values[attributeOfLimit(name)] as number | undefined;
  const storeMaxBytes = given("storeMaxBytes") ?? defaultStoreMaxBytes(machine);
  const historyMaxBytes = given("historyMaxBytes") ?? defaultHistoryMaxBytes(storeMaxBytes);
  const all = limitNames().map((name) => [name, given(name) ?? LIMITS[name].value]);
  const limits = { ...(Object.fromEntries(all) as Limits), storeMaxBytes, historyMaxBytes };
  const conflict = limitConflict(limits);
  if (conflict !== undefined) throw new ValueError(conflict);
  return Object.freeze(limits);
}
