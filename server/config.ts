// Flags, environment and file, read once into one frozen Config: the only reader of argv and env.
//
// A flag goes before its variable (--store-max-bytes before KVD_STORE_MAX_BYTES), that before the
// file of --config, that before the default. What is unknown in any of them is refused with what
// may have been meant; what is out of its range, with the setting, the value and the range.

import { type Command, CommanderError } from "commander";
import { applyFile } from "./config-file.js";
import {
  applyEnvironment,
  attributeOfLimit,
  DEBUG_GRPC,
  DEFAULT_DATA_DIR,
  DEFAULT_FAILED_LOG_GRACE_MS,
  DEFAULT_LISTEN,
  DEFAULT_LOG_LEVEL,
  DEFAULT_SHUTDOWN_GRACE_MS,
  DEFAULT_SNAPSHOT_INTERVAL_MS,
  DEFAULT_SNAPSHOT_LOG_BYTES,
  type Environment,
  type FlagValues,
  type Fsync,
  kvdCommand,
  type LogLevel,
  limitNames,
  refuseUnknownVariables,
  settingsOf,
} from "./config-flags.js";
import { limitConflict } from "./config-limits.js";
import { type Origin, printedSettings, type Setting } from "./config-print.js";
import { showValue, ValueError } from "./config-values.js";
import { LIMITS, type LimitName, type Limits } from "./kv/limits.js";
import { isLoopback, parseListenAddress } from "./listen-address.js";
import {
  defaultHistoryMaxBytes,
  defaultLeaseMemoryMaxBytes,
  defaultStoreMaxBytes,
  type Machine,
} from "./memory-sizes.js";
import { type OfflineCommand, readOffline } from "./offline-commands.js";

export interface Config {
  /**
   * As they were given; each can be parsed, and with `insecure` unset each is a loopback address.
   */
  readonly listen: readonly string[];
  readonly portFile: string | undefined;
  /** Where the data is; undefined: nothing is kept on disk. */
  readonly dataDir: string | undefined;
  readonly fsync: Fsync;
  readonly snapshotIntervalMs: number;
  readonly snapshotLogBytes: number;
  /** How long reads go on when the log has failed. */
  readonly failedLogGraceMs: number;
  readonly insecure: boolean;
  /** Speak etcd's protocol, too. */
  readonly etcd: boolean;
  /** Serve grpc.channelz.v1, too. */
  readonly channelz: boolean;
  /** Names under which HTTP/1 is answered, besides addresses and localhost. */
  readonly allowedHosts: readonly string[];
  readonly logLevel: LogLevel;
  /** Where the log goes; undefined: to standard output. */
  readonly logFile: string | undefined;
  readonly shutdownGraceMs: number;
  /** Leave the variables that make grpc-js print what it does, metadata of calls included. */
  readonly debugGrpc: boolean;
  readonly limits: Limits;
}

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: "serve"; readonly config: Config }
  | { readonly kind: "offline"; readonly command: OfflineCommand }
  /** --help, --version, --print-config. */
  | { readonly kind: "print"; readonly text: string }
  | { readonly kind: "refused"; readonly text: string };

export interface Surroundings {
  /** Without the executable and the script. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly machine: Machine;
  readonly version: string;
  /** The text of the file of --config. */
  readonly readFile: (path: string) => string;
}

export function readInvocation(surroundings: Surroundings): Invocation {
  let printed = "";
  const print = (text: string) => {
    printed += text;
  };
  const { argv, env, machine, version } = surroundings;
  try {
    const offline = readOffline(argv, print);
    if (offline !== undefined) return { kind: "offline", command: offline };
    const command = kvdCommand(version);
    command.configureOutput({ writeOut: print, writeErr: print });
    command.parse(argv, { from: "user" });
    applyEnvironment(command, env);
    refuseUnknownVariables(command, env);
    const values: FlagValues = command.opts();
    if (values.config !== undefined) {
      applyFile(command, values.config, fileText(values.config, surroundings));
    }
    const debugGrpc = env[DEBUG_GRPC] !== undefined;
    const config = { ...configFromValues(command.opts(), machine), debugGrpc };
    if (values.printConfig === true) {
      return { kind: "print", text: printedSettings(printable(command, config)) };
    }
    return { kind: "serve", config: Object.freeze(config) };
  } catch (error) {
    if (error instanceof ValueError) return { kind: "refused", text: `error: ${error.message}\n` };
    if (!(error instanceof CommanderError)) throw error;
    return { kind: error.exitCode === 0 ? "print" : "refused", text: printed };
  }
}

function fileText(path: string, { readFile }: Surroundings): string {
  try {
    return readFile(path);
  } catch (error) {
    throw new ValueError(`--config ${path} cannot be read: ${(error as Error).message}`);
  }
}

const ORIGINS: Readonly<Record<string, Origin>> = {
  cli: "flag",
  env: "environment",
  config: "file",
};

function printable(command: Command, config: Config): Setting[] {
  const values: Readonly<Record<string, Setting["value"]>> = {
    listen: config.listen,
    portFile: config.portFile,
    dataDir: config.dataDir,
    memory: config.dataDir === undefined,
    fsync: config.fsync,
    snapshotInterval: showValue(config.snapshotIntervalMs, "ms"),
    snapshotLogBytes: showValue(config.snapshotLogBytes, "bytes"),
    failedLogGrace: showValue(config.failedLogGraceMs, "ms"),
    insecure: config.insecure,
    etcd: config.etcd,
    channelz: config.channelz,
    allowedHost: config.allowedHosts,
    logLevel: config.logLevel,
    logFile: config.logFile,
    shutdownGrace: showValue(config.shutdownGraceMs, "ms"),
    ...Object.fromEntries(
      limitNames().map((name) => [
        attributeOfLimit(name),
        showValue(config.limits[name], LIMITS[name].unit),
      ]),
    ),
  };
  const shown = settingsOf(command).filter((option) =>
    Object.hasOwn(values, option.attributeName()),
  );
  return shown.map((option) => ({
    name: (option.long ?? "").slice(2),
    value: values[option.attributeName()],
    origin: ORIGINS[command.getOptionValueSource(option.attributeName()) ?? ""] ?? "default",
  }));
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
  const { memory = false, dataDir } = values;
  if (memory && dataDir !== undefined) {
    throw new ValueError(`--memory keeps nothing on disk, and --data-dir ${dataDir} says where`);
  }
  return {
    listen: Object.freeze([...listen]),
    portFile: values.portFile,
    dataDir: memory ? undefined : (dataDir ?? DEFAULT_DATA_DIR),
    fsync: values.fsync ?? "always",
    snapshotIntervalMs: values.snapshotInterval ?? DEFAULT_SNAPSHOT_INTERVAL_MS,
    snapshotLogBytes: values.snapshotLogBytes ?? DEFAULT_SNAPSHOT_LOG_BYTES,
    failedLogGraceMs: values.failedLogGrace ?? DEFAULT_FAILED_LOG_GRACE_MS,
    insecure,
    etcd: values.etcd ?? true,
    channelz: values.channelz ?? false,
    allowedHosts: Object.freeze([...(values.allowedHost ?? [])]),
    logLevel: values.logLevel ?? DEFAULT_LOG_LEVEL,
    logFile: values.logFile,
    shutdownGraceMs: values.shutdownGrace ?? DEFAULT_SHUTDOWN_GRACE_MS,
    limits: limitsFromValues(values, machine),
  };
}

function limitsFromValues(values: FlagValues, machine: Machine): Limits {
  const given = (name: LimitName) => values[attributeOfLimit(name)] as number | undefined;
  const storeMaxBytes = given("storeMaxBytes") ?? defaultStoreMaxBytes(machine);
  const historyMaxBytes = given("historyMaxBytes") ?? defaultHistoryMaxBytes(storeMaxBytes);
  const leaseMemoryMaxBytes = given("leaseMemoryMaxBytes") ?? defaultLeaseMemoryMaxBytes(machine);
  const all = limitNames().map((name) => [name, given(name) ?? LIMITS[name].value]);
  const sizes = { storeMaxBytes, historyMaxBytes, leaseMemoryMaxBytes };
  const limits = { ...(Object.fromEntries(all) as Limits), ...sizes };
  const conflict = limitConflict(limits);
  if (conflict !== undefined) throw new ValueError(conflict);
  return Object.freeze(limits);
}
